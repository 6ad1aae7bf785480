import { readFileSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { RelayError } from '../errors.ts';
import { migrationsIn, refuseNewer } from './migrations.ts';

/** Marks a file as a store of the relay (`PRAGMA application_id`): the letters VRLY. */
const APPLICATION_ID = 0x56524c59;

const FOLDER = new URL('./migrations/sqlite/', import.meta.url);

/** How far the schema of a store has come. */
export interface Schema {
  /** Undefined: there is no store yet. */
  found: number | undefined;
  /** What this version of the relay works with. */
  newest: number;
}

/**
 * Brings the schema up to date: every numbered file of migrations/sqlite that the store has not had, each in a
 * transaction of its own, under the write lock.
 *
 * @throws RelayError RELAY_STORE_NEWER when the store has had more than there are; RELAY_STORE_OPEN when it is a database of another program
 */
export function migrate(database: DatabaseSync, path: string): void {
  const files = migrationsIn(FOLDER);
  // The first look takes no lock, so that opening a store that is up to date waits for nobody.
  while (schemaVersion(database, path) < files.length) {
    database.exec('BEGIN IMMEDIATE');
    try {
      // Another process may have been faster.
      const next = files[schemaVersion(database, path)];
      if (next !== undefined) {
        database.exec(readFileSync(new URL(next, FOLDER), 'utf8'));
        database.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${Number.parseInt(next, 10)}`);
      }
      database.exec('COMMIT');
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK');
      throw error;
    }
  }
}

/** The schema that this version of the relay works with. */
export function newestSchema(): number {
  return migrationsIn(FOLDER).length;
}

/**
 * How far the schema has come; 0 when there is none.
 *
 * @throws RelayError RELAY_STORE_NEWER, RELAY_STORE_OPEN as `migrate` does
 */
export function schemaVersion(database: DatabaseSync, path: string): number {
  const newest = newestSchema();
  const found = Number(database.prepare('PRAGMA user_version').get()?.user_version);
  const application = Number(database.prepare('PRAGMA application_id').get()?.application_id);
  const empty = database.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined;
  if (application !== APPLICATION_ID && !empty) {
    throw new RelayError('RELAY_STORE_OPEN', `${path} is a database of another program`, {
      fix: 'Let `store:` name a file that does not exist yet: the relay makes its own.',
    });
  }
  refuseNewer(found, newest, path);
  return found;
}
