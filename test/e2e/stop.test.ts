import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import { openStore } from '../../src/store/open.ts';
import { makeFolder } from '../support/folder.ts';
import { configText, interview, post, Sink, spawnRelay } from '../support/relay.ts';
import { storeIn } from '../support/stores.ts';

const hook = (sink: Sink) =>
  configText(`destinations:
  hook: { connector: webhook, url: "${sink.url}" }
routes:
  - { name: all, to: hook }
`);

test('a connection that sends nothing does not keep the relay from stopping', async (t) => {
  const sink = await Sink.start();
  t.after(() => sink.close());
  const folder = await makeFolder(t, { 'config.yaml': hook(sink) });
  const relay = await spawnRelay(folder);
  const { hostname, port } = new URL(relay.url);
  const silent = connect(Number(port), hostname);
  await once(silent, 'connect');
  const half = connect(Number(port), hostname);
  await once(half, 'connect');
  half.write('POST /webhooks/versive HTTP/1.1\r\nhost: x\r\n');
  for (const socket of [silent, half]) socket.on('error', () => {});
  assert.equal(await relay.kill('SIGTERM'), 0);
  assert.ok(relay.log.all.some(({ step }) => step === 'relay.stopped'));
});

test('while a delivery under way ends, probes are told 503, and nothing that is acknowledged is lost', async (t) => {
  const sink = await Sink.start();
  t.after(() => sink.close());
  const folder = await makeFolder(t, { 'config.yaml': hook(sink) });
  const held = Promise.withResolvers<() => void>();
  sink.answer = (_request, response) => {
    sink.answer = (_next, answer) => answer.writeHead(204).end();
    held.resolve(() => response.writeHead(204).end());
  };
  const relay = await spawnRelay(folder);
  await post(relay, interview('int_1'));
  const answer = await held.promise;
  const ended = relay.kill('SIGTERM');
  await relay.log.step('relay.stopping');
  assert.equal((await fetch(`${relay.url}/readyz`)).status, 503);
  assert.equal((await fetch(`${relay.url}/healthz`)).status, 200);
  assert.equal((await post(relay, interview('int_late'))).status, 202);
  answer();
  assert.equal(await ended, 0);
  assert.equal(sink.requests.length, 1);
  const next = await spawnRelay(folder);
  t.after(() => next.kill('SIGTERM'));
  await next.log.step('delivery.attempted', ({ subject, state }) => subject === 'int_late' && state === 'delivered');
});

test('what still waits for its pace when the relay stops costs no attempt, and a late SIGHUP starts nothing', async (t) => {
  const sink = await Sink.start();
  t.after(() => sink.close());
  const folder = await makeFolder(t, {
    'config.yaml': configText(`destinations:
  hook: { connector: webhook, url: "${sink.url}", retry: [], pace: { calls: 1, per: 1h } }
routes:
  - { name: all, to: hook }
`),
  });
  const relay = await spawnRelay(folder);
  await post(relay, interview('int_1'));
  await post(relay, interview('int_2'));
  await relay.log.step('delivery.attempted');
  const ended = relay.kill('SIGTERM');
  await relay.log.step('relay.stopping');
  relay.child.kill('SIGHUP');
  assert.equal(await ended, 0);
  assert.equal(relay.log.count('config.reloaded'), 0);
  const store = await openStore(await storeIn(folder));
  t.after(() => store.close());
  const [waiting] = await store.deliveries({ interview: 'int_2' }, { limit: 1 });
  assert.deepEqual([waiting?.state, waiting?.attempts], ['pending', 0]);
});

test('a service that hangs is cut off after ten seconds, also when a notice is under way', async (t) => {
  const sink = await Sink.start();
  t.after(() => sink.close());
  const plugins = path.resolve(import.meta.dirname, '../fixtures/plugins');
  const folder = await makeFolder(t, {
    'config.yaml': configText(`destinations:
  hook: { connector: webhook, url: "${sink.url}" }
  plug: { connector: hanging-teller, url: "${sink.url}" }
plugins: ["${plugins}"]
routes:
  - { name: all, to: hook }
on_failure: plug
`),
  });
  sink.answer = () => {};
  const relay = await spawnRelay(folder);
  await post(relay, 'not what Versive documents');
  await post(relay, interview('int_1'));
  await sink.got(1);
  assert.equal(await relay.kill('SIGTERM'), 0);
  assert.ok(relay.log.all.some(({ step }) => step === 'relay.stopped'));
});
