import type { CommitOptions } from './commit.ts';
import { isLocked, lockStore } from './lock.ts';
import { openSqlite } from './open-sqlite.ts';
import type { Serving, Store } from './store.ts';
import { openOnThread } from './thread.ts';

/**
 * Opens the store for a verb, and makes it (with its folder) when it is not there. Any number of processes may have it open;
 * the one that receives and delivers calls `serveStore`.
 *
 * @param options.create false refuses to make a store that is not there
 * @param options.wait milliseconds to wait for another process that is making or changing the store; 10 s by default
 * @throws RelayError RELAY_STORE_OPEN, RELAY_STORE_NEWER
 */
export function openStore(
  file: string,
  options: CommitOptions & { create?: boolean; wait?: number } = {},
): Promise<Store> {
  return openSqlite(file, options);
}

/**
 * Opens the store to receive and deliver: waits for another relay that serves it to end, 15 s at most.
 *
 * @throws RelayError RELAY_STORE_LOCKED, RELAY_STORE_OPEN, RELAY_STORE_NEWER
 */
export async function serveStore(file: string, options: CommitOptions = {}): Promise<Serving> {
  const lock = await lockStore(file);
  try {
    const store = await openOnThread(file, options);
    const close = async () => {
      await store.close();
      await lock.release();
    };
    return { store, ...ALONE, close };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** Whoever has the lock of the store has every lane. */
const ALONE: Omit<Serving, 'store' | 'close'> = {
  take: async () => true,
  give: async () => {},
  share: async () => ({ processes: 1, place: 0, lacking: false }),
  isSure: true,
  lost: () => {},
};

/** True while a relay, in this process or another, serves the store. */
export async function isServed(file: string): Promise<boolean> {
  return isLocked(file);
}
