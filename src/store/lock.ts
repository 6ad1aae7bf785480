import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as wait } from 'node:timers/promises';
import { RelayError } from '../errors.ts';
import { isBusy, makeFile, openError } from './database.ts';

/** Milliseconds between two tries. */
const POLL = 100;

export interface StoreLock {
  release(): Promise<void>;
}

/**
 * Takes the lock of the one relay that serves a store: an SQLite file beside it, held by an exclusive transaction, whose
 * file locks the kernel frees however the process ends.
 *
 * @param options.wait milliseconds to wait for another relay to end; 15 s by default (a restart hands over within that)
 * @throws RelayError RELAY_STORE_LOCKED when another process still holds it; RELAY_STORE_OPEN when it cannot be made
 */
export async function lockStore(path: string, options: { wait?: number } = {}): Promise<StoreLock> {
  const lockPath = `${path}.lock`;
  const deadline = performance.now() + (options.wait ?? 15_000);
  let database: DatabaseSync;
  try {
    await makeFile(lockPath);
    database = new DatabaseSync(lockPath, { timeout: 0 });
  } catch (error) {
    throw openError(path, error);
  }
  for (;;) {
    try {
      database.exec('BEGIN EXCLUSIVE');
      return { release: async () => database.close() };
    } catch (error) {
      if (!isBusy(error) || performance.now() >= deadline) {
        database.close();
        throw isBusy(error) ? lockedError(path, error) : openError(path, error);
      }
    }
    await wait(Math.min(POLL, Math.max(0, deadline - performance.now())));
  }
}

/** True while a relay, in this process or another, holds the lock of the store. */
export function isLocked(path: string): boolean {
  const lockPath = `${path}.lock`;
  if (!existsSync(lockPath)) return false;
  const database = new DatabaseSync(lockPath, { timeout: 0, readOnly: true });
  try {
    database.prepare('SELECT 1 FROM sqlite_schema').get();
    return false;
  } catch (error) {
    if (isBusy(error)) return true;
    throw openError(path, error);
  } finally {
    database.close();
  }
}

function lockedError(path: string, cause: unknown): RelayError {
  return new RelayError('RELAY_STORE_LOCKED', `another relay is serving the store ${path}`, {
    fix: 'Stop that relay, or give this one another `store:`.',
    cause,
  });
}
