import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { openStore } from '../../src/store/open.ts';
import type { Claim, NewEvent, Settlement, Store } from '../../src/store/store.ts';
import { newEvent } from '../contracts/store/under-test.ts';
import { makeFolder, SIGNING_SECRET } from '../support/config.ts';
import { interview } from '../support/relay.ts';
import { type Ran, runVerb } from '../support/verb.ts';

const CONFIG = `
store: ./relay.db
sources:
  versive: { secret: ${SIGNING_SECRET} }
destinations:
  alpha: { connector: file, path: ./alpha.jsonl }
  beta: { connector: file, path: ./beta.jsonl }
  fresh: { connector: file, path: ./fresh.jsonl }
  dormant: { connector: file, path: ./dormant.jsonl, enabled: false }
routes:
  - { name: Enterprise, when: { interview.metadata.plan: enterprise }, to: [alpha, fresh] }
  - { name: Team, when: { interview.metadata.plan: team }, to: beta }
`;
const FAILED: Settlement = { state: 'failed', reason: 'invalid', detail: 'bad', fix: 'Mend it.' };
const DELIVERED: Settlement = { state: 'delivered', receipt: { ts: '1' } };

/** A store in a folder with its config, and a way to run verbs there. */
interface Scene {
  folder: string;
  store: Store;
  run(...args: string[]): Promise<Ran>;
  /** What would be claimed at a destination. */
  due(destination: string): Promise<Claim[]>;
}

function event(subject: string, plan: string, rest: Partial<NewEvent> = {}): NewEvent {
  const body = Buffer.from(JSON.stringify(interview(subject, { plan })));
  return newEvent({ subject, body, routes: ['Enterprise'], destinations: ['alpha'], receivedAt: Date.now(), ...rest });
}

/**
 * e1 int_a: d1 delivered to alpha, d2 failed at beta. e2 int_b: d3 delivered to alpha. e3 int_a: d4 delivered to alpha. e4
 * int_d: unrouted, of a plan that no route takes. e5: quarantined, and no JSON. e6 int_f: quarantined by an older relay.
 */
async function setUp(t: TestContext): Promise<Scene> {
  const folder = await makeFolder(t, { 'config.yaml': CONFIG });
  const store = await openStore(path.join(folder, 'relay.db'));
  t.after(() => store.close());
  const astray = { routes: [], destinations: [] };
  const unread = { ...astray, state: 'quarantined', subject: '', study: '', eventType: '' } as const;
  await store.accept(event('int_a', 'enterprise', { destinations: ['alpha', 'beta'] }));
  await store.accept(event('int_b', 'enterprise', { study: 'study_b' }));
  await store.accept(event('int_a', 'enterprise'));
  await store.accept(event('int_d', 'free', { ...astray, state: 'unrouted' }));
  await store.accept(event('', '', { ...unread, reason: 'the body is not JSON', body: Buffer.from('no') }));
  await store.accept(event('int_f', 'team', { ...unread, reason: 'event_type: too new' }));
  const due = (destination: string) =>
    store.claim({ destination, target: 't', now: Date.now(), limit: 10, except: [] });
  const end = async (claims: Claim[], settlement: Settlement) => {
    for (const { token } of claims) await store.record(token, 't', settlement);
  };
  await end(await due('alpha'), DELIVERED);
  await end(await due('alpha'), DELIVERED);
  await end(await due('beta'), FAILED);
  return { folder, store, due, run: (...args) => runVerb(args, { cwd: folder }) };
}

/** Everything that a verb could change. */
async function everything({ store }: Scene): Promise<unknown> {
  return [await store.events({}, { limit: 100 }), await store.deliveries({}, { limit: 100 })];
}

/** Runs a verb that must change nothing. */
async function unchanged(scene: Scene, code: number, ...args: string[]): Promise<string> {
  const before = await everything(scene);
  const ran = await scene.run(...args);
  assert.equal(ran.code, code, `${args.join(' ')}: ${ran.out}${ran.err}`);
  assert.deepEqual(await everything(scene), before, args.join(' '));
  return ran.out + ran.err;
}

/** `alpha 2, beta 1` */
async function planned(scene: Scene, ...args: string[]): Promise<string> {
  const { out, err } = await scene.run('replay', ...args, '--dry-run', '--json');
  assert.notEqual(out, '', err);
  const lines = out.trim().split('\n');
  const plan = lines.map((line) => JSON.parse(line) as { destination: string; deliveries: number });
  return plan.map(({ destination, deliveries }) => `${destination} ${deliveries}`).join(', ');
}

