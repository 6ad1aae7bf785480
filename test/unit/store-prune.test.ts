import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, test } from 'node:test';
import pg from 'pg';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { newEvent } from '../contracts/store/under-test.ts';
import { makeFolder } from '../support/folder.ts';
import { isTested, makeDatabase, onServer } from '../support/stores.ts';

const BEFORE = 2000;

test('a body that was removed is not in the file any more', async (t) => {
  const file = path.join(await makeFolder(t), 'relay.db');
  // What cannot be compressed stands in the file as it is; long enough for pages of its own.
  const bodies = Array.from({ length: 5 }, () => randomBytes(20_000));
  let store = await openStore(file);
  for (const body of bodies) await store.accept(newEvent({ state: 'unrouted', destinations: [], body }));
  const recent = randomBytes(20_000);
  await store.accept(newEvent({ destinations: [], body: recent, receivedAt: BEFORE }));
  await store.close();
  const pieces = (body: Buffer) => [0, 5_000, 10_000, 19_900].map((at) => body.subarray(at, at + 64));
  const isIn = (whole: Buffer, body: Buffer) => pieces(body).filter((piece) => whole.includes(piece)).length;
  assert.ok(isIn(await readFile(file), bodies[0] as Buffer) >= 3, 'a body is looked for rightly');
  store = await openStore(file);
  assert.equal((await store.prune({ before: BEFORE }))?.removed.length, 5);
  await store.close();
  const whole = await readFile(file);
  assert.deepEqual(
    bodies.map((body) => isIn(whole, body)),
    [0, 0, 0, 0, 0],
  );
  assert.ok(isIn(whole, recent) >= 3);
});

describe('pruning PostgreSQL', { skip: !isTested('postgres') }, () => {
  /** A store with settled old events, and another session in a transaction that a verb might be in. */
  async function scene(t: { after(fn: () => Promise<void>): void }): Promise<{ store: Store; other: pg.Client }> {
    const location = await makeDatabase();
    const store = await openStore(location);
    for (const subject of ['x', 'y']) await store.accept(newEvent({ subject, destinations: ['slack'] }));
    await onServer(location, "UPDATE versive_relay.delivery SET state = 'delivered', due_at = NULL");
    const other = new pg.Client({ connectionString: location, options: '-c search_path=versive_relay' });
    await other.connect();
    t.after(async () => {
      await other.end();
      await store.close();
    });
    await other.query('BEGIN');
    return { store, other };
  }

  test('leaves an event that a verb is just bringing back or adding to', async (t) => {
    const { store, other } = await scene(t);
    await other.query('SELECT 1 FROM delivery WHERE id = 1 FOR UPDATE');
    await other.query('SELECT 1 FROM event WHERE id = 2 FOR NO KEY UPDATE');
    assert.partialDeepStrictEqual(await store.prune({ before: BEFORE }), { removed: [], pending: 2, done: undefined });
    await other.query('ROLLBACK');
    assert.deepEqual((await store.prune({ before: BEFORE }))?.removed, ['e1', 'e2']);
  });

  test('what is asked of an event whose body is being removed waits, and finds it gone', async (t) => {
    const { store, other } = await scene(t);
    await other.query('SELECT 1 FROM event FOR UPDATE; DELETE FROM body; DELETE FROM delivery WHERE event = 1');
    await other.query('UPDATE event SET removed_at = 1');
    const asked = [
      store.add([{ event: 'e1', destinations: ['notion'], renew: false }]),
      store.replay(['d1'], { renew: false }),
    ];
    const waiting = `
      SELECT DISTINCT pid FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))`;
    while ((await other.query(waiting)).rows.length < 2);
    await other.query('COMMIT');
    assert.deepEqual(await Promise.all(asked), [0, 0]);
    assert.deepEqual((await store.deliveriesOf(['e1'])).get('e1'), []);
  });

  test('one process at a time', async (t) => {
    const { store, other } = await scene(t);
    await other.query(`SELECT pg_advisory_xact_lock(${0x56524c59}, 2)`);
    assert.equal(await store.prune({ before: BEFORE }), undefined);
    assert.equal((await store.prune({ before: BEFORE, dryRun: true }))?.removed.length, 2);
    await other.query('COMMIT');
    assert.equal((await store.prune({ before: BEFORE }))?.removed.length, 2);
  });
});
