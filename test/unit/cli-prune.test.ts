import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { openStore } from '../../src/store/open.ts';
import type { NewEvent, Settlement, Store } from '../../src/store/store.ts';
import { newEvent } from '../contracts/store/under-test.ts';
import { makeFolder, SIGNING_SECRET } from '../support/config.ts';
import { interview } from '../support/relay.ts';
import { type Ran, runVerb } from '../support/verb.ts';

const DAY = 86_400_000;
const CONFIG = `
store: ./relay.db
sources:
  versive: { secret: ${SIGNING_SECRET} }
destinations:
  alpha: { connector: file, path: ./alpha.jsonl }
  fresh: { connector: file, path: ./fresh.jsonl }
routes:
  - { name: all, to: alpha }
`;
const FAILED: Settlement = { state: 'failed', reason: 'invalid', detail: 'bad', fix: 'Mend it.' };
const DELIVERED: Settlement = { state: 'delivered', receipt: { ts: '1' } };

interface Scene {
  store: Store;
  run(...args: string[]): Promise<Ran>;
}

/** Old ones: e1 delivered, e2 failed, e3 unrouted, e4 pending. e5 came today, and was delivered. */
async function setUp(t: TestContext, config = CONFIG): Promise<Scene> {
  const folder = await makeFolder(t, { 'config.yaml': config });
  const store = await openStore(path.join(folder, 'relay.db'));
  t.after(() => store.close());
  const accept = (subject: string, days: number, rest: Partial<NewEvent> = {}) => {
    const body = Buffer.from(JSON.stringify(interview(subject)));
    return store.accept(
      newEvent({ subject, body, destinations: ['alpha'], receivedAt: Date.now() - days * DAY, ...rest }),
    );
  };
  const settle = async (settlement: Settlement) => {
    const claims = await store.claim({ destination: 'alpha', target: 't', now: Date.now(), limit: 1, except: [] });
    for (const { token } of claims) await store.record(token, 't', settlement);
  };
  await accept('int_a', 100);
  await settle(DELIVERED);
  await accept('int_b', 100);
  await settle(FAILED);
  await accept('int_c', 100, { state: 'unrouted', destinations: [], routes: [] });
  await accept('int_d', 95, { destinations: ['fresh'] });
  await accept('int_e', 0);
  await settle(DELIVERED);
  return { store, run: (...args) => runVerb(args, { cwd: folder }) };
}

const removed = async ({ store }: Scene) =>
  (await store.events({}, { limit: 10 })).filter(({ removedAt }) => removedAt !== undefined).map(({ id }) => id);

describe('prune', () => {
  test('says first what it would remove, and what stays, and removes it with --yes', async (t) => {
    const scene = await setUp(t);
    const dry = await scene.run('prune', '--older-than', '90d', '--dry-run');
    assert.equal(dry.code, 0, dry.err);
    assert.match(dry.out, /^Received before .*: 2 bodies and 1 delivery to remove\.\n/);
    assert.match(dry.out, /1 older event stays, since a delivery failed: `versive-relay deliveries --state failed`/);
    assert.match(dry.out, /1 older event stays, since something of it still waits\./);
    assert.match(dry.err, /dry run/);
    const json = await scene.run('prune', '--older-than', '90d', '--dry-run', '--json');
    const counts = { events: 2, deliveries: 1, kept_failed: 1, kept_pending: 1 };
    const { before, ...shape } = JSON.parse(json.out);
    assert.deepEqual(shape, { ...counts, state: 'due' });
    assert.ok(Math.abs(Date.now() - 90 * DAY - Date.parse(before)) < DAY);
    assert.deepEqual(await removed(scene), []);

    const asked = await scene.run('prune', '--older-than', '90d');
    assert.equal(asked.code, 2);
    assert.match(asked.err, /no terminal to ask on/);
    const done = await scene.run('prune', '--older-than', '90d', '--yes');
    assert.equal(done.code, 0, done.err);
    assert.match(done.out, /The bodies of 2 events and 1 delivery were removed\.\n$/);
    assert.deepEqual(await removed(scene), ['e3', 'e1']);
    const again = await scene.run('prune', '--older-than', '90d', '--yes', '--json');
    assert.partialDeepStrictEqual(JSON.parse(again.out), { events: 0, state: 'due' });
    await scene.store.discard(['d2']);
    const last = await scene.run('prune', '--older-than', '90d', '--yes', '--json');
    assert.partialDeepStrictEqual(JSON.parse(last.out), { events: 1, deliveries: 1, kept_failed: 0, state: 'pruned' });
  });

  test('takes the age from the config, and wants one', async (t) => {
    const scene = await setUp(t, `${CONFIG}\nretention: 98d`);
    assert.equal(JSON.parse((await scene.run('prune', '--dry-run', '--json')).out).kept_pending, 0);
    const none = await setUp(t);
    for (const args of [[], ['--older-than', '5h'], ['--older-than', 'old'], ['--older-than', '999999999d']]) {
      const { code, err } = await none.run('prune', '--dry-run', ...args);
      assert.equal(code, 2, err);
      assert.match(err, /fix .*90d/);
    }
  });
});