async function deliveriesOf({ store }: Scene, event: string): Promise<string[]> {
  const deliveries = (await store.deliveriesOf([event])).get(event) ?? [];
  return deliveries.map(({ destination, state }) => `${destination} ${state}`);
}

describe('replay to where they went', () => {
  test('says what it makes first, and then brings every delivery back, to be updated in place', async (t) => {
    const scene = await setUp(t);
    const asked = await unchanged(scene, 2, 'replay', 'e1', 'e2');
    assert.match(asked, /^Replay to where they went before: 3 deliveries of 2 events \(2 interviews\)\n/);
    assert.match(asked, /\nalpha +2 +2 delivered\nbeta +1 +1 failed\nWhat was delivered is updated in place; --new/);
    assert.match(asked, /no terminal to ask on[\s\S]*--yes/);
    assert.match(await unchanged(scene, 0, 'replay', 'e1', 'e2', '--dry-run'), /this was a dry run/);
    const { out } = await scene.run('replay', 'e1', 'e2', '--yes');
    assert.match(out, /\n3 deliveries are due again\.\nNo relay is running: they will be delivered/);
    const [, second] = await scene.due('alpha');
    assert.deepEqual([second?.event.id, second?.receipt, second?.identity.generation], ['e2', { ts: '1' }, 1]);
  });

  test('filters choose events, and states and destinations deliveries', async (t) => {
    const scene = await setUp(t);
    const cases: [string[], string][] = [
      [['--since', '1d'], 'alpha 3, beta 1'],
      [['--interview', 'int_a'], 'alpha 2, beta 1'],
      [['--study', 'study_b'], 'alpha 1'],
      [['--route', 'Enterprise', '--destination', 'beta'], 'beta 1'],
      [['--state', 'failed'], 'beta 1'],
      [['--state', 'delivered', '--interview', 'int_a'], 'alpha 2'],
      [['--state', 'routed', '--destination', 'alpha'], 'alpha 3'],
    ];
    for (const [args, plan] of cases) assert.equal(await planned(scene, ...args), plan, args.join(' '));
    const { err } = await scene.run('replay', '--since', '1d', '--dry-run', '--json');
    assert.match(err, /3 events went nowhere \(2 quarantined, 1 unrouted\), so nothing is sent again; --reroute/);
  });

  test('--new posts only the newest event of an interview anew', async (t) => {
    const scene = await setUp(t);
    const { out } = await scene.run('replay', '--destination', 'alpha', '--since', '1d', '--new', '--yes');
    assert.match(out, /^Replay .* 2 deliveries of 2 events \(2 interviews\)\n/);
    assert.match(out, /\n1 delivery of an older event is left out.*\nEach is posted anew;/);
    const claims = await scene.due('alpha');
    const got = claims.map(({ event, identity, receipt }) => [event.id, identity.generation, receipt]);
    assert.deepEqual(got, [
      ['e2', 2, undefined],
      ['e3', 2, undefined],
    ]);
  });

  test('one under way comes back when it has ended', async (t) => {
    const scene = await setUp(t);
    await scene.run('replay', '--state', 'failed', '--yes');
    const [claim] = await scene.due('beta');
    const { out } = await scene.run('replay', '--destination', 'beta', '--since', '1d', '--yes', '--json');
    assert.equal(out, '{"destination":"beta","deliveries":1}\n{"replayed":1,"made":0}\n');
    await scene.store.record(claim?.token ?? '', 't', DELIVERED);
    assert.deepEqual(await deliveriesOf(scene, 'e1'), ['alpha delivered', 'beta pending']);
  });
});

