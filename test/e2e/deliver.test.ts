import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, type TestContext, test } from 'node:test';
import { configText, interview, pausesOf, post, type RunningRelay, Sink, startRelay } from '../support/relay.ts';
import { runVerb } from '../support/verb.ts';

let sink: Sink;
let relay: RunningRelay;

beforeEach(async () => {
  sink = await Sink.start();
});
afterEach(async () => {
  await relay.stop();
  await sink.close();
});

/** One webhook destination, with quick retries. */
function oneHook(options = 'retry: [50ms, 50ms]'): string {
  return configText(`destinations:
  hook:
    connector: webhook
    url: ${sink.url}
    ${options}
routes:
  - { name: all, to: hook }
`);
}

/** The webhook of `oneHook`, and beside it one whose deliveries tell how far the relay has come. */
async function hookAndFence(t: TestContext, options: string): Promise<Sink> {
  const fence = await Sink.start();
  t.after(() => fence.close());
  relay = await startRelay(
    configText(`destinations:
  hook: { connector: webhook, url: "${sink.url}", ${options} }
  fence: { connector: webhook, url: "${fence.url}" }
routes:
  - { name: all, to: [hook, fence] }
`),
  );
  return fence;
}

const fail = (status: number, headers: Record<string, string> = {}) => {
  sink.answer = (_request, response) => response.writeHead(status, headers).end();
};
const succeed = () => {
  sink.answer = (_request, response) => response.writeHead(204).end();
};
const attempted = (state: string) => relay.log.step('delivery.attempted', (line) => line.state === state);
const deliveredTo = (destination: string, subject: string) =>
  relay.log.step(
    'delivery.attempted',
    (line) => line.destination === destination && line.subject === subject && line.state === 'delivered',
  );

test('an acknowledged event reaches every destination that it was routed to', async () => {
  relay = await startRelay(
    configText(`destinations:
  hook: { connector: webhook, url: "${sink.url}" }
  lines: { connector: file, path: ./lines.jsonl }
routes:
  - { name: everything, to: [hook, lines] }
  - { name: again, to: hook }
`),
  );
  const answer = await post(relay, interview('int_1'));
  assert.equal(answer.body.deliveries, 2);
  await relay.log.step('delivery.attempted', ({ destination }) => destination === 'hook');
  await relay.log.step('delivery.attempted', ({ destination }) => destination === 'lines');
  assert.deepEqual(JSON.parse(sink.requests[0]?.body ?? ''), interview('int_1'));
  const line = JSON.parse(await readFile(path.join(relay.folder, 'lines.jsonl'), 'utf8'));
  assert.equal(line.event.interview.id, 'int_1');
  assert.equal(sink.requests.length, 1);
});

test('a failure is tried again by the schedule, and arrives', async () => {
  relay = await startRelay(oneHook());
  fail(500);
  await post(relay);
  await attempted('pending');
  succeed();
  const line = await attempted('delivered');
  assert.ok(Number(line.attempt) >= 2);
  assert.equal(new Set(sink.requests.map(({ headers }) => headers['webhook-id'])).size, 1, 'one id for every try');
});

test('when the schedule is used up the delivery is failed, with the reason and a fix', async () => {
  relay = await startRelay(oneHook());
  fail(500);
  const { body } = await post(relay);
  await attempted('failed');
  const [delivery] = (await relay.app.store.deliveriesOf([body.event ?? ''])).get(body.event ?? '') ?? [];
  assert.equal(delivery?.state, 'failed');
  assert.equal(delivery?.attempts, 3);
  assert.equal(delivery?.reason, 'server');
  assert.match(delivery?.detail ?? '', /500/);
  assert.match(delivery?.fix ?? '', /3 times/);
});

test('a reject fails at once: no second call', async () => {
  relay = await startRelay(oneHook());
  fail(410);
  await post(relay);
  const line = await attempted('failed');
  assert.equal(line.attempt, 1);
  assert.equal(sink.requests.length, 1);
});

