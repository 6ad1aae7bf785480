import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import type { Interview } from '../../src/model.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { newEvent } from '../contracts/store/under-test.ts';
import { makeFolder, SIGNING_SECRET } from '../support/config.ts';
import { makePayload } from '../support/item.ts';
import { type Ran, runVerb } from '../support/verb.ts';

const HOUR = 3_600_000;

const DESTINATIONS = `destinations:
  alerts: { connector: slack, token: xoxb-hunter22, channel: C0123456789 }
  archive: { connector: file, path: ./archive.jsonl, line: { id: "{{ interview.id }}", study: "{{ study.title }}" } }
`;
const ROUTES = `routes:
  - { name: Long ones, when: { interview.active_time: { gte: 100 } }, to: [alerts, archive] }
  - { name: Teams, when: { interview.metadata.plan: team }, to: archive }
`;
const config = (destinations = DESTINATIONS, routes = ROUTES) => `store: ./relay.db
sources:
  versive: { secret: ${SIGNING_SECRET} }
${destinations}${routes}`;

interface Scene {
  folder: string;
  store: Store;
  /** Runs plan with a new config of this text. */
  plan(text: string, ...args: string[]): Promise<Ran>;
  run(...args: string[]): Promise<Ran>;
}

/**
 * As the config decides: e1 of 50 s and the plan team, to archive. e2 of 150 s and e3 of 250 s, to alerts and archive. e4 of
 * 20 s, unrouted. e5: quarantined.
 */
async function setUp(t: TestContext): Promise<Scene> {
  const folder = await makeFolder(t, { 'config.yaml': config() });
  const store = await openStore(path.join(folder, 'relay.db'));
  t.after(() => store.close());
  const keep = (id: string, rest: Partial<Interview>, routes: string[], destinations: string[]) =>
    store.accept(
      newEvent({
        subject: id,
        body: Buffer.from(JSON.stringify(makePayload({ interview: { id, metadata: {}, ...rest } }))),
        state: routes.length > 0 ? 'routed' : 'unrouted',
        receivedAt: Date.now() - HOUR,
        routes,
        destinations,
      }),
    );
  await keep('int_1', { active_time: 50, metadata: { plan: 'team' } }, ['Teams'], ['archive']);
  await keep('int_2', { active_time: 150 }, ['Long ones'], ['alerts', 'archive']);
  await keep('int_3', { active_time: 250 }, ['Long ones'], ['alerts', 'archive']);
  await keep('int_4\u001b[2J', { active_time: 20 }, [], []);
  await store.accept(newEvent({ state: 'quarantined', routes: [], destinations: [], body: Buffer.from('no') }));
  const run = (...args: string[]) => runVerb(args, { cwd: folder });
  const plan = async (text: string, ...args: string[]) => {
    await writeFile(path.join(folder, 'new.yaml'), text);
    return run('plan', 'new.yaml', ...args);
  };
  return { folder, store, plan, run };
}

function changes({ out }: Ran): unknown[] {
  return out.trim() === ''
    ? []
    : out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown);
}

