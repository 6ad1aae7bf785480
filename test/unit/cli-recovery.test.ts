import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { lockStore } from '../../src/store/lock.ts';
import { openStore } from '../../src/store/open.ts';
import type { Settlement, Store } from '../../src/store/store.ts';
import { newEvent } from '../contracts/store/under-test.ts';
import { makeFolder, SIGNING_SECRET } from '../support/config.ts';
import { type Ran, runVerb } from '../support/verb.ts';

const CONFIG = `
store: ./relay.db
sources:
  versive: { secret: ${SIGNING_SECRET} }
destinations:
  alpha: { connector: file, path: ./alpha.jsonl }
  beta: { connector: file, path: ./beta.jsonl }
  dormant: { connector: file, path: ./dormant.jsonl, enabled: false }
routes:
  - { name: all, to: [alpha, beta, dormant] }
`;
const LINK = 'https://slack.test/archives/C1/p1';
const FAILED: Settlement = { state: 'failed', reason: 'invalid', detail: 'bad', fix: 'Mend it.' };
const DELIVERED: Settlement = { state: 'delivered', receipt: { url: LINK } };
const WAITING: Settlement = {
  state: 'pending',
  nextAttemptAt: Date.now() + 3_600_000,
  reason: 'server',
  detail: '503',
  counted: true,
};

/** A store in a folder with its config, and a way to run verbs there. */
interface Scene {
  folder: string;
  store: Store;
  run(...args: string[]): Promise<Ran>;
  /** Every delivery, as far as a verb could change it. */
  deliveries(): Promise<string[]>;
}

/**
 * int_a: d1 delivered to alpha, d2 failed at beta; int_b: d3 failed at alpha, d4 waits at beta, d5 is held at dormant, d6
 * at a destination that is gone.
 */
async function setUp(t: TestContext): Promise<Scene> {
  const folder = await makeFolder(t, { 'config.yaml': CONFIG });
  const store = await openStore(path.join(folder, 'relay.db'));
  t.after(() => store.close());
  await store.accept(newEvent({ subject: 'int_a', destinations: ['alpha', 'beta'] }));
  await store.accept(newEvent({ subject: 'int_b', destinations: ['alpha', 'beta', 'dormant', 'gone'] }));
  await end(store, 'alpha', [DELIVERED, FAILED]);
  await end(store, 'beta', [FAILED, WAITING]);
  return {
    folder,
    store,
    run: (...args) => runVerb(args, { cwd: folder }),
    async deliveries() {
      const all = await store.deliveries({}, { limit: 100 });
      return all
        .map(({ id, state, attempts, nextAttemptAt }) => `${id} ${state} ${attempts} ${nextAttemptAt}`)
        .reverse();
    },
  };
}

async function end(store: Store, destination: string, settlements: Settlement[]): Promise<void> {
  const claims = await store.claim({ destination, target: 't', now: Date.now(), limit: 10, except: [] });
  for (const [index, settlement] of settlements.entries()) {
    await store.record(claims[index]?.token ?? '', 't', settlement);
  }
}

async function stateOf({ store }: Scene, ...ids: string[]): Promise<(string | undefined)[]> {
  return Promise.all(ids.map(async (id) => (await store.delivery(id))?.state));
}

/** Runs a verb that must change nothing. */
async function refused(scene: Scene, code: number, ...args: string[]): Promise<string> {
  const before = await scene.deliveries();
  const ran = await scene.run(...args);
  assert.equal(ran.code, code, `${args.join(' ')}: ${ran.out}${ran.err}`);
  assert.deepEqual(await scene.deliveries(), before, args.join(' '));
  return ran.out + ran.err;
}

