import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { configText, interview, pausesOf, post, type RunningRelay, Sink, startRelay } from '../support/relay.ts';

let sink: Sink;
let relay: RunningRelay;

beforeEach(async () => {
  sink = await Sink.start();
});
afterEach(async () => {
  await relay.stop();
  await sink.close();
});

const PLUGINS = path.resolve(import.meta.dirname, '../fixtures/plugins');

/** A request that stays open until the test answers it. */
function holdNext(): Promise<(status: number) => void> {
  const held = Promise.withResolvers<(status: number) => void>();
  sink.answer = (_request, response) => {
    sink.answer = (_next, answer) => answer.writeHead(204).end();
    held.resolve((status) => response.writeHead(status).end());
  };
  return held.promise;
}

const hook = (more = '') =>
  configText(`destinations:
  hook: { connector: webhook, url: "${sink.url}"${more} }
routes:
  - { name: all, to: hook }
`);

test('one item whose template cannot be rendered does not keep its batch back', async () => {
  relay = await startRelay(
    configText(`destinations:
  lines: { connector: file, path: ./lines.jsonl, line: "{{ interview.id }}{% for n in (1..interview.metadata.times) %}.{% endfor %}", enabled: false }
routes:
  - { name: all, to: lines }
`),
  );
  const dots = (id: string, times: string) => interview(id, { times });
  await post(relay, dots('int_1', '1'));
  await post(relay, dots('int_2', '999999999'));
  await post(relay, dots('int_3', '1'));
  await writeFile(relay.file, (await readFile(relay.file, 'utf8')).replace(', enabled: false', ''));
  assert.equal(await relay.app.reload(), true);
  for (const id of ['int_1', 'int_3']) {
    await relay.log.step('delivery.attempted', ({ subject, state }) => subject === id && state === 'delivered');
  }
  await relay.log.step('delivery.attempted', ({ subject, state }) => subject === 'int_2' && state === 'failed');
  assert.equal(await readFile(path.join(relay.folder, 'lines.jsonl'), 'utf8'), 'int_1.\nint_3.\n');
});

test('an attempt that halts its lane while a reload replaces it leaves no halt behind', async () => {
  relay = await startRelay(hook());
  const held = holdNext();
  await post(relay, interview('int_1'));
  const answer = await held;
  await writeFile(relay.file, hook(', timeout: 14s'));
  const reloaded = relay.app.reload();
  answer(401);
  assert.equal(await reloaded, true);
  await relay.log.step('delivery.attempted', ({ subject, state }) => subject === 'int_1' && state === 'delivered');
  assert.deepEqual(
    (await relay.app.store.lanes()).filter(({ halt }) => halt),
    [],
  );
});

test('what goes wrong while the relay stops is told before it ends', async () => {
  relay = await startRelay(
    configText(`destinations:
  hook: { connector: webhook, url: "${sink.url}" }
  plug: { connector: teller }
plugins: [${PLUGINS}]
routes:
  - { name: all, to: hook }
on_failure: plug
`),
  );
  const held = holdNext();
  await post(relay, interview('int_1'));
  const answer = await held;
  const stopped = relay.app.stop();
  await relay.log.step('relay.stopping');
  answer(410);
  await stopped;
  const told = await readFile(path.join(relay.folder, 'told.txt'), 'utf8');
  assert.match(told, /1 failed delivery/);
  assert.match(told, /int_1/);
});

/** How long the service's key is paused after one refusal, in milliseconds: between these, however slow the machine is. */
async function pauseAfter(headers: Record<string, string>): Promise<{ most: number; least: number }> {
  const began = Date.now();
  sink.answer = (_request, response) => response.writeHead(429, headers).end();
  const { body } = await post(relay, interview('int_1'));
  const line = await relay.log.step('delivery.attempted');
  const [delivery] = (await relay.app.store.deliveriesOf([body.event ?? ''])).get(body.event ?? '') ?? [];
  assert.equal(delivery?.attempts, 0, 'a rate limit costs no attempt');
  const [until] = await pausesOf(relay);
  return { most: (until ?? 0) - began, least: (until ?? 0) - Date.parse(String(line.time)) };
}

test('a Retry-After of 0 or in the past is no flood', async () => {
  relay = await startRelay(hook());
  const pause = await pauseAfter({ 'retry-after': '0' });
  assert.ok(pause.most >= 1_000 && pause.least <= 1_000, JSON.stringify(pause));
});

test('a Retry-After that must be an error does not stop a destination for ever', async () => {
  relay = await startRelay(hook());
  const pause = await pauseAfter({ 'retry-after': '99999999999' });
  assert.ok(pause.most >= 3_600_000 && pause.least <= 24 * 3_600_000, JSON.stringify(pause));
});

test('a rate limit without a Retry-After leaves the service alone for seconds, and costs no attempt', async () => {
  relay = await startRelay(hook());
  const pause = await pauseAfter({});
  assert.ok(pause.most >= 5_000 && pause.least <= 5_000, JSON.stringify(pause));
});

test('a delivery that was under way before a halt does not end it', async () => {
  relay = await startRelay(hook());
  const answers: ((status: number) => void)[] = [];
  const both = Promise.withResolvers<void>();
  sink.answer = (_request, response) => {
    answers.push((status) => response.writeHead(status).end());
    if (answers.length === 2) both.resolve();
  };
  await post(relay, interview('int_1'));
  await post(relay, interview('int_2'));
  await both.promise;
  answers[0]?.(401);
  await relay.log.step('lane.halted');
  answers[1]?.(204);
  await relay.log.step('delivery.attempted', ({ state }) => state === 'delivered');
  assert.equal((await relay.app.store.lanes())[0]?.halt?.reason, 'auth');
  assert.equal(relay.log.count('lane.resumed'), 0);
});