describe('replay --to', () => {
  test('existing deliveries come back, missing ones are made, and what is understood by now goes too', async (t) => {
    const scene = await setUp(t);
    const { out } = await scene.run('replay', '--since', '1d', '--to', 'beta', '--yes');
    assert.match(
      out,
      /^Replay to beta: 5 deliveries of 5 events \(4 interviews\)\n.*\nbeta +5 +1 failed, 4 not there yet\n/,
    );
    assert.match(out, /\ne5 is still not understood \(the body is not JSON\) and left out\.\n/);
    assert.match(out, /\n1 delivery is due again\. 4 deliveries were made, due at once\.\n/);
    assert.deepEqual(await deliveriesOf(scene, 'e1'), ['alpha delivered', 'beta pending']);
    assert.deepEqual(await deliveriesOf(scene, 'e6'), ['beta pending']);
    const read = await scene.store.event('e6');
    assert.deepEqual([read?.state, read?.subject, read?.routes, read?.reason], ['unrouted', 'int_f', [], undefined]);
    assert.equal((await scene.store.event('e5'))?.state, 'quarantined');
    assert.equal((await scene.store.event('e4'))?.state, 'unrouted');
  });

  test('a state of deliveries chooses the events that have such a delivery', async (t) => {
    const scene = await setUp(t);
    assert.equal(await planned(scene, '--state', 'failed', '--to', 'fresh'), 'fresh 1');
    assert.equal(await planned(scene, '--state', 'delivered', '--to', 'fresh', '--new'), 'fresh 2');
  });

  test('what is held can be chosen', async (t) => {
    const scene = await setUp(t);
    await scene.run('replay', 'e2', 'e4', '--to', 'dormant', '--yes');
    assert.equal(await planned(scene, '--state', 'held'), 'dormant 2');
    assert.equal(await planned(scene, '--state', 'held', '--to', 'fresh'), 'fresh 2');
  });

  test('a disabled destination is allowed, and what it gets said to be held', async (t) => {
    const scene = await setUp(t);
    const { out } = await scene.run('replay', 'e2', '--to', 'dormant', '--yes');
    assert.match(out, /\ndormant +1 +1 not there yet\n +held: the destination is disabled\n/);
    assert.match(out, /\n1 delivery was made, due at once\.\n1 is held at dormant: .*\nfix: Take `enabled: false`/);
  });
});