describe('retry', () => {
  test('ids bring failed, discarded and waiting deliveries back, due at once, without a question', async (t) => {
    const scene = await setUp(t);
    await scene.store.discard(['d2']);
    const { code, out } = await scene.run('retry', 'd2', 'd3', 'd4', 'd3');
    assert.equal(code, 0);
    assert.equal(
      out,
      '3 deliveries are due again.\nNo relay is running: they will be delivered when the relay starts (`versive-relay serve`).\n',
    );
    for (const id of ['d2', 'd3', 'd4']) {
      const delivery = await scene.store.delivery(id);
      assert.deepEqual([delivery?.state, delivery?.attempts], ['pending', 0]);
      assert.ok((delivery?.nextAttemptAt ?? Number.POSITIVE_INFINITY) <= Date.now());
    }
  });

  test('without anything it is all that failed: counted, and done with --yes', async (t) => {
    const scene = await setUp(t);
    const asked = await refused(scene, 2, 'retry');
    assert.match(
      asked,
      /^Retry: 2 deliveries of 2 events \(2 interviews\)\nDESTINATION +DELIVERIES +NOW\nalpha +1 +1 failed\n/,
    );
    assert.match(asked, /Nothing was changed: there is no terminal to ask on\. .*\n +fix Give --yes to go on/);
    assert.match(await refused(scene, 0, 'retry', '--dry-run', '--yes'), /this was a dry run/);
    const { out, err } = await scene.run('retry', '--yes', '--json');
    assert.deepEqual(
      out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
      [{ destination: 'alpha', deliveries: 1 }, { destination: 'beta', deliveries: 1 }, { retried: 2 }],
    );
    assert.match(err, /2 deliveries are due again/);
    assert.deepEqual(await stateOf(scene, 'd1', 'd2', 'd3'), ['delivered', 'pending', 'pending']);
    assert.match(await refused(scene, 1, 'retry'), /There are no deliveries with --state failed\./);
  });

  test('filters and states choose', async (t) => {
    const scene = await setUp(t);
    const cases: [string[], object][] = [
      [['--destination', 'beta'], { destination: 'beta', deliveries: 1 }],
      [['--interview', 'int_b'], { destination: 'alpha', deliveries: 1 }],
      [['--state', 'pending', '--destination', 'beta'], { destination: 'beta', deliveries: 1 }],
      [['--state', 'held', '--destination', 'dormant'], { destination: 'dormant', deliveries: 1 }],
    ];
    for (const [args, plan] of cases) {
      const { out } = await scene.run('retry', ...args, '--json', '--dry-run');
      assert.deepEqual(JSON.parse(out), plan, args.join(' '));
    }
  });

  test('what stays held is said, with what lets it flow; what flows is delivered by the running relay', async (t) => {
    const scene = await setUp(t);
    await scene.run('pause', 'beta');
    const lock = await lockStore(path.join(scene.folder, 'relay.db'));
    const { out } = await scene.run('retry', 'd2', 'd3', 'd5');
    await lock.release();
    assert.match(
      out,
      /^3 deliveries are due again\.\nThe running relay delivers now, as soon as each service lets it; `versive-relay deliveries --state pending`/,
    );
    assert.match(out, /\n1 is held at beta: the destination is paused\nfix: .*`versive-relay resume beta`/);
    assert.match(out, /\n1 is held at dormant: the destination is disabled\nfix: Take `enabled: false` out/);
  });

  test('one under way is counted, and comes back when it fails', async (t) => {
    const scene = await setUp(t);
    await scene.run('retry', 'd3');
    const [claim] = await scene.store.claim({
      destination: 'alpha',
      target: 't',
      now: Date.now(),
      limit: 1,
      except: [],
    });
    assert.match((await scene.run('retry', 'd3')).out, /^1 delivery is due again\.\n/);
    await scene.store.record(claim?.token ?? '', 't', FAILED);
    assert.deepEqual(await stateOf(scene, 'd3'), ['pending']);
  });
});

describe('discard', () => {
  test('gives up what is pending, held or failed, keeps the events, and says how to undo it', async (t) => {
    const scene = await setUp(t);
    const { out } = await scene.run('discard', '--interview', 'int_b', '--yes');
    assert.match(out, /^Discard: 4 deliveries of 1 event .*\n.*\n(?:.+\n)*beta +1 +1 pending\n/);
    assert.match(
      out,
      /\n4 deliveries are discarded\. The events are kept\.\nBack with: versive-relay retry d3 d4 d5 d6\n$/,
    );
    assert.deepEqual(await stateOf(scene, 'd2', 'd3', 'd4', 'd5', 'd6'), ['failed', ...Array(4).fill('discarded')]);
    assert.equal((await scene.store.events({}, { limit: 10 })).length, 2);
    const again = await scene.run('discard', 'd3', 'd2', '--json');
    assert.equal(again.out, '{"destination":"beta","deliveries":1}\n{"discarded":1}\n');
    assert.match(again.err, /^d3 is discarded already\.\n/);
    assert.match(await refused(scene, 0, 'discard', 'd3'), /^d3 is discarded already\.\n$/);
  });

  test('a state chooses, and nothing at all is wrong usage', async (t) => {
    const scene = await setUp(t);
    for (const [state, destinations] of [
      ['failed', ['alpha', 'beta']],
      ['held', ['dormant', 'gone']],
      ['pending', ['beta', 'dormant', 'gone']],
    ] as const) {
      const { out } = await scene.run('discard', '--state', state, '--dry-run', '--json');
      const named = out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).destination);
      assert.deepEqual(named, destinations, state);
    }
    assert.match(
      await refused(scene, 2, 'discard', '--yes'),
      /Nothing says which ones[\s\S]*fix Give ids such as d7, or a filter/,
    );
    assert.match(await refused(scene, 2, 'discard', '--state', 'failed'), /fix Give --yes/);
  });
});

