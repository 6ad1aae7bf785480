import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, test } from 'node:test';
import { configText, interview, post, type RunningRelay, Sink, startRelay } from '../support/relay.ts';
import { runVerb } from '../support/verb.ts';

/** Calls that a webhook destination has under way at most. */
const WIDTH = 32;

let sink: Sink;
let relay: RunningRelay;
/** Requests that the sink has not answered yet. */
let open: ServerResponse[];

beforeEach(async () => {
  open = [];
  sink = await Sink.start();
});
afterEach(async () => {
  answerAll();
  await relay.stop();
  await sink.close();
});

const hook = (timeout = '30s') =>
  configText(`destinations:
  hook: { connector: webhook, url: "${sink.url}", pace: { calls: 10000, per: 1s }, retry: [50ms], timeout: ${timeout} }
routes:
  - { name: all, to: hook }
`);

function holdAll(): void {
  sink.answer = (_request, response) => open.push(response);
}

/** Answers what is open, and from now on whatever comes. */
function answerAll(): void {
  sink.answer = (_request, response) => response.writeHead(204).end();
  for (const response of open.splice(0)) response.writeHead(204).end();
}

/** Posts so many events, some at a time, and gives their ids. */
async function flood(count: number, more: (posted: number) => Promise<void> = async () => {}): Promise<string[]> {
  let posted = 0;
  const accepted: string[] = [];
  const sender = async () => {
    while (posted < count) {
      posted += 1;
      const { status, body } = await post(relay, interview(`int_${posted}`));
      assert.equal(status, 202);
      accepted.push(body.event ?? '');
      await more(accepted.length);
    }
  };
  await Promise.all(Array.from({ length: 8 }, sender));
  return accepted;
}

const delivered = async (count: number) => {
  const ended = () => relay.log.all.filter(({ step, state }) => step === 'delivery.attempted' && state === 'delivered');
  while (ended().length < count) await new Promise((resolve) => relay.log.once('line', resolve));
};
const ids = () => sink.requests.map(({ headers }) => headers['webhook-id']);

test('a destination never has more calls under way than it takes, and gets each event once', async () => {
  relay = await startRelay(hook());
  holdAll();
  const all = await flood(3 * WIDTH);
  await sink.got(WIDTH);
  // One that has ended lets one more begin.
  for (let more = 1; more <= WIDTH; more += 1) {
    assert.equal(open.length, WIDTH);
    open.shift()?.writeHead(204).end();
    await sink.got(WIDTH + more);
  }
  answerAll();
  await delivered(all.length);
  assert.equal(ids().length, all.length);
  assert.equal(new Set(ids()).size, all.length);
});

test('what is tried again is not kept waiting by events that keep coming', async () => {
  relay = await startRelay(hook());
  sink.answer = (_request, response) => response.writeHead(410).end();
  await post(relay, interview('first'));
  await relay.log.step('delivery.attempted', ({ state }) => state === 'failed');
  holdAll();
  await flood(2 * WIDTH);
  await sink.got(1 + WIDTH);
  assert.equal((await runVerb(['retry', 'd1', '--yes'], { cwd: relay.folder })).code, 0);
  // From now on, one comes for each that ends.
  const tries = () => sink.requests.filter(({ body }) => body.includes('"first"')).length;
  for (let more = 1; tries() === 1; more += 1) {
    assert.ok(more < 20 * WIDTH, 'all others were sent before');
    await post(relay, interview(`more_${more}`));
    open.shift()?.writeHead(204).end();
    await sink.got(1 + WIDTH + more);
  }
});

test('a destination that changes while events pour in loses none, and gets none twice', async () => {
  relay = await startRelay(hook());
  const all = await flood(200, async (accepted) => {
    if (accepted % 50 !== 0) return;
    await writeFile(relay.file, hook(`${accepted}s`));
    assert.equal(await relay.app.reload(), true);
  });
  await delivered(all.length);
  assert.equal(ids().length, all.length);
  assert.equal(new Set(ids()).size, all.length);
});

test('a Retry-After holds all that waits for its turn, and costs it nothing', async () => {
  relay = await startRelay(hook());
  holdAll();
  const all = await flood(2 * WIDTH);
  await sink.got(WIDTH);
  open.shift()?.writeHead(429, { 'retry-after': '1' }).end();
  await relay.log.step('delivery.attempted', ({ reason }) => reason === 'rate_limited');
  answerAll();
  await delivered(all.length);
  assert.equal(ids().length, all.length + 1);
  assert.equal(new Set(ids()).size, all.length);
  const attempts = relay.log.all.filter(({ step }) => step === 'delivery.attempted').map(({ attempt }) => attempt);
  assert.deepEqual(new Set(attempts), new Set([1]));
});

test('what waits for its turn when its destination is halted is not sent, and flows on resume', async () => {
  relay = await startRelay(hook());
  holdAll();
  const all = await flood(2 * WIDTH);
  await sink.got(WIDTH);
  open.shift()?.writeHead(401).end();
  await relay.log.step('lane.halted');
  const underWay = open.length;
  answerAll();
  await delivered(underWay);
  const pending = await relay.app.store.deliveries({ state: 'pending' }, { limit: 100 });
  assert.equal(pending.length, all.length - underWay);
  assert.equal(sink.requests.length, WIDTH);
  assert.equal((await runVerb(['resume', 'hook'], { cwd: relay.folder })).code, 0);
  await delivered(all.length);
  assert.equal(ids().length, all.length + 1);
  assert.equal(new Set(ids()).size, all.length);
  const attempts = relay.log.all.filter(({ step }) => step === 'delivery.attempted').map(({ attempt }) => attempt);
  assert.deepEqual(new Set(attempts), new Set([1]));
});
