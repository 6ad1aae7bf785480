import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createMetrics } from '../../src/metrics.ts';
import { Retention } from '../../src/retention.ts';
import type { Pruned, PruneRequest } from '../../src/store/store.ts';

const DAY = 86_400_000;
const HOUR = 3_600_000;
const DELAY = 60_000;

/** A retention whose clock stands still, on a store that answers as the test says. */
function setUp(t: TestContext, answer: (request: PruneRequest, index: number) => Promise<Pruned | undefined>) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const none = async () => [];
  const asked: PruneRequest[] = [];
  const lines: Record<string, unknown>[] = [];
  const log = (line: object, words: string) => void lines.push({ ...line, words });
  const config: { retention: number | undefined } = { retention: 30 * DAY };
  const metrics = createMetrics({ destinations: () => [], backlog: none, lanes: none, replicas: none });
  const retention = new Retention({
    store: { prune: (request) => answer(request, asked.push(request) - 1) },
    retention: () => config.retention,
    metrics,
    log: { debug: log, info: log, warn: log },
    delay: DELAY,
  });
  t.after(() => retention.close());
  const kept = async () => (await metrics.unprunedEvents.get()).values[0]?.value;
  return { retention, config, asked, lines, kept };
}

/** Lets whatever is due come to its end. */
async function turns(): Promise<void> {
  for (let n = 0; n < 20; n += 1) await new Promise((resolve) => setImmediate(resolve));
}

async function until(so: () => boolean): Promise<void> {
  while (!so()) await new Promise((resolve) => setImmediate(resolve));
}

const step = (after: string | undefined, removed: string[] = [], done?: string): Pruned => ({
  removed,
  deliveries: 3 * removed.length,
  failed: 1,
  pending: 2,
  after,
  done,
});

test('a pass a minute after the start and then every hour, step by step', async (t) => {
  const { asked, lines, kept } = setUp(t, async ({ after }) => (after ? step(undefined, ['e2']) : step('e1', ['e1'])));
  t.mock.timers.tick(DELAY - 1);
  await turns();
  assert.equal(asked.length, 0);
  t.mock.timers.tick(1);
  await until(() => lines.length > 0);
  assert.deepEqual(
    asked.map(({ after }) => after),
    [undefined, 'e1'],
  );
  assert.partialDeepStrictEqual(lines, [
    { step: 'events.pruned', events: 2, deliveries: 6, kept_failed: 2, kept_pending: 4 },
  ]);
  assert.equal(await kept(), 2);
  t.mock.timers.tick(HOUR);
  await until(() => lines.length > 1);
  assert.equal(asked.length, 4);
});

test('a later pass begins where all was removed before', async (t) => {
  const steps = [step('e9', ['e9'], 'e9'), step('e19', ['e12'], 'e12'), step('e29', ['e29'], 'e29'), step(undefined)];
  const { asked, lines } = setUp(t, async (_, index) => steps[index] ?? step(undefined, ['e30']));
  t.mock.timers.tick(DELAY);
  await until(() => lines.length > 0);
  t.mock.timers.tick(HOUR);
  await until(() => lines.length > 1);
  assert.deepEqual(
    asked.map(({ after }) => after),
    [undefined, 'e9', 'e19', 'e29', 'e12'],
  );
});

test('without a retention nothing is asked; one that a reload brings is soon in force, and one that it takes back at once', async (t) => {
  const scene = setUp(t, async (_, index) => {
    if (index === 1) scene.config.retention = undefined;
    return step(`e${index + 1}`, ['e1']);
  });
  const { retention, config, asked, lines, kept } = scene;
  config.retention = undefined;
  t.mock.timers.tick(DELAY);
  await turns();
  assert.equal(asked.length, 0);
  config.retention = 2 * DAY;
  retention.follow(undefined);
  const [told] = lines.splice(0);
  assert.partialDeepStrictEqual(told, { step: 'retention.changed', from: null, to: '2d' });
  t.mock.timers.tick(DELAY);
  await until(() => asked.length > 0);
  assert.ok(Math.abs(Date.now() - 2 * DAY - (asked[0]?.before ?? 0)) < HOUR);
  await until(() => lines.length > 0);
  assert.equal(asked.length, 2, 'it was taken back during the second step');
  assert.equal(await kept(), 0, 'a pass that was not whole says nothing');
});

test('a store that cannot commit is told, and asked again an hour later; while another process is at it, nothing is', async (t) => {
  const { asked, lines } = setUp(t, async (_, index) => {
    if (index === 0) throw new Error('the disk is full');
    return undefined;
  });
  t.mock.timers.tick(DELAY);
  await turns();
  assert.partialDeepStrictEqual(lines, [{ step: 'events.unpruned', error: 'the disk is full' }]);
  t.mock.timers.tick(HOUR);
  await turns();
  assert.equal(asked.length, 2);
  assert.equal(lines.length, 1);
});

test('closing waits for the step under way, and begins no other', async (t) => {
  const answer = Promise.withResolvers<Pruned>();
  const { retention, asked, lines } = setUp(t, () => answer.promise);
  t.mock.timers.tick(DELAY);
  await turns();
  let closed = false;
  const closing = retention.close().then(() => {
    closed = true;
  });
  await turns();
  assert.equal(closed, false);
  answer.resolve(step('e1', ['e1']));
  await closing;
  assert.equal(asked.length, 1);
  assert.partialDeepStrictEqual(lines, [{ step: 'events.pruned', events: 1 }]);
});

test('a changed retention is told, with the time from which more is removed', async (t) => {
  const { retention, config, lines } = setUp(t, async () => step(undefined));
  const days = (count: number | undefined) => (count === undefined ? undefined : count * DAY);
  const told = [
    [30, 36],
    [36, 1.5],
    [1.5, undefined],
    [undefined, undefined],
  ].map(([before, now]) => {
    config.retention = days(now);
    retention.follow(days(before));
    return lines.splice(0);
  });
  assert.partialDeepStrictEqual(told, [[{ from: '30d', to: '36d' }], [{ from: '36d', to: '36h' }], [{ to: null }], []]);
  const words = told.map(([line]) => String(line?.words));
  assert.match(words[0] ?? '', /^nothing younger than 36d is removed$/);
  assert.match(
    words[1] ?? '',
    /^from 2.*Z on, bodies and deliveries of settled events older than 36h are removed; take/,
  );
});
