import { hostname } from 'node:os';
import { isPostgres } from '../address.ts';
import { version } from '../version.ts';
import type { CommitOptions } from './commit.ts';
import { isLocked, lockStore } from './lock.ts';
import { openSqlite } from './open-sqlite.ts';
import type { Replica, Serving, Store } from './store.ts';
import { openOnThread } from './thread.ts';

/**
 * Opens the store for a verb: the SQLite file (which is made, with its folder, when it is not there) or the PostgreSQL
 * database. Any number of processes may have it open; those that receive and deliver call `serveStore`. A store at an older
 * schema is left as it is: a relay of an older version may be serving it.
 *
 * @param location as the config has it: a path, or `postgres://…`
 * @param options.create false refuses to make a store that is not there
 * @param options.wait milliseconds to wait for another process that is making or changing the file; 10 s by default
 * @throws RelayError RELAY_STORE_OPEN, RELAY_STORE_NEWER, RELAY_STORE_OLDER
 */
export async function openStore(
  location: string,
  options: CommitOptions & { create?: boolean; wait?: number } = {},
): Promise<Store> {
  if (!isPostgres(location)) return openSqlite(location, { ...options, upgrade: false });
  const { openPostgres } = await postgres();
  return openPostgres(location, options);
}

/**
 * Opens the store to receive and deliver. One relay at a time serves a file: waits for another to end, 15 s at most. Any
 * number serve a database.
 *
 * @throws RelayError RELAY_STORE_LOCKED, RELAY_STORE_OPEN, RELAY_STORE_NEWER
 */
export async function serveStore(location: string, options: CommitOptions = {}): Promise<Serving> {
  if (isPostgres(location)) return (await postgres()).servePostgres(location, options);
  const lock = await lockStore(location);
  try {
    const store = await openOnThread(location, options);
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

/** Loaded only where it is needed: who stores in a file does without its client. */
const postgres = () => import('./postgres/open.ts');

/** Whoever has the lock of the store has every lane. */
function alone(): Omit<Serving, 'store' | 'close'> {
  const self = { id: '1', host: `${hostname()}/${process.pid}`, version, startedAt: Date.now(), self: true };
  let configHash: string | undefined;
  return {
    take: async () => true,
    give: async () => {},
    share: async () => ({ processes: 1, place: 0, lacking: false }),
    replicas: async () => [{ ...self, configHash }],
    announce: async (hash) => {
      configHash = hash;
    },
    isSure: true,
    lost: () => {},
  };
}

/** True while a relay, in this process or another, serves the store. */
export async function isServed(location: string): Promise<boolean> {
  return isPostgres(location) ? (await postgres()).isPostgresServed(location) : isLocked(location);
}

/**
 * What is known of each relay that serves the store, in the order of their places. SQLite keeps no list: all that can be
 * told there is whether one does.
 *
 * @throws RelayError RELAY_STORE_OPEN when the store cannot be asked
 */
export async function listReplicas(location: string): Promise<Partial<Replica>[]> {
  if (isPostgres(location)) return (await import('./postgres/who-serves.ts')).postgresReplicas(location);
  return isLocked(location) ? [{}] : [];
}