describe('replay --reroute', () => {
  test("makes what today's routes say and is missing, and notes what they say; the rest stays", async (t) => {
    const scene = await setUp(t);
    const { out } = await scene.run('replay', '--reroute', '--since', '1d', '--yes');
    assert.match(out, /^Replay through today's routes: 4 deliveries of 4 events \(3 interviews\)\n/);
    assert.match(out, /\nbeta +1 +1 not there yet\nfresh +3 +3 not there yet\n/);
    assert.match(
      out,
      /\ne5 is still not understood .*left out\.\n.*No route takes 1 event: `versive-relay explain e4`/,
    );
    assert.match(out, /\n4 deliveries were made, due at once\.\n/);
    assert.deepEqual(await deliveriesOf(scene, 'e1'), ['alpha delivered', 'beta failed', 'fresh pending']);
    const read = await scene.store.event('e6');
    assert.deepEqual([read?.state, read?.subject, read?.routes], ['routed', 'int_f', ['Team']]);
    assert.equal((await scene.store.event('e4'))?.state, 'unrouted');
    const again = await unchanged(scene, 0, 'replay', '--reroute', '--since', '1d', '--yes');
    assert.match(
      again,
      /\n4 events have all deliveries that today's routes say already\.\n[\s\S]*There is nothing to do\./,
    );
  });

  test('with nothing to make, nobody is asked; with --yes other routes are noted all the same', async (t) => {
    const scene = await setUp(t);
    const renamed = CONFIG.replace('Enterprise', 'Large').replace('to: [alpha, fresh]', 'to: alpha');
    await writeFile(path.join(scene.folder, 'config.yaml'), renamed);
    const idle = await unchanged(scene, 0, 'replay', '--reroute', 'e1', 'e2');
    assert.match(idle, /\n2 events have .* already\. 2 of them came there by other routes than today's\.\n/);
    assert.match(idle, /There is nothing to do\. With --yes, the routes that take 2 events today are noted\.\n$/);
    await unchanged(scene, 0, 'replay', '--reroute', 'e1', 'e2', '--dry-run');
    const { code, out } = await scene.run('replay', '--reroute', 'e1', 'e2', '--yes');
    assert.equal(code, 0);
    assert.match(out, /\n2 events are noted as routed today\.\n$/);
    assert.deepEqual((await scene.store.event('e2'))?.routes, ['Large']);
    assert.match(await unchanged(scene, 0, 'replay', '--reroute', 'e1', 'e2'), /There is nothing to do\.\n$/);
  });

  test('with --to only that one destination is made', async (t) => {
    const scene = await setUp(t);
    assert.equal(await planned(scene, '--reroute', '--since', '1d', '--to', 'beta'), 'beta 1');
    await scene.run('replay', '--reroute', '--since', '1d', '--to', 'fresh', '--new', '--yes');
    assert.deepEqual(
      (await scene.due('fresh')).map(({ event }) => event.id),
      ['e2', 'e3'],
    );
    assert.equal((await scene.store.event('e6'))?.state, 'quarantined');
  });

  test('an event that no route takes any more stays as it was judged; one leaves quarantine all the same', async (t) => {
    const scene = await setUp(t);
    const none = CONFIG.replace('plan: enterprise', 'plan: gold').replace('plan: team', 'plan: silver');
    await writeFile(path.join(scene.folder, 'config.yaml'), none);
    const { out } = await scene.run('replay', '--reroute', 'e1', 'e6', '--yes', '--new');
    assert.match(out, /^Replay .* 0 deliveries\n/);
    assert.match(out, /\n1 event leaves quarantine: understood now, and unrouted\.\n/);
    const [kept, freed] = [await scene.store.event('e1'), await scene.store.event('e6')];
    assert.deepEqual([kept?.state, kept?.routes], ['routed', ['Enterprise']]);
    assert.deepEqual([freed?.state, freed?.subject], ['unrouted', 'int_f']);
  });
});

test('bad input changes nothing, and says what to do', async (t) => {
  const scene = await setUp(t);
  await scene.store.accept(event('int_g', 'free', { destinations: ['alpha', 'gone'] }));
  await scene.store.accept(event('int_h', 'free', { source: 'elsewhere', study: 'study_h' }));
  const cases: [code: number, args: string[], said: RegExp][] = [
    [2, [], /Nothing says which ones[\s\S]*at least `--since`/],
    [2, ['--reroute', '--yes'], /Nothing says which ones/],
    [2, ['--to', 'alpha', '--yes'], /Nothing says which ones/],
    [2, ['e1', '--since', '1d', '--yes'], /both ids \(e1\) and filters \(--since 1d\)/],
    [2, ['e1', '--reroute'], /no terminal to ask on/],
    [2, ['--state', 'lost'], /Allowed choices are/],
    [1, ['--state', 'held', '--interview', 'int_a', '--yes'], /There are no deliveries with --state held/],
    [1, ['e1', 'e999', 'x', '--yes'], /There are no events "e999" and "x"\./],
    [1, ['d1', '--yes'], /d1 is the id of a delivery: `versive-relay deliveries d1`/],
    [1, ['--study', 'none', '--yes'], /There are no events with --study none/],
    [1, ['--state', 'discarded', '--yes'], /There are no deliveries with --state discarded/],
    [1, ['--interview', 'int_g', '--yes'], /no destination "gone" \(1 delivery\)[\s\S]*others with --destination/],
    [
      1,
      ['e7', '--yes'],
      /no destination "gone"[\s\S]*renamed_from: gone`\. Or send to one destination only, with --to/,
    ],
    [1, ['e1', '--to', 'alpa', '--yes'], /no destination "alpa"\. Did you mean "alpha"/],
    [1, ['e4', '--yes'], /The event e4 went nowhere \(unrouted\)[\s\S]*`versive-relay replay e4 --reroute`/],
    [1, ['--state', 'quarantined', '--yes'], /Each of the 2 events went nowhere \(2 quarantined\)/],
    [1, ['e5', '--to', 'alpha', '--yes'], /e5 is still not understood \(the body is not JSON\)\. Nothing was changed/],
    [1, ['e5', '--reroute', '--yes'], /e5 is still not understood/],
    [1, ['e4', '--reroute', '--yes'], /No route takes e4 today[\s\S]*`versive-relay explain e4`/],
    [1, ['e1', 'e8', '--reroute', '--yes'], /The config has no source "elsewhere" \(1 event\)[\s\S]*Put it back/],
  ];
  for (const [code, args, said] of cases) assert.match(await unchanged(scene, code, 'replay', ...args), said);
  await writeFile(path.join(scene.folder, 'config.yaml'), CONFIG.replace('path: ./alpha', 'pth: ./alpha'));
  assert.match(await unchanged(scene, 78, 'replay', 'e1', '--yes'), /no option "pth"/);
});

test('the other verbs name it', async (t) => {
  const scene = await setUp(t);
  assert.match(
    (await scene.run('events', 'e4')).out,
    /next +`versive-relay explain e4` .*`versive-relay replay e4 --reroute`/,
  );
  assert.match((await scene.run('events', 'e5')).out, /next +`versive-relay replay e5 --reroute` once the relay/);
});