describe('plan new.yaml', () => {
  test('tells who gains and who loses, and why', async (t) => {
    const { plan } = await setUp(t);
    const stricter = config(DESTINATIONS, ROUTES.replace('gte: 100', 'gte: 200').replace('plan: team', 'title: none'));
    const { code, out, err } = await plan(stricter.replace('interview.metadata.title', 'interview.title'));
    assert.equal(code, 0, err);
    assert.match(
      out,
      /^new\.yaml in place of config\.yaml, for the last 4 events \(since .*\): 2 of them gain or lose/,
    );
    assert.match(out, /\nalerts {2}−1\n {2}− {2}e2 {2}int_2 {2}study_1 {2}Long ones: .*active_time ≥ 200, it is 150\n/);
    assert.match(out, /\narchive {2}−2\n.* e2 .*Long ones.*\n.* e1 .* Teams: interview\.title is "none", it is "Ch/);
    assert.match(out, /\n2 events would go nowhere: e2 and e1\.\n/);
    assert.match(out, /\ne5 is not understood, and left out\.\n/);
    assert.doesNotMatch(out, /backfill/);
  });

  test('tells what becomes routed, and the backfill; its command is right as it stands', async (t) => {
    const { plan, run, folder } = await setUp(t);
    const wider = config(DESTINATIONS, ROUTES.replace('gte: 100', 'gte: 10'));
    const { out } = await plan(wider);
    assert.match(out, /\nalerts {2}\+2\n {2}\+ {2}e4 {2}int_4 \[2J {2}study_1 {2}Long ones\n/);
    assert.match(out, /\n1 event that went nowhere would be routed: e4\.\n/);
    const [, count, command = ''] = /makes (\d+) deliveries: versive-relay (.*)\n/.exec(out) ?? [];
    assert.equal(count, '3');
    await writeFile(path.join(folder, 'config.yaml'), wider);
    assert.match((await run(...command.split(' '), '--dry-run')).out, /: 3 deliveries of 2 events/);
  });

  test('nothing that an event holds steers the terminal', async (t) => {
    const { plan } = await setUp(t);
    const { out } = await plan(
      config(DESTINATIONS.replace('{{ study.title }}', '{{ interview.id }}'), 'routes: [{ name: A, to: archive }]\n'),
    );
    assert.match(out, /int_4/);
    assert.doesNotMatch(out.replaceAll('\n', ''), /\p{Cc}/u);
  });

  test('says why a route that sent it there does so no more', async (t) => {
    const { plan } = await setUp(t);
    const cases: [string, RegExp][] = [
      [ROUTES.replace('Teams', 'Groups').replace('plan: team', 'plan: x'), /Teams: the route is gone/],
      [ROUTES.replace('to: archive', 'enabled: false, to: archive'), /Teams: the route is disabled/],
      [ROUTES.replace('to: archive', 'to: alerts'), /e1 .*Teams: does not go there any more/],
      [
        ROUTES.replace('routes:\n', 'routes:\n  - { name: End, to: alerts, stop: true }\n'),
        /Teams: not asked, since "End" above it stops/,
      ],
    ];
    for (const [routes, why] of cases) assert.match((await plan(config(DESTINATIONS, routes))).out, why);
    const gated = config().replace(`secret: ${SIGNING_SECRET}`, `secret: ${SIGNING_SECRET}, when: { study.id: s }`);
    assert.match((await plan(gated)).out, /the source versive refuses it: study\.id is "s", it is "study_123"/);
    const moved = await plan(config().replace('  versive: {', '  other: {'));
    assert.match(moved.out, /alerts {2}−2\n.*the source versive is gone/);
  });

  test('--json gives a line for each event that changes, and one for all of it', async (t) => {
    const { plan } = await setUp(t);
    const routes = ROUTES.replace('gte: 100', 'gte: 200').replace('to: archive', 'to: [archive, alerts]');
    const ran = await plan(config(DESTINATIONS, routes), '--json');
    assert.equal(ran.code, 0);
    assert.deepEqual(changes(ran), [
      { event: 'e2', subject: 'int_2', gains: [], loses: ['alerts', 'archive'], renders: [] },
      { event: 'e1', subject: 'int_1', gains: ['alerts'], loses: [], renders: [] },
      {
        of: 4,
        unrouted: 1,
        routed: 0,
        gains: { alerts: 1 },
        loses: { alerts: 1, archive: 1 },
        changed: {},
        rejected: {},
        new: [],
        gone: [],
        renamed: {},
        moved: [],
        backfill: 1,
        restart: [],
        retention: null,
      },
    ]);
    assert.match(ran.err, /2 of them gain or lose a destination/);
    assert.deepEqual(changes(await plan(config(DESTINATIONS, routes), '--json', '--last', '4')).length, 2);
    assert.deepEqual(changes(await plan(config(), '--json')).length, 1);
  });

  test('tells whose rendered output changes, with the first difference and no secret', async (t) => {
    const { plan } = await setUp(t);
    const text = config(DESTINATIONS.replace('{{ study.title }}', '{{ study.title | upcase }}').replace('22', '33'));
    const { code, out } = await plan(text);
    assert.equal(code, 0);
    assert.match(out, /none gains or loses a destination/);
    assert.match(out, /\narchive {2}3 of the 3 events that go there either way would look different\n {2}e3, before/);
    assert.match(
      out,
      /\n {4}− line +\{"id":"int_3","study":"Checkout research"\}\n {4}\+ line .*"CHECKOUT RESEARCH"\}\n/,
    );
    // Another token changes nothing of what is sent.
    assert.doesNotMatch(out, /alerts|hunter/);
    const lines = changes(await plan(text, '--json'));
    assert.deepEqual(lines[0], { event: 'e3', subject: 'int_3', gains: [], loses: [], renders: ['archive'] });
    assert.deepEqual((lines.at(-1) as { changed: unknown }).changed, { archive: 3 });
    assert.equal(lines.length, 4);
    const broken = await plan(config(DESTINATIONS.replace('{{ study.title }}', "{{ '100%' | url_decode }}")));
    assert.match(broken.out, /\n {2}3 of them would be rejected\n[\s\S]*\+ It would be rejected: .*url_decode/);
  });

  test('tells which destinations are new, gone, renamed, disabled, or write to another place', async (t) => {
    const { plan } = await setUp(t);
    const { out } = await plan(
      config(
        `destinations:
  chat: { connector: slack, token: xoxb-hunter22, channel: C0123456780, renamed_from: alerts }
  late: { connector: file, path: ./late.jsonl, enabled: false }
`,
        'routes: [{ name: Long ones, when: { interview.active_time: { gte: 100 } }, to: [chat, late] }]\n',
      ),
    );
    assert.match(out, /\nlate is new\.\nalerts is renamed chat, /);
    assert.match(out, /\narchive is gone: 3 pending deliveries would be held\..* renamed_from: archive\n/);
    assert.match(out, /\nlate is disabled: what goes there is held\.\n/);
    assert.match(out, /another place: chat: slack:C0123456789 → slack:C0123456780\./);
    assert.doesNotMatch(out, /\n(alerts|chat) {2}[+−]/, 'a new name alone is no gain and no loss');
  });

  test('says what a retention would begin to remove', async (t) => {
    const { plan } = await setUp(t);
    const kept = await plan(`retention: 90d\n${config()}`);
    assert.match(
      kept.out,
      /\nThe bodies and deliveries of settled events older than 90d are removed, .*: versive-relay prune --older-than 90d --dry-run\n/,
    );
    const { length, [length - 1]: whole } = changes(await plan(`retention: 90d\n${config()}`, '--json'));
    assert.equal((whole as { retention?: unknown }).retention, '90d');
  });

  test('says that a changed server or store needs a restart, and where the events stay', async (t) => {
    const { plan } = await setUp(t);
    const text = `server: { port: 8181, metrics: { token: one } }\n${config().replace('./relay.db', './data/other.db')}`;
    const { code, out } = await plan(text);
    assert.equal(code, 0);
    assert.match(
      out,
      /\nserver and store change: that needs a restart; stored events stay in (\.|\/.*)\/relay\.db\.\n/,
    );
    const whole = changes(await plan(text, '--json')).at(-1) as { restart: unknown };
    assert.deepEqual(whole.restart, ['server', 'store']);
    assert.doesNotMatch((await plan(config())).out, /restart/);
  });

  test('--live asks the services of the new config', async (t) => {
    const { plan } = await setUp(t);
    const asking = (folder: string) =>
      config(
        `destinations:\n  alerts: { connector: file, path: ./out.jsonl }\n  archive: { connector: file, path: ./${folder}x }\n`,
      );
    const bad = await plan(asking('missing/'), '--live');
    assert.equal(bad.code, 1);
    assert.match(bad.out, /new\.yaml:6:\d+ destinations\.archive: /);
    const good = await plan(asking(''), '--live');
    assert.deepEqual([good.code, /all is well/.test(good.out)], [0, true]);
  });

  test('refuses configs with errors, and tells those of both files', async (t) => {
    const { plan, run, folder } = await setUp(t);
    const bad = config(DESTINATIONS, ROUTES.replace('to: archive', 'to: archiv'));
    const one = await plan(bad);
    assert.deepEqual([one.code, one.out], [78, '']);
    assert.match(one.err, /^new\.yaml:\d+:\d+ routes\[1\]\.to: no destination "archiv"/);
    await writeFile(path.join(folder, 'config.yaml'), bad);
    const both = await plan(bad);
    assert.equal(both.code, 78);
    assert.match(both.err, /^config\.yaml:.*\nnew\.yaml:/);
    assert.equal((await run('plan')).code, 78);
    assert.equal((await run('plan', '--last', '0')).code, 2);
  });
});

describe('plan', () => {
  test('compares the config with what became of the events', async (t) => {
    const { run, folder } = await setUp(t);
    const same = await run('plan');
    assert.equal(same.code, 0, same.err);
    assert.match(
      same.out,
      /^config\.yaml as it is now, for the last 4 events .*: all had the destinations that it gives/,
    );
    const routes = ROUTES.replace('gte: 100', 'gte: 200').replace('plan: team', 'plan: pro');
    await writeFile(path.join(folder, 'config.yaml'), config(DESTINATIONS, routes));
    const { out } = await run('plan');
    assert.match(out, /: 2 of them would get other destinations than they had\.\n/);
    assert.match(out, /\narchive {2}−2\n.* e2 .* Long ones: .* it is 150\n.* e1 .* Teams: .* is "pro", it is "team"\n/);
  });

  test('a delivery that someone made by hand is one that the event had', async (t) => {
    const { run, store } = await setUp(t);
    await store.add([{ event: 'e1', destinations: ['alerts'], renew: false }]);
    assert.match((await run('plan')).out, /\nalerts {2}−1\n.* e1 .* no route sends it there\n/);
  });

  test('says that nothing is stored yet, and makes no store', async (t) => {
    const folder = await makeFolder(t, { 'config.yaml': config() });
    const none = await runVerb(['plan'], { cwd: folder });
    assert.equal(none.code, 1);
    assert.match(none.err, /no store at .*relay\.db/);
    assert.deepEqual(await readdir(folder), ['config.yaml']);
    await (await openStore(path.join(folder, 'relay.db'))).close();
    const empty = await runVerb(['plan'], { cwd: folder });
    assert.equal(empty.code, 1);
    assert.match(empty.err, /There are no events yet: nothing to compare/);
  });
});
