import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { makeFolder } from '../support/folder.ts';
import { configText, interview, post, type RunningRelay, Sink, spawnRelay, startRelay } from '../support/relay.ts';
import { STORE_LINE } from '../support/stores.ts';

let first: Sink;
let second: Sink;
let relay: RunningRelay;

beforeEach(async () => {
  [first, second] = await Promise.all([Sink.start(), Sink.start()]);
});
afterEach(async () => {
  await relay?.stop();
  await Promise.all([first.close(), second.close()]);
});

const hookTo = (sink: Sink, more = '') =>
  configText(`destinations:
  hook: { connector: webhook, url: "${sink.url}" }
routes:
  - { name: all, to: hook }
${more}`);

const metrics = async () => (await fetch(`${relay.url}/metrics`)).text();

test('a changed file is seen, and new events go by the new config', async () => {
  relay = await startRelay(hookTo(first), { watch: true });
  await post(relay, interview('int_1'));
  await first.got(1);
  await writeFile(relay.file, hookTo(second));
  await relay.log.step('config.reloaded');
  await post(relay, interview('int_2'));
  await second.got(1);
  assert.equal(first.requests.length, 1);
});

test('a bad file leaves the running config in place, says why, and sets the gauge; a good one mends it', async () => {
  relay = await startRelay(hookTo(first));
  await writeFile(relay.file, hookTo(second).replace('to: hook', 'to: hok'));
  assert.equal(await relay.app.reload(), false);
  const refused = await relay.log.step('config.refused');
  assert.match(String(refused.errors), /config\.yaml:\d+:\d+ routes\[0\]\.to.*hok/);
  assert.match(await metrics(), /relay_config_last_reload_successful 0/);
  assert.equal((await fetch(`${relay.url}/readyz`)).status, 200);
  await post(relay, interview('int_1'));
  await first.got(1);
  await writeFile(relay.file, hookTo(second));
  assert.equal(await relay.app.reload(), true);
  assert.match(await metrics(), /relay_config_last_reload_successful 1/);
});

test("a changed lane's attempt ends before its successor claims", async () => {
  relay = await startRelay(hookTo(first));
  const held = Promise.withResolvers<() => void>();
  first.answer = (_request, response) => {
    first.answer = (_next, answer) => answer.writeHead(204).end();
    held.resolve(() => response.writeHead(204).end());
  };
  await post(relay, interview('int_1'));
  const answer = await held.promise;
  await writeFile(relay.file, hookTo(second));
  const reloaded = relay.app.reload();
  await post(relay, interview('int_2'));
  assert.equal(second.requests.length, 0, 'the successor waits');
  answer();
  assert.equal(await reloaded, true);
  await relay.log.step('delivery.attempted', ({ subject, state }) => subject === 'int_2' && state === 'delivered');
  assert.equal(first.requests.length + second.requests.length, 2, 'each was delivered once');
});

test('deliveries whose destination left the config are held, and a destination renamed takes them along', async () => {
  relay = await startRelay(hookTo(first));
  await writeFile(relay.file, hookTo(first).replace('url:', 'enabled: false, url:'));
  await relay.app.reload();
  const { body } = await post(relay, interview('int_1'));
  assert.equal(body.deliveries, 1);
  await writeFile(
    relay.file,
    configText(`destinations:
  hook-two: { connector: webhook, url: "${second.url}", renamed_from: hook }
routes:
  - { name: all, to: hook-two }
`),
  );
  assert.equal(await relay.app.reload(), true);
  await second.got(1);
  assert.equal(first.requests.length, 0);
});

test('server and store need a restart, and a reload that changes them says so', async () => {
  relay = await startRelay(hookTo(first));
  await writeFile(relay.file, hookTo(first).replace(STORE_LINE, 'store: ./other.db').replace('port: 0', 'port: 1'));
  assert.equal(await relay.app.reload(), true);
  const line = await relay.log.step('config.restart');
  assert.deepEqual(line.changed, ['server', 'store']);
  const metered = (token: string) => hookTo(first).replace('port: 0', `port: 0, metrics: { token: ${token} }`);
  await writeFile(relay.file, metered('one'));
  await relay.app.reload();
  await relay.log.step('config.restart', ({ changed }) => String(changed) === 'server');
});

