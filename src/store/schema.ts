import { existsSync } from 'node:fs';
import { isPostgres } from '../address.ts';
import { RelayError } from '../errors.ts';
import { openError, openReader } from './database.ts';
import { lockStore } from './lock.ts';
import { newestSchema, type Schema, schemaVersion } from './migrate.ts';
import { notThere } from './not-there.ts';
import { openSqlite } from './open-sqlite.ts';

/**
 * Looks, and changes nothing.
 *
 * @throws RelayError RELAY_STORE_OPEN, RELAY_STORE_NEWER
 */
export async function schemaOf(location: string): Promise<Schema> {
  return isPostgres(location)
    ? (await import('./postgres/schema.ts')).postgresSchema(location)
    : sqliteSchema(location);
}

/**
 * Brings the schema of a store up to date, under the locks that a relay does it under when it starts. Relays of an older
 * version that serve a PostgreSQL database go on meanwhile; the one of an SQLite file must have been stopped.
 *
 * @param options.create makes a store that is not there
 * @returns what was found
 * @throws RelayError RELAY_STORE_OPEN, RELAY_STORE_NEWER, RELAY_STORE_LOCKED
 */
export async function migrateStore(location: string, options: { create: boolean }): Promise<Schema> {
  const schema = await schemaOf(location);
  if (schema.found === undefined && !options.create) throw notThere(location);
  if ((schema.found ?? 0) >= schema.newest) return schema;
  if (isPostgres(location)) await (await import('./postgres/schema.ts')).migratePostgres(location);
  else await migrateSqlite(location);
  return schema;
}

function sqliteSchema(path: string): Schema {
  const newest = newestSchema();
  if (!existsSync(path)) return { found: undefined, newest };
  try {
    const database = openReader(path);
    try {
      return { found: schemaVersion(database, path).version || undefined, newest };
    } finally {
      database.close();
    }
  } catch (error) {
    throw openError(path, error);
  }
}

async function migrateSqlite(path: string): Promise<void> {
  const lock = await lockStore(path, { wait: 0 }).catch((error: unknown) => {
    if (!(error instanceof RelayError && error.code === 'RELAY_STORE_LOCKED')) throw error;
    throw new RelayError('RELAY_STORE_LOCKED', `a relay is serving the store ${path}: nothing was changed`, {
      fix: 'Stop it first. The next one to start migrates by itself.',
      cause: error,
    });
  });
  try {
    await (await openSqlite(path)).close();
  } finally {
    await lock.release();
  }
}