describe('an event whose body was removed', () => {
  async function pruned(t: TestContext): Promise<Scene> {
    const scene = await setUp(t);
    await scene.store.prune({ before: Date.now() - 90 * DAY });
    return scene;
  }

  test('is listed and shown with what is known of it', async (t) => {
    const { run } = await pruned(t);
    assert.match((await run('events')).out, /^e1 .*int_a.*removed$/m);
    const shown = (await run('events', 'e1')).out;
    assert.match(shown, /body +removed .*, with its deliveries/);
    assert.doesNotMatch(shown, /size|damage|next/);
    const json = JSON.parse((await run('events', 'e1', '--json')).out);
    assert.match(json.removed_at, /^20\d\d-/);
    assert.deepEqual([json.state, json.deliveries], ['routed', []]);
    assert.equal('removed_at' in JSON.parse((await run('events', 'e2', '--json')).out), false);
    assert.equal((await run('deliveries', 'd1')).code, 1);
  });

  test('cannot be looked into, which explain and preview say', async (t) => {
    const { run } = await pruned(t);
    for (const verb of ['explain', 'preview']) {
      const { code, err } = await run(verb, 'e1');
      assert.equal(code, 1);
      assert.match(err, /e1 cannot be looked into: its body was removed .* \(RELAY_STATE\)\n +fix .*events e1/);
    }
  });

  test('is not run again: alone that is an error, among others it is left out and counted', async (t) => {
    const scene = await pruned(t);
    for (const args of [[], ['--to', 'fresh'], ['--reroute']]) {
      const { code, err } = await scene.run('replay', 'e1', ...args, '--yes');
      assert.equal(code, 1);
      assert.match(err, /e1: the body was removed, since it was old\. Nothing was changed\. \(RELAY_STATE\)/);
    }
    const some = await scene.run('replay', 'e1', 'e5', '--dry-run');
    assert.match(some.out, /1 delivery of 1 event/);
    assert.match(some.out, /e1: the body was removed, since it was old\. Left out\./);
    for (const args of [['--to', 'fresh'], ['--reroute'], []]) {
      const bulk = await scene.run('replay', '--since', '200d', ...args, '--dry-run');
      assert.equal(bulk.code, 0, bulk.err);
      assert.match(bulk.out, /e3 and e1: the bodies were removed, since they were old\. Left out\./);
    }
    const none = await scene.run('replay', '--until', '99d', '--interview', 'int_c', '--reroute', '--yes');
    assert.match(none.err, /e3: the body was removed.*Nothing was changed/);
  });

  test('counts for no plan, which says how many it left out', async (t) => {
    const { run } = await pruned(t);
    const { code, out } = await run('plan');
    assert.equal(code, 0);
    assert.match(out, /for the last 3 events/);
    assert.match(out, /2 older events were left out: their bodies were removed\./);
  });
});