test('a reload tells what it changes for the last events, by their destinations', async () => {
  relay = await startRelay(hookTo(first));
  for (const plan of ['team', 'pro', 'team']) await post(relay, interview(`int_${plan}`, { plan }));
  await writeFile(
    relay.file,
    configText(`destinations:
  pager: { connector: webhook, url: "${second.url}" }
routes:
  - { name: teams, when: { interview.metadata.plan: team }, to: pager }
`),
  );
  assert.equal(await relay.app.reload(), true);
  const { msg, gains, loses, unrouted, routed, of, new: added, gone } = await relay.log.step('config.effect');
  assert.deepEqual(
    { gains, loses, unrouted, routed, of, added, gone },
    { gains: { pager: 2 }, loses: { hook: 3 }, unrouted: 1, routed: 0, of: 3, added: ['pager'], gone: ['hook'] },
  );
  assert.equal(msg, 'for the last 3 events it changes: hook −3, pager +2, 1 would go nowhere now');
  await writeFile(relay.file, `${hookTo(first)}# a remark\n`);
  await relay.app.reload();
  await relay.log.step('config.effect', ({ unrouted: none, routed: some }) => none === 0 && some === 1);
  await relay.app.reload();
  const none = await relay.log.step('config.effect', ({ gains: none }) => Object.keys(none as object).length === 0);
  assert.deepEqual([none.msg, none.changed], ['none of the last 3 events gains or loses a destination', []]);
  await writeFile(relay.file, hookTo(first).replace('connector: webhook,', 'connector: webhook, body: { a: b },'));
  await relay.app.reload();
  const sent = await relay.log.step('config.effect', ({ changed }) => String(changed) === 'hook');
  assert.match(String(sent.msg), /^none of the last 3 events .*; the options of hook changed$/);
});

test('what a reload changes is told after it, and a store that cannot be read spoils nothing', async () => {
  relay = await startRelay(hookTo(first));
  await post(relay, interview('int_1'));
  await first.got(1);
  const { store } = relay.app;
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<never>();
  store.events = () => {
    asked.resolve();
    return answer.promise;
  };
  await writeFile(relay.file, hookTo(second));
  assert.equal(await relay.app.reload(), true);
  await asked.promise;
  await post(relay, interview('int_2'));
  await second.got(1);
  answer.reject(new Error('the disk is gone'));
  const told = await relay.log.step('config.effect');
  assert.equal(told.skipped, 'the disk is gone');
});

test('a reload that waits for one destination leaves none of the others standing', async () => {
  const both = (more: string) =>
    configText(`destinations:
  quick: { connector: webhook, url: "${first.url}" }
  slow: { connector: webhook, url: "${second.url}" }
routes:
  - { name: all, to: [quick, slow] }
${more}`);
  relay = await startRelay(both(''));
  const held = Promise.withResolvers<() => void>();
  second.answer = (_request, response) => held.resolve(() => response.writeHead(204).end());
  await post(relay, interview('int_1'));
  const answer = await held.promise;
  await relay.log.step('delivery.attempted', ({ destination }) => destination === 'quick');
  await writeFile(relay.file, both('timezone: Europe/Berlin\n'));
  const reloading = relay.app.reload();
  // The quick one has ended; who looks now what is free must not come in between.
  for (const until = performance.now() + 2_500; performance.now() < until; )
    await relay.app.store.setPaused('other', true);
  second.answer = (_request, response) => response.writeHead(204).end();
  answer();
  assert.equal(await reloading, true);
  await post(relay, interview('int_2'));
  for (const lane of ['quick', 'slow']) {
    await relay.log.step(
      'delivery.attempted',
      ({ destination, subject }) => destination === lane && subject === 'int_2',
    );
  }
});

test('SIGHUP reads the config again', async (t) => {
  relay = await startRelay(hookTo(first));
  const folder = await makeFolder(t, { 'config.yaml': hookTo(first) });
  const spawned = await spawnRelay(folder);
  t.after(() => spawned.kill('SIGTERM'));
  await writeFile(path.join(folder, 'config.yaml'), hookTo(second));
  spawned.child.kill('SIGHUP');
  await spawned.log.step('config.reloaded');
  await post(spawned, interview('int_1'));
  await second.got(1);
});
