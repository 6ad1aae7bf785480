import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import { isServed, openStore } from '../../src/store/open.ts';
import { newEvent } from '../contracts/store/under-test.ts';
import { startPostgres } from '../support/postgres-server.ts';
import { claim, endLaneSessions, lost, serve, takeAgain } from '../support/serving.ts';
import { isTested, makeDatabase, onServer } from '../support/stores.ts';

const OPEN = JSON.stringify(import.meta.resolve('../../src/store/open.ts'));

describe('serving a PostgreSQL store', { skip: !isTested('postgres') }, () => {
  test('replicas that are sent the same events keep each once, in whatever order they come', async (t) => {
    const location = await makeDatabase();
    const [one, other] = [await serve(t, location), await serve(t, location)];
    const events = Array.from({ length: 300 }, () => newEvent({ destinations: ['slack', 'notion'] }));
    // Both are on their way when this one lets go, which has the event in the middle.
    const middle = new pg.Client(location);
    await middle.connect();
    await middle.query('BEGIN');
    await middle.query(
      `INSERT INTO versive_relay.event (source, svix_id, event_type, subject, study, state, received_at, routes, size)
       VALUES ('versive', $1, '', '', '', 'routed', 1, '[]', 0)`,
      [events[150]?.svixId],
    );
    const accepting = Promise.all(
      events.flatMap((event, index) => [
        one.store.accept(event),
        other.store.accept(events[events.length - 1 - index] ?? event),
      ]),
    );
    while ((await middle.query('SELECT 1 FROM pg_locks WHERE NOT granted')).rows.length < 2) await wait(5);
    await middle.query('ROLLBACK');
    await middle.end();
    const accepted = await accepting;
    assert.equal(accepted.filter(({ duplicate }) => !duplicate).length, 300);
    assert.ok(accepted.every(({ deliveries }) => deliveries === 2));
    assert.equal((await one.store.events({}, { limit: 1000 })).length, 300);
    assert.equal((await one.store.deliveries({}, { limit: 1000 })).length, 600);
    await Promise.all([one.close(), other.close()]);
    // Counts are known once the sessions have ended.
    const sql = 'SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()';
    assert.deepEqual(await onServer(location, sql), [{ deadlocks: '0' }], 'none waited for another in a circle');
  });

  test('a lane, and each key of it, is one process’s; within it, lanes share keys', async (t) => {
    const location = await makeDatabase();
    const [one, other] = [await serve(t, location), await serve(t, location)];
    assert.equal(await one.take('a', ['token', 'sheet']), true);
    assert.equal(await one.take('b', ['token']), true);
    assert.equal(await other.take('a', []), false);
    assert.equal(await other.take('c', ['token']), false);
    assert.equal(await other.take('token', ['a']), true, 'a lane and a key of one name are two things');
    await one.give('a');
    assert.equal(await other.take('a', ['sheet']), true);
    assert.equal(await other.take('c', ['token']), false, 'the other lane has it still');
    await one.take('b', []);
    assert.equal(await other.take('c', ['token']), true, 'taken again without it');
    await one.close();
    assert.equal(await other.take('b', []), true, 'a close frees at once');
  });

  test('who has not taken a lane claims nothing from it', async (t) => {
    const location = await makeDatabase();
    const [one, other] = [await serve(t, location), await serve(t, location)];
    await one.store.accept(newEvent());
    await one.take('slack', []);
    await assert.rejects(claim(other), { code: 'RELAY_STORE_BUSY' });
    const { token } = await claim(one);
    assert.equal(await other.store.record(token, 't', { state: 'delivered', receipt: {} }), false);
    assert.equal((await other.store.release()).freed, 0, 'what a lane that is served has under way stays');
    assert.equal((await other.store.release(['slack'])).freed, 0);
    assert.equal(await one.store.record(token, 't', { state: 'delivered', receipt: {} }), true);
  });

  test('what this process has under way in its lanes is not freed beside what nobody serves', async (t) => {
    const location = await makeDatabase();
    const [one, other] = [await serve(t, location), await serve(t, location)];
    await one.store.accept(newEvent({ destinations: ['slack', 'notion'] }));
    await one.take('slack', ['token']);
    await other.take('notion', []);
    const own = await claim(one);
    await claim(other, 'notion');
    await other.close();
    assert.equal((await one.store.release()).freed, 1, 'of the lane that has nobody any more');
    assert.equal(await one.store.record(own.token, 't', { state: 'delivered', receipt: {} }), true);
    assert.equal((await one.store.deliveries({ destination: 'slack' }, { limit: 1 }))[0]?.state, 'delivered');
  });

  test('a lost connection takes the lanes along, and the right to record what they had under way', async (t) => {
    const location = await makeDatabase();
    const [one, other] = [await serve(t, location), await serve(t, location)];
    await one.store.accept(newEvent());
    await one.take('slack', ['token']);
    const { token } = await claim(one);
    const told = lost(one);
    await endLaneSessions(location);
    await told;
    assert.equal(one.isSure, false);
    await assert.rejects(claim(one), { code: 'RELAY_STORE_BUSY' });
    assert.equal(await one.store.record(token, 't', { state: 'delivered', receipt: {} }), false);
    assert.equal(await one.store.checkpoint(token, 't', {}), false);
    // The server frees the locks a moment after it has closed the connection.
    await takeAgain(other, 'slack');
    await other.store.release(['slack']);
    const again = await claim(other);
    assert.ok(again.doubt, 'its write may have landed');
    assert.equal(await other.store.record(again.token, 't', { state: 'delivered', receipt: {} }), true);
    await other.give('slack');
    await takeAgain(one, 'slack');
    assert.equal(one.isSure, true, 'it has come back by itself');
  });

  test('a process that is stopped loses its lanes within seconds, and learns of it', async (t) => {
    const location = await makeDatabase();
    const program = `const { serveStore } = await import(${OPEN}); const serving = await serveStore(${JSON.stringify(location)});
      serving.lost(() => process.stdout.write('lost ' + serving.isSure));
      process.stdout.write(String(await serving.take('slack', ['token']))); setInterval(() => {}, 1e6);`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.after(() => child.kill('SIGKILL'));
    assert.equal(String((await once(child.stdout, 'data'))[0]), 'true');
    const serving = await serve(t, location);
    assert.equal((await serving.share(0)).processes, 2);
    assert.equal(await serving.take('slack', []), false);
    child.kill('SIGSTOP');
    const stopped = performance.now();
    while (!(await serving.take('slack', ['token']))) await wait(50);
    const ms = performance.now() - stopped;
    assert.ok(ms > 2_000 && ms < 7_000, `after ${ms} ms`);
    assert.deepEqual(await serving.share(0), { processes: 1, place: 0, lacking: false });
    child.kill('SIGCONT');
    assert.equal(String((await once(child.stdout, 'data'))[0]), 'lost false');
  });

  test('while the database is away writes are refused, and go on when it is back, without a new store', async (t) => {
    const server = await startPostgres();
    t.after(() => server.remove());
    const serving = await serve(t, server.url('postgres'));
    const event = newEvent();
    await serving.store.accept(event);
    await serving.take('slack', []);
    const { token } = await claim(serving);
    const told = lost(serving);
    await server.stop();
    await told;
    assert.equal(serving.isSure, false);
    await assert.rejects(serving.store.accept(newEvent()), { code: 'RELAY_STORE_BUSY', fix: /database/ });
    await assert.rejects(serving.store.ping(), { code: 'RELAY_STORE_BUSY' });
    await assert.rejects(serving.take('slack', []), { code: 'RELAY_STORE_BUSY' });
    await assert.rejects(serving.store.events({}, { limit: 1 }), { code: 'RELAY_STORE_OPEN' });
    assert.equal(await serving.store.record(token, 't', { state: 'delivered', receipt: {} }), false);
    await server.start();
    assert.equal((await serving.store.accept(event)).duplicate, true);
    assert.equal((await serving.store.accept(newEvent())).duplicate, false);
    await takeAgain(serving, 'slack');
    await serving.store.release(['slack']);
    assert.ok((await claim(serving)).doubt);
  });

  test('processes hear what others changed, and nothing of their own', async (t) => {
    const location = await makeDatabase();
    const [one, other] = [await serve(t, location), await serve(t, location)];
    const heard: (readonly string[] | undefined)[] = [];
    const news = Promise.withResolvers<void>();
    one.store.watch((destinations) => {
      heard.push(destinations);
      if (destinations) news.resolve();
    });
    // Only what is told while it listens is heard.
    while (
      (
        await onServer(
          location,
          "SELECT 1 FROM pg_stat_activity WHERE query = 'LISTEN versive_relay' AND datname = current_database()",
        )
      ).length === 0
    );
    await one.store.accept(newEvent({ destinations: ['own'] }));
    await other.store.accept(newEvent({ destinations: ['slack', 'notion'] }));
    await news.promise;
    // The other's start is told too, without names.
    assert.deepEqual(
      heard.filter((each) => each !== undefined),
      [['slack', 'notion']],
    );
    heard.length = 0;
    const verb = await openStore(location);
    await verb.setPaused('slack', true);
    await verb.close();
    while (heard.length === 0) await wait(10);
    assert.deepEqual(heard, [undefined]);
  });

  test('the replicas know each other, their configs, and who has left', async (t) => {
    const location = await makeDatabase();
    assert.equal(await isServed(location), false);
    const [one, other] = [await serve(t, location), await serve(t, location)];
    assert.equal(await isServed(location), true);
    await one.announce('abc');
    const [mine, theirs] = [await one.replicas(), await other.replicas()];
    assert.deepEqual(
      mine.map(({ id }) => id),
      theirs.map(({ id }) => id),
    );
    assert.deepEqual(mine.map(({ self, configHash }) => [self, configHash]).sort(), [
      [false, undefined],
      [true, 'abc'],
    ]);
    assert.deepEqual([(await one.share(0)).place, (await other.share(0)).place].sort(), [0, 1]);
    await one.close();
    assert.deepEqual(await other.share(0), { processes: 1, place: 0, lacking: false });
    await other.close();
    assert.equal(await isServed(location), false);
  });

  test('the backlog stays true through every change of a delivery', async (t) => {
    const location = await makeDatabase();
    const serving = await serve(t, location);
    const { store, take } = serving;
    const same = async () => {
      const sql = `SELECT destination, count(*)::integer AS pending FROM versive_relay.delivery WHERE state = 'pending'
        GROUP BY destination ORDER BY destination`;
      const found = (await store.backlog()).map(({ destination, pending }) => ({ destination, pending }));
      assert.deepEqual(found, await onServer(location, sql));
    };
    await take('a', []);
    for (let index = 0; index < 6; index += 1) await store.accept(newEvent({ destinations: ['a', 'b'] }));
    const claims = await store.claim({ destination: 'a', target: 't', now: 1000, limit: 3, except: [] });
    await same();
    const later = { nextAttemptAt: 1, reason: 'server', detail: '', counted: true } as const;
    await store.record(claims[0]?.token ?? '', 't', { state: 'delivered', receipt: {} });
    await store.record(claims[1]?.token ?? '', 't', { state: 'failed', reason: 'invalid', detail: '', fix: '' });
    await store.record(claims[2]?.token ?? '', 't', { state: 'pending', ...later });
    await same();
    await store.discard(['d3']);
    await store.rename('a', 'c');
    await same();
    // Rows of changes are folded, and the counts stay.
    const rows = async () => Number((await onServer(location, 'SELECT count(*) FROM versive_relay.backlog'))[0]?.count);
    while ((await rows()) > 2) await wait(50);
    await same();
  });

  test('an id that no index could hold, and one that is no Unicode, keep no event out', async (t) => {
    const { store, take } = await serve(t, await makeDatabase());
    await take('slack', []);
    const long = randomBytes(5_000).toString('latin1');
    for (const subject of [long, `${long}2`, 'half \ud83d']) {
      await store.accept(newEvent({ subject, study: subject }));
      const target = long;
      const [claimed] = await store.claim({ destination: 'slack', target, now: 1000, limit: 1, except: [] });
      assert.ok(claimed);
      const except = [claimed.event.subject];
      await store.record(claimed.token, target, {
        state: 'pending',
        nextAttemptAt: 1,
        reason: 'server',
        detail: '',
        counted: true,
      });
      assert.equal(await store.nextDue('slack'), 1);
      assert.deepEqual(await store.claim({ destination: 'slack', target, now: 1000, limit: 1, except }), []);
      const [again] = await store.claim({ destination: 'slack', target, now: 1000, limit: 1, except: [] });
      assert.equal(await store.record(again?.token ?? '', target, { state: 'delivered', receipt: { long } }), true);
      assert.equal((await store.events({ interview: subject, study: subject }, { limit: 10 })).length, 1);
    }
  });

  test('a body that the disk has changed is told with its claim', async (t) => {
    const location = await makeDatabase();
    const [one, other] = [await serve(t, location), await serve(t, location)];
    await one.store.accept(newEvent());
    await onServer(location, "UPDATE versive_relay.body SET zstd = '\\x00112233'");
    await other.take('slack', []);
    assert.match((await claim(other)).damage ?? '', /cannot be read/);
  });
});
