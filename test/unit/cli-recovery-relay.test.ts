import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, test } from 'node:test';
import { configText, interview, post, type RunningRelay, Sink, startRelay } from '../support/relay.ts';
import { type Ran, runVerb } from '../support/verb.ts';

let sink: Sink;
let relay: RunningRelay;

beforeEach(async () => {
  sink = await Sink.start();
});
afterEach(async () => {
  await relay.stop();
  await sink.close();
});

/** One webhook destination, and what more the test has. */
function config(more: { destinations?: string; routes?: string } = {}): string {
  return configText(`destinations:
  hook: { connector: webhook, url: "${sink.url}", retry: [] }
${more.destinations ?? ''}
routes:
  - { name: all, to: hook }
${more.routes ?? ''}`);
}

const run = (...args: string[]): Promise<Ran> => runVerb(args, { cwd: relay.folder });
const attempted = (destination: string, state: string) =>
  relay.log.step('delivery.attempted', (line) => line.destination === destination && line.state === state);
const webhookIds = () => sink.requests.map(({ headers }) => headers['webhook-id']);

/** Until the relay has recorded what its last request came to. */
async function delivered(count: number): Promise<void> {
  const isDone = (line: Record<string, unknown>) => line.step === 'delivery.attempted' && line.state === 'delivered';
  while (relay.log.all.filter(isDone).length < count) await new Promise((resolve) => relay.log.once('line', resolve));
}

test('a failed delivery that is retried arrives within seconds', async () => {
  sink.answer = (_request, response) => response.writeHead(400).end();
  relay = await startRelay(config());
  await post(relay, interview('int_1'));
  await attempted('hook', 'failed');
  sink.answer = (_request, response) => response.writeHead(204).end();
  const { code, out, err } = await run('retry', 'd1');
  assert.equal(code, 0, err);
  assert.match(out, /^1 delivery is due again\.\nThe running relay delivers now/);
  await attempted('hook', 'delivered');
  const [first, second] = webhookIds();
  assert.equal(first, second);
});

test('a replay arrives again with the same webhook-id, and with another one by --new', async () => {
  relay = await startRelay(config());
  await post(relay, interview('int_1'));
  await delivered(1);
  assert.equal((await run('replay', 'e1', '--yes')).code, 0);
  await delivered(2);
  assert.equal((await run('replay', 'e1', '--new', '--yes')).code, 0);
  await delivered(3);
  const [first, second, third] = webhookIds();
  assert.equal(first, second);
  assert.notEqual(second, third);
});

test('a new route is backfilled, and what was delivered is left alone', async (t) => {
  const other = await Sink.start();
  t.after(() => other.close());
  relay = await startRelay(config());
  await post(relay, interview('int_1', { plan: 'team' }));
  await post(relay, interview('int_2', { plan: 'free' }));
  await delivered(2);
  const destinations = `  other: { connector: webhook, url: "${other.url}" }`;
  const routes = '  - { name: New, when: { interview.metadata.plan: team }, to: other }';
  await writeFile(relay.file, config({ destinations, routes }));
  assert.equal(await relay.app.reload(), true);
  const { code, out, err } = await run('replay', '--reroute', '--since', '1h', '--yes');
  assert.equal(code, 0, err);
  assert.match(out, /\nother +1 +1 not there yet\n1 event has all deliveries/);
  await attempted('other', 'delivered');
  assert.equal(JSON.parse(other.requests[0]?.body ?? '').interview.id, 'int_1');
  assert.deepEqual([other.requests.length, sink.requests.length], [1, 2]);
  assert.deepEqual((await relay.app.store.event('e1'))?.routes, ['all', 'New']);
});

test('a discarded delivery waits for nothing, until retry brings it back', async () => {
  sink.answer = (_request, response) => response.writeHead(503).end();
  relay = await startRelay(config().replace('retry: []', 'retry: [1h]'));
  await post(relay, interview('int_1'));
  await attempted('hook', 'pending');
  const { out } = await run('discard', 'd1');
  assert.match(out, /^1 delivery is discarded\. The events are kept\.\nOne whose attempt is under way right now may/);
  assert.deepEqual(await relay.app.store.backlog(), []);
  sink.answer = (_request, response) => response.writeHead(204).end();
  await run('retry', 'd1');
  await attempted('hook', 'delivered');
});
