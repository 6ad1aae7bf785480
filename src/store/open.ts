import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { isPostgres } from '../address.ts';
import { RelayError } from '../errors.ts';
import type { CommitOptions } from './commit.ts';
import { isBusy, makeFile, openError, openReader, openWriter } from './database.ts';
import { isLocked, lockStore } from './lock.ts';
import { migrate } from './migrate.ts';
import { isPostgresServed, openPostgres, servePostgres } from './postgres/open.ts';
import { SqliteStore } from './sqlite.ts';
import type { Serving, Store } from './store.ts';

const WAIT = 10_000;
/** Milliseconds between two tries. */
const POLL = 20;

/**
 * Opens the store in the file (and makes it, with its folder, when it is not there) or in the PostgreSQL database. Any
 * number of processes may have it open; those that receive and deliver call `serveStore`.
 *
 * @param options.create false refuses to make a store that is not there
 * @param options.wait milliseconds to wait for another process that is making or changing the store; 10 s by default
 * @throws RelayError RELAY_STORE_OPEN, RELAY_STORE_NEWER
 */
export async function openStore(
  path: string,
  options: CommitOptions & { create?: boolean; wait?: number } = {},
): Promise<Store> {
  if (isPostgres(path)) return openPostgres(path, options);
  if (options.create === false && !existsSync(path)) {
    throw new RelayError('RELAY_STORE_OPEN', `there is no store at ${path} yet`, {
      fix: 'Start the relay once, which makes it, or correct `store:`.',
    });
  }
  const deadline = performance.now() + (options.wait ?? WAIT);
  try {
    await makeFile(path);
    for (;;) {
      try {
        return connect(path, options);
      } catch (error) {
        if (!isBusy(error) || performance.now() > deadline) throw error;
      }
      await wait(POLL);
    }
  } catch (error) {
    throw openError(path, error);
  }
}

/**
 * Opens the store to receive and deliver. One relay at a time serves a file: waits for another to end, 15 s at most.
 *
 * @throws RelayError RELAY_STORE_LOCKED, RELAY_STORE_OPEN, RELAY_STORE_NEWER
 */
export async function serveStore(path: string, options: CommitOptions = {}): Promise<Serving> {
  if (isPostgres(path)) return servePostgres(path, options);
  const lock = await lockStore(path);
  try {
    const store = await openStore(path, options);
    const close = async () => {
      await store.close();
      await lock.release();
    };
    return { store, ...alone(), close };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** Whoever has the lock of the store has every lane. */
function alone(): Omit<Serving, 'store' | 'close'> {
  const self = { id: '1', host: `${hostname()}/${process.pid}`, startedAt: Date.now(), self: true };
  let configHash: string | undefined;
  return {
    take: async () => true,
    give: async () => {},
    share: async () => ({ processes: 1, place: 0 }),
    replicas: async () => [{ ...self, configHash }],
    announce: async (hash) => {
      configHash = hash;
    },
    isSure: true,
    lost: () => {},
  };
}

/** True while a relay, in this process or another, serves the store. */
export async function isServed(path: string): Promise<boolean> {
  return isPostgres(path) ? isPostgresServed(path) : isLocked(path);
}

function connect(path: string, options: CommitOptions): Store {
  const writer = openWriter(path);
  try {
    migrate(writer, path);
    // A file without the right to write opens all the same, and even begins a transaction: only a change shows it.
    writer.exec('BEGIN IMMEDIATE; UPDATE ping SET count = count + 1; ROLLBACK');
    return new SqliteStore(writer, openReader(path), options);
  } catch (error) {
    writer.close();
    throw error;
  }
}