test('Retry-After stops every call to the service, and costs no attempt', async () => {
  relay = await startRelay(oneHook());
  sink.answer = (_request, response) => response.writeHead(429, { 'retry-after': '1' }).end();
  await post(relay, interview('int_1'));
  await attempted('pending');
  succeed();
  const paused = await pausesOf(relay);
  assert.equal(paused.length, 1, 'the pause is stored');
  const before = sink.requests.length;
  await post(relay, interview('int_2'));
  await relay.log.step('delivery.attempted', ({ subject, state }) => subject === 'int_1' && state === 'delivered');
  await relay.log.step('delivery.attempted', ({ subject, state }) => subject === 'int_2' && state === 'delivered');
  assert.ok(Date.now() >= (paused[0] ?? 0), 'nothing came before its time');
  assert.equal(sink.requests.length, before + 2);
  const lines = relay.log.all.filter(({ step, state }) => step === 'delivery.attempted' && state === 'delivered');
  assert.deepEqual(new Set(lines.map(({ attempt }) => attempt)), new Set([1]), 'the refused try was not counted');
});

test('a bad credential halts the lane: its deliveries wait, and flow on resume', async () => {
  relay = await startRelay(oneHook());
  fail(401);
  await post(relay, interview('int_1'));
  const halted = await relay.log.step('lane.halted');
  assert.equal(halted.reason, 'auth');
  await post(relay, interview('int_2'));
  const [lane] = await relay.app.store.lanes();
  assert.equal(lane?.halt?.reason, 'auth');
  const list = await runVerb(['deliveries', '--state', 'held', '--json'], { cwd: relay.folder });
  const held = list.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.equal(held.length, 2);
  assert.equal(sink.requests.length, 1, 'what waits behind a halt calls nothing');
  succeed();
  const resumed = await runVerb(['resume', 'hook'], { cwd: relay.folder });
  assert.equal(resumed.code, 0, resumed.err);
  await sink.got(3);
  for (const subject of ['int_1', 'int_2']) await deliveredTo('hook', subject);
});

test('a paused destination receives and holds, and a running relay acts on pause and resume', async (t) => {
  const fence = await hookAndFence(t, 'retry: [50ms]');
  fence.answer = (_request, response) => response.writeHead(401).end();
  await post(relay, interview('int_1'));
  await deliveredTo('hook', 'int_1');
  await relay.log.step('lane.halted');
  fence.answer = (_request, response) => response.writeHead(204).end();
  for (const args of [
    ['pause', 'hook'],
    ['resume', 'fence'],
  ]) {
    const { code, err } = await runVerb(args, { cwd: relay.folder });
    assert.equal(code, 0, err);
  }
  // The relay looks at all lanes at once: when it has seen that the fence flows, it knows of the pause.
  await deliveredTo('fence', 'int_1');
  for (const subject of ['int_2', 'int_3', 'int_4']) {
    const { body } = await post(relay, interview(subject));
    assert.equal(body.deliveries, 2);
    await deliveredTo('fence', subject);
    const held = (await relay.app.store.deliveriesOf([body.event ?? ''])).get(body.event ?? '');
    const { state, attempts } = held?.find(({ destination }) => destination === 'hook') ?? {};
    assert.deepEqual({ state, attempts }, { state: 'pending', attempts: 0 });
  }
  assert.equal(sink.requests.length, 1, 'nothing arrives while it is paused');
  await runVerb(['resume', 'hook'], { cwd: relay.folder });
  for (const subject of ['int_2', 'int_3', 'int_4']) await deliveredTo('hook', subject);
  assert.equal(sink.requests.length, 4);
});

