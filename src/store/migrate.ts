import type { DatabaseSync } from 'node:sqlite';
import { RelayError } from '../errors.ts';
import { migrationsIn, refuseNewer, refuseOlder, type SchemaVersion } from './migrations.ts';

/** Marks a file as a store of the relay (`PRAGMA application_id`): the letters VRLY. */
const APPLICATION_ID = 0x56524c59;

const FOLDER = new URL('./migrations/sqlite/', import.meta.url);

/** How far the schema of a store has come, and what this version of the relay works with. */
export interface Schema {
  /** Undefined: there is no store yet. */
  found: number | undefined;
  newest: number;
}

/**
 * Brings the schema up to date: every numbered file of migrations/sqlite that the store has not had, in one transaction.
 *
 * @param options.upgrade false makes the schema where there is none, and refuses an older one
 * @throws RelayError RELAY_STORE_NEWER when only newer versions work with it; RELAY_STORE_OLDER; RELAY_STORE_OPEN when it is a
 *   database of another program
 */
export function migrate(database: DatabaseSync, path: string, options: { upgrade: boolean }): void {
  const migrations = migrationsIn(FOLDER);
  // The first look takes no lock, so that opening a store that is up to date waits for nobody.
  if (schemaVersion(database, path).version >= migrations.length) return;
  database.exec('BEGIN IMMEDIATE');
  try {
    // Another process may have been faster.
    const found = schemaVersion(database, path);
    if (!options.upgrade) refuseOlder(found, migrations.length, path);
    const missing = migrations.slice(found.version);
    for (const { version, worksWith, sql } of missing) {
      database.exec(sql);
      database.exec(`
        CREATE TABLE IF NOT EXISTS migration (version INTEGER PRIMARY KEY, works_with INTEGER NOT NULL) STRICT;
        INSERT INTO migration VALUES (${version}, ${worksWith});
        PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${version}`);
    }
    database.exec('COMMIT');
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

/** The schema that this version of the relay works with. */
export function newestSchema(): number {
  return migrationsIn(FOLDER).length;
}

/** How far the schema has come. @throws RelayError RELAY_STORE_NEWER, RELAY_STORE_OPEN as `migrate` does */
export function schemaVersion(database: DatabaseSync, path: string): SchemaVersion {
  const version = Number(database.prepare('PRAGMA user_version').get()?.user_version);
  const application = Number(database.prepare('PRAGMA application_id').get()?.application_id);
  const empty = database.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined;
  if (application !== APPLICATION_ID && !empty) {
    throw new RelayError('RELAY_STORE_OPEN', `${path} is a database of another program`, {
      fix: 'Let `store:` name a file that does not exist yet: the relay makes its own.',
    });
  }
  const found = { version, worksWith: worksWith(database, version) ?? version };
  refuseNewer(found, newestSchema(), path);
  return found;
}

/** Undefined where no migration has said it. */
function worksWith(database: DatabaseSync, version: number): number | undefined {
  const isTold = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'migration'").get() !== undefined;
  if (!isTold) return undefined;
  const { last, schema } =
    database.prepare('SELECT max(version) AS last, max(works_with) AS schema FROM migration').get() ?? {};
  return last === version ? Number(schema) : undefined;
}
