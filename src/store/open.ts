import { existsSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { RelayError } from '../errors.ts';
import { isBusy, makeFile, openError, openReader, openWriter } from './database.ts';
import { migrate } from './migrate.ts';
import { SqliteStore } from './sqlite.ts';
import type { Store } from './store.ts';

export { isServed, lockStore, type StoreLock } from './lock.ts';

/** Milliseconds to wait for another process that is making or migrating the same store. */
const WAIT = 10_000;
const POLL = 20;

/**
 * Opens the store in the file, and makes it (with its folder) when it is not there. Any number of processes may have it
 * open; the one that serves it also holds `lockStore`.
 *
 * @param options.create false refuses to make a store that is not there
 * @throws RelayError RELAY_STORE_OPEN, RELAY_STORE_NEWER
 */
export async function openStore(path: string, options: { create?: boolean } = {}): Promise<Store> {
  if (options.create === false && !existsSync(path)) {
    throw new RelayError('RELAY_STORE_OPEN', `there is no store at ${path} yet`, {
      fix: 'Start the relay once, which makes it, or correct `store:`.',
    });
  }
  const deadline = performance.now() + WAIT;
  try {
    await makeFile(path);
    for (;;) {
      try {
        return connect(path);
      } catch (error) {
        if (!isBusy(error) || performance.now() > deadline) throw error;
      }
      await wait(POLL);
    }
  } catch (error) {
    throw openError(path, error);
  }
}

function connect(path: string): Store {
  const writer = openWriter(path);
  try {
    migrate(writer, path);
    // A file without write permission opens all the same; only taking the write lock shows it.
    writer.exec('BEGIN IMMEDIATE; ROLLBACK');
    return new SqliteStore(writer, openReader(path));
  } catch (error) {
    writer.close();
    throw error;
  }
}
