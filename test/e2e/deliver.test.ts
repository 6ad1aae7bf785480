import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { configText, interview, post, type RunningRelay, runVerb, Sink, startRelay } from '../support/relay.ts';

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

const fail = (status: number, headers: Record<string, string> = {}) => {
  sink.answer = (_request, response) => response.writeHead(status, headers).end();
};
const succeed = () => {
  sink.answer = (_request, response) => response.writeHead(204).end();
};
const attempted = (state: string) => relay.log.step('delivery.attempted', (line) => line.state === state);

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
  const paused = [...(await relay.app.store.pausedKeys(Date.now())).values()];
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
  for (const subject of ['int_1', 'int_2']) {
    await relay.log.step('delivery.attempted', (line) => line.subject === subject && line.state === 'delivered');
  }
});

test('a paused destination receives and holds, and a running relay acts on pause and resume', async () => {
  relay = await startRelay(oneHook());
  const paused = await runVerb(['pause', 'hook'], { cwd: relay.folder });
  assert.equal(paused.code, 0, paused.err);
  // The relay looks twice a second; two more verbs take longer than that.
  const { body } = await post(relay);
  assert.equal(body.deliveries, 1);
  await runVerb(['deliveries'], { cwd: relay.folder });
  await runVerb(['resume', 'hook'], { cwd: relay.folder });
  await attempted('delivered');
});

test('a service that is down opens the breaker: one probe at a time, and everything flows when it is back', async () => {
  relay = await startRelay(oneHook('retry: [50ms, 50ms, 50ms]'));
  sink.answer = (_request, response) => response.destroy();
  for (let n = 0; n < 20; n += 1) await post(relay, interview(`int_${n}`));
  await relay.log.step('breaker.opened');
  const before = sink.requests.length;
  succeed();
  await relay.log.step('breaker.closed');
  assert.equal(sink.requests.filter((_, index) => index >= before).length >= 1, true);
  for (let n = 0; n < 20; n += 1) {
    await relay.log.step('delivery.attempted', (line) => line.subject === `int_${n}` && line.state === 'delivered');
  }
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

test('a dead destination does not slow another', async () => {
  relay = await startRelay(
    configText(`destinations:
  dead: { connector: webhook, url: "http://127.0.0.1:9/", retry: [1h] }
  hook: { connector: webhook, url: "${sink.url}" }
routes:
  - { name: both, to: [dead, hook] }
`),
  );
  for (let n = 0; n < 10; n += 1) await post(relay, interview(`int_${n}`));
  await sink.got(10);
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