test('a service that is down opens the breaker: one probe at a time, and everything flows when it is back', async (t) => {
  await hookAndFence(t, 'retry: [1h]');
  let open = 0;
  let most = 0;
  let held: (() => void) | undefined;
  sink.answer = (_request, response) => response.destroy();
  const began = Date.now();
  // As many failures as open it, and none of them comes back by itself.
  for (let n = 0; n < 5; n += 1) await post(relay, interview(`int_${n}`));
  await relay.log.step('breaker.opened');
  assert.equal(sink.requests.length, 5);

  sink.answer = (_request, response) => {
    open += 1;
    most = Math.max(most, open);
    held = () => {
      open -= 1;
      response.writeHead(204).end();
    };
  };
  for (let n = 5; n < 25; n += 1) await post(relay, interview(`int_${n}`));
  await sink.got(6);
  assert.ok(Date.now() - began >= 5_000, 'the probe did not come before its time');
  // While the probe is under way: whatever else were let through would have come before the fence has taken these.
  for (let n = 25; n < 28; n += 1) {
    await post(relay, interview(`int_${n}`));
    await deliveredTo('fence', `int_${n}`);
  }
  assert.deepEqual({ open, most, requests: sink.requests.length }, { open: 1, most: 1, requests: 6 });
  assert.equal(relay.log.count('breaker.closed'), 0);

  succeed();
  held?.();
  await relay.log.step('breaker.closed');
  for (let n = 5; n < 28; n += 1) await deliveredTo('hook', `int_${n}`);
  await runVerb(['resume', 'hook'], { cwd: relay.folder });
  for (let n = 0; n < 5; n += 1) await deliveredTo('hook', `int_${n}`);
  assert.equal(sink.requests.length, 5 + 28);
});

test('two events about one interview are never under way at once', async () => {
  relay = await startRelay(oneHook());
  let open = 0;
  let most = 0;
  sink.answer = (_request, response) => {
    open += 1;
    most = Math.max(most, open);
    setImmediate(() => {
      open -= 1;
      response.writeHead(204).end();
    });
  };
  await Promise.all(Array.from({ length: 10 }, () => post(relay, interview('int_same'))));
  await sink.got(10);
  assert.equal(most, 1);
});

test('a dead destination does not slow another', async (t) => {
  const dead = await Sink.start();
  t.after(() => dead.close());
  const held: (() => void)[] = [];
  dead.answer = (_request, response) => {
    held.push(() => response.writeHead(410).end());
  };
  relay = await startRelay(
    configText(`destinations:
  dead: { connector: webhook, url: "${dead.url}" }
  hook: { connector: webhook, url: "${sink.url}" }
routes:
  - { name: both, to: [dead, hook] }
`),
  );
  for (let n = 0; n < 10; n += 1) await post(relay, interview(`int_${n}`));
  for (let n = 0; n < 10; n += 1) await deliveredTo('hook', `int_${n}`);
  await dead.got(1);
  assert.ok(!relay.log.all.some((line) => line.step === 'delivery.attempted' && line.destination === 'dead'));
  // It hangs up at last, so that the relay need not wait for it.
  dead.answer = (_request, response) => response.writeHead(410).end();
  for (const hangUp of held) hangUp();
});

test('hostile interviews crash nothing, and the next one is delivered', async () => {
  relay = await startRelay(
    oneHook('body: { who: "{{ interview.vid }}", quotes: "{{ interview | quotes | join: \', \' }}" }'),
  );
  const hostile: object[] = [
    { metadata: JSON.parse('{"__proto__": {"polluted": true}, "constructor": null, "a.b": [[[]]]}') },
    { transcript: 'wort '.repeat(60_000), parsed_conversation_json: {} },
    {
      parsed_conversation_json: Array.from({ length: 1_500 }, (_, n) => ({
        role: n % 2 ? 'user' : 'assistant',
        content: `Turn ${n}.`,
      })),
    },
    {
      vid: null,
      metadata: null,
      transcript: null,
      parsed_conversation_json: null,
      active_time: 'x',
      started_at: {},
      ended_at: [],
    },
    { parsed_conversation_json: [null, 1, 'x', { role: 7, content: {} }], title: { a: 1 }, recording_url: 42 },
  ];
  for (const [index, fields] of hostile.entries()) {
    const payload = interview(`int_hostile_${index}`);
    const answer = await post(relay, {
      ...payload,
      interview: { ...payload.interview, ...fields } as typeof payload.interview,
    });
    assert.equal(answer.status, 202);
  }
  await post(relay, interview('int_after'));
  await relay.log.step('delivery.attempted', (line) => line.subject === 'int_after' && line.state === 'delivered');
  assert.equal(({} as { polluted?: boolean }).polluted, undefined);
  assert.equal(relay.log.count('request.failed'), 0);
});
