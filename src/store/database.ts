import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DatabaseSync, type DatabaseSyncOptions } from 'node:sqlite';
import { RelayError } from '../errors.ts';
import { WAL_PAGES } from './limits.ts';

/** Primary result codes of SQLite (https://www.sqlite.org/rescode.html) that the surroundings cause, not our statements. */
const SURROUNDINGS = new Map([
  [5, 'another process is writing to it'],
  [6, 'another connection is writing to it'],
  [7, 'out of memory'],
  [8, 'it may not be written to'],
  [10, 'the disk fails'],
  [11, 'the file is damaged'],
  [13, 'the disk is full'],
  [14, 'the file cannot be opened'],
  [26, 'the file is not an SQLite database'],
]);
const BUSY = 5;

/** The primary result code of an error of node:sqlite, undefined for any other error. */
function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return undefined;
  return error.errcode & 0xff;
}

/** True when another process (or connection) holds the lock that was asked for: a later try may get it. */
export function isBusy(error: unknown): boolean {
  return resultCode(error) === BUSY;
}

/** The error of a write that the surroundings refused, as RELAY_STORE_BUSY; any other error as it is. */
export function commitError(error: unknown): unknown {
  const why = SURROUNDINGS.get(resultCode(error) ?? -1);
  if (why === undefined) return error;
  return new RelayError('RELAY_STORE_BUSY', `the store cannot commit: ${why}`, {
    fix: 'Look at the free space, the rights and the health of the disk that holds the store. Nothing was half written.',
    cause: error,
  });
}

/** The error of a read that the surroundings refused, as RELAY_STORE_OPEN; any other error as it is. */
export function readError(error: unknown): unknown {
  const why = SURROUNDINGS.get(resultCode(error) ?? -1);
  if (why === undefined) return error;
  return new RelayError('RELAY_STORE_OPEN', `the store cannot be read: ${why}`, {
    fix: 'Look at the rights and the health of the disk that holds the store.',
    cause: error,
  });
}

/** What kept a store from being opened, as RELAY_STORE_OPEN with its path. */
export function openError(path: string, error: unknown): RelayError {
  if (error instanceof RelayError) return error;
  const why = SURROUNDINGS.get(resultCode(error) ?? -1) ?? (error instanceof Error ? error.message : String(error));
  return new RelayError('RELAY_STORE_OPEN', `the store ${path} cannot be opened: ${why}`, {
    fix: 'Let `store:` name a file in a folder on a local disk that the relay may read and write.',
    cause: error,
  });
}

/** Makes the folder and an empty file that only the owner can read, since it will hold what participants said. */
export async function makeFile(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  try {
    // Only when it is new: closing any handle of a file that SQLite has open here would drop SQLite's own locks on it.
    const file = await open(path, 'wx', 0o600);
    await file.close();
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
}

/**
 * How long a statement blocks for another connection's lock, in milliseconds. Short, since it blocks the event loop:
 * another process's commit is over within it, and who must wait longer tries again later.
 */
const LOCK_WAIT = 5;

/** FULL syncs the WAL at every commit; fullfsync makes macOS sync down to the platter, and does nothing elsewhere. */
export const SYNCED = 'PRAGMA synchronous = FULL; PRAGMA fullfsync = ON';

/** Opens the connection that writes. */
export function openWriter(path: string): DatabaseSync {
  return connect(path, { timeout: LOCK_WAIT }, (database) => {
    const mode = database.prepare('PRAGMA journal_mode = WAL').get()?.journal_mode;
    if (mode !== 'wal') throw new Error(`its disk does not support WAL (journal mode ${String(mode)})`);
    database.exec(`${SYNCED}; PRAGMA journal_size_limit = 67108864`);
    // What a savepoint could undo is kept in memory: SQLite would put it into a temporary file, and nothing needs it there.
    database.exec(`PRAGMA temp_store = MEMORY; PRAGMA wal_autocheckpoint = ${WAL_PAGES}`);
  });
}

/** Opens a connection that only reads, for lists and pages. */
export function openReader(path: string): DatabaseSync {
  return connect(path, { timeout: LOCK_WAIT, readOnly: true }, () => {});
}

function connect(path: string, options: DatabaseSyncOptions, prepare: (database: DatabaseSync) => void): DatabaseSync {
  const database = new DatabaseSync(path, { ...options, enableForeignKeyConstraints: true });
  try {
    prepare(database);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}