test('bad input changes nothing, and says what to do', async (t) => {
  const scene = await setUp(t);
  const cases: [code: number, args: string[], said: RegExp][] = [
    [
      1,
      ['retry', 'd3', 'd1'],
      /d1 \(alpha, https:\S+\) was delivered\. Nothing.*\n.*`versive-relay replay e1 --to alpha`/,
    ],
    [1, ['discard', 'd3', 'd1'], /d1 .* was delivered\. Nothing was changed/],
    [
      1,
      ['retry', 'd3', 'd999', 'seven'],
      /There are no deliveries "d999" and "seven"\.[\s\S]*`versive-relay deliveries` lists/,
    ],
    [1, ['discard', 'e1'], /There is no delivery "e1"\.[\s\S]*e1 is the id of an event: `versive-relay events e1`/],
    [2, ['retry', 'd3', '--destination', 'alpha'], /both ids \(d3\) and filters \(--destination alpha\)/],
    [2, ['discard', 'd3', '--state', 'failed', '--yes'], /both ids/],
    [2, ['retry', '--state', 'delivered'], /Allowed choices are failed, discarded, pending, held/],
    [2, ['retry', '--since', 'yesterday'], /"yesterday" is no time/],
    [
      1,
      ['retry', '--destination', 'alpa', '--yes'],
      /no deliveries with --state failed --destination alpa[\s\S]*Did you mean "alpha"/,
    ],
    [1, ['discard', '--study', 'none', '--yes'], /There are no pending or failed deliveries with --study none\./],
    [
      1,
      ['retry', 'd3', 'd6'],
      /The config has no destination "gone" \(1 delivery\)\. Nothing.*\n.*Put "gone" back, or .*`renamed_from: gone`/,
    ],
    [1, ['retry', '--state', 'pending', '--yes'], /no destination "gone"[\s\S]*Or choose others with --destination/],
  ];
  for (const [code, args, said] of cases) assert.match(await refused(scene, code, ...args), said);
});

test('both go on beside a config with errors, without a look at destinations', async (t) => {
  const scene = await setUp(t);
  await writeFile(path.join(scene.folder, 'config.yaml'), CONFIG.replace('path: ./alpha', 'pth: ./alpha'));
  const retried = await scene.run('retry', 'd3', 'd6');
  assert.match(retried.out, /^2 deliveries are due again/, retried.err);
  assert.match((await scene.run('discard', '--state', 'pending', '--yes')).out, /\n4 deliveries are discarded/);
});

test('the other verbs name them', async (t) => {
  const scene = await setUp(t);
  assert.match(
    (await scene.run('deliveries', 'd3')).out,
    /next +`versive-relay retry d3` once .* `versive-relay discard d3`/,
  );
  assert.match(
    (await scene.run('deliveries', '--destination', 'alpha')).out,
    /\nOnce that is mended: versive-relay retry d3\n/,
  );
  await scene.run('discard', 'd3');
  assert.match((await scene.run('deliveries', 'd3')).out, /next +`versive-relay retry d3` brings it back\n/);
});

test('a delivery that may be there twice says so, delivered as it is', async (t) => {
  const scene = await setUp(t);
  await scene.run('retry', 'd3');
  const note = { detail: 'It may be there twice.', fix: 'Look, and take one away.' };
  await end(scene.store, 'alpha', [{ state: 'delivered', receipt: {}, note }]);
  const list = await scene.run('deliveries', '--state', 'delivered');
  assert.match(list.out, /d3 +e2 +alpha +delivered .*\n +It may be there twice\.\n +fix: Look, and take one away\.\n/);
  assert.match((await scene.run('deliveries', 'd3')).out, /detail +It may be there twice\.\n +fix +Look/);
});
