import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { serveStore } from '../../src/store/open.ts';
import type { Claim, Serving } from '../../src/store/store.ts';
import { onServer } from './stores.ts';

/** Serves a store until the test ends. */
export async function serve(t: TestContext, location: string): Promise<Serving> {
  const serving = await serveStore(location);
  t.after(() => serving.close());
  return serving;
}

/** Claims the first that is due. */
export async function claim({ store }: Serving, destination = 'slack'): Promise<Claim> {
  const [first] = await store.claim({ destination, target: 't', now: 1_000_000, limit: 1, except: [] });
  return first ?? assert.fail('nothing was due');
}

/** Resolves when the lanes are lost. */
export const lost = (serving: Serving): Promise<void> => new Promise((resolve) => serving.lost(resolve));

/** Ends the sessions that hold locks: those of lanes. */
export const endLaneSessions = (location: string) =>
  onServer(
    location,
    `SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
  );

/** Takes a lane as soon as it can be had: its connection may have to come back first. */
export async function takeAgain(serving: Serving, lane: string): Promise<void> {
  while (!(await serving.take(lane, []).catch(() => false))) await wait(20);
}
