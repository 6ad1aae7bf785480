import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { openFolder } from '../support/folder.ts';
import { configText, interview, post, type RunningRelay, Sink, spawnRelay, startRelay } from '../support/relay.ts';
import { isTested, makeDatabase } from '../support/stores.ts';

const LANES = ['one', 'two', 'three', 'four'];

describe('several relays on one PostgreSQL', { skip: !isTested('postgres') }, () => {
  let sinks: Sink[];
  let store: string;
  let relays: RunningRelay[];

  beforeEach(async () => {
    sinks = await Promise.all(LANES.map(() => Sink.start()));
    store = await makeDatabase();
    relays = [];
  });
  afterEach(async () => {
    await Promise.all(relays.map((relay) => relay.stop()));
    await Promise.all(sinks.map((sink) => sink.close()));
  });

  /** Each destination has a host of its own, and so a limit key, and so a group. */
  const config = () => {
    const destinations = LANES.map((name, n) => `  ${name}: { connector: webhook, url: "${sinks[n]?.url}" }`);
    return configText(`destinations:\n${destinations.join('\n')}\nroutes:\n  - { name: all, to: [${LANES}] }\n`);
  };
  const start = async (yaml = config()) => {
    const relay = await startRelay(yaml, { store });
    relays.push(relay);
    return relay;
  };
  const delivered = (relay: RunningRelay, subject: string, destination: string) =>
    relay.log.step('delivery.attempted', (line) => line.subject === subject && line.destination === destination);

  test('share the lanes evenly, whoever receives, and deliver each event once', async () => {
    const first = await start();
    const second = await start();
    const taken = (await second.log.step('lanes.taken')).lanes as string[];
    assert.equal(taken.length, 2);
    const given = (await first.log.step('lanes.given')).lanes as string[];
    assert.deepEqual([...given].sort(), [...taken].sort());
    const subjects = Array.from({ length: 12 }, (_, n) => `int_${n}`);
    await Promise.all(subjects.map((subject, n) => post(n % 2 === 0 ? first : second, interview(subject))));
    for (const subject of subjects) {
      for (const lane of LANES) await delivered(taken.includes(lane) ? second : first, subject, lane);
    }
    for (const { requests } of sinks) assert.equal(requests.length, subjects.length);
  });

  test('the same svix-id at two relays is one event', async () => {
    const [first, second] = [await start(), await start()];
    const id = 'msg_once';
    const answers = await Promise.all([post(first, interview('int_1'), id), post(second, interview('int_1'), id)]);
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 202]);
    assert.equal(answers[0]?.body.event, answers[1]?.body.event);
  });

  test('one that stops takes its lanes to the others at once', async () => {
    const first = await start();
    const second = await start();
    await second.log.step('lanes.taken');
    await relays.shift()?.stop();
    assert.equal(first.log.count('relay.stopped'), 1);
    await second.log.step('lanes.taken', ({ lanes }) => {
      const before = second.log.all.find(({ step }) => step === 'lanes.taken')?.lanes;
      return lanes !== before;
    });
    await post(second, interview('int_1'));
    for (const lane of LANES) await delivered(second, 'int_1', lane);
  });

  test('what one has under way stays its own, however often it looks after what nobody has', async () => {
    const [first, second] = [await start(), await start()];
    await second.log.step('lanes.taken');
    const held: (() => void)[] = [];
    for (const sink of sinks) sink.answer = (_request, response) => held.push(() => response.writeHead(204).end());
    await post(first, interview('int_1'));
    await Promise.all(sinks.map((sink) => sink.got(1)));
    // Each look follows what the other one tells.
    for (let n = 0; n < 30; n += 1) {
      await Promise.all([first, second].map(({ app }) => app.store.setPaused('elsewhere', n % 2 === 0)));
      await wait(30);
    }
    for (const answer of held) answer();
    for (const sink of sinks) sink.answer = (_request, response) => response.writeHead(204).end();
    const settled = () => first.app.store.deliveries({ state: 'delivered' }, { limit: 10 });
    while ((await settled()).length < LANES.length) await wait(20);
    assert.deepEqual(
      (await settled()).map(({ attempts }) => attempts),
      LANES.map(() => 1),
    );
    for (const { requests } of sinks) assert.equal(requests.length, 1);
  });

  test('one that stands still loses its lanes; when it goes on, it records nothing and begins nothing', async (t) => {
    const { folder, remove } = await openFolder({ 'config.yaml': config(), '.env': `RELAY_STORE=${store}` });
    t.after(remove);
    const still = await spawnRelay(folder);
    t.after(() => still.kill('SIGKILL'));
    // It has all of the lanes, and a call under way in each.
    for (const sink of sinks) sink.answer = () => {};
    await post(still, interview('int_1'));
    await Promise.all(sinks.map((sink) => sink.got(1)));
    still.child.kill('SIGSTOP');
    for (const sink of sinks) sink.answer = (_request, response) => response.writeHead(204).end();
    const other = await start();
    for (const lane of LANES) await delivered(other, 'int_1', lane);
    still.child.kill('SIGCONT');
    await still.log.step('lanes.lost');
    assert.equal(
      still.log.all.some(({ step, recorded }) => step === 'delivery.attempted' && recorded !== false),
      false,
    );
    const { id } = await post(other, interview('int_2'));
    assert.ok(id);
    for (const delivery of await other.app.store.deliveries({ interview: 'int_1' }, { limit: 10 })) {
      assert.deepEqual([delivery.state, delivery.attempts], ['delivered', 2]);
    }
  });

  test('a renamed destination is served under its new name only once nobody serves the old one', async () => {
    const [sink = assert.fail()] = sinks;
    const older = (name: string, more = '') =>
      configText(`destinations:
  ${name}: { connector: webhook, url: "${sink.url}"${more} }
routes:
  - { name: all, to: ${name} }
`);
    const newer = older('after', ', renamed_from: before');
    // Which of the two is to have their one lane is chance; a call under way keeps it where it is.
    const call = Promise.withResolvers<ServerResponse>();
    sink.answer = (_request, response) => call.resolve(response);
    const first = await start(older('before'));
    await post(first, interview('int_1'));
    const underWay = await call.promise;
    sink.answer = (_request, response) => response.writeHead(204).end();
    // It has looked once for what it could take when it has started.
    const second = await start(newer);
    // Stored by the one for its new name, and by the other for the old.
    await post(second, interview('int_2'));
    await post(first, interview('int_3'));
    assert.equal(second.log.count('lanes.taken') + second.log.count('destination.renamed'), 0);
    assert.equal((await second.app.store.deliveries({ destination: 'before' }, { limit: 10 })).length, 2);
    underWay.writeHead(204).end();
    await delivered(first, 'int_1', 'before');
    await writeFile(first.file, newer);
    assert.equal(await first.app.reload(), true);
    // Whoever has the lane now, by its new name; the older one may have been quick enough for what was stored by the old.
    await Promise.race([first, second].map((relay) => delivered(relay, 'int_2', 'after')));
    await Promise.race(
      [first, second].flatMap((relay) => ['before', 'after'].map((name) => delivered(relay, 'int_3', name))),
    );
    assert.equal(first.log.count('destination.renamed') + second.log.count('destination.renamed'), 1);
    assert.deepEqual(
      (await first.app.store.deliveries({ destination: 'after' }, { limit: 10 })).map(({ subject, state }) => [
        subject,
        state,
      ]),
      [
        ['int_3', 'delivered'],
        ['int_2', 'delivered'],
        ['int_1', 'delivered'],
      ],
    );
    assert.equal(sink.requests.length, 3, 'each once');
  });

  test('relays that run by different configs say so, and no longer when that is mended', async () => {
    const first = await start();
    const second = await start(`${config()}timezone: Europe/Berlin\n`);
    await second.log.step('config.disagree');
    const metrics = await (await fetch(`${second.url}/metrics`)).text();
    assert.match(metrics, /relay_replicas\{config="other"\} 1/);
    await writeFile(second.file, await readFile(first.file, 'utf8'));
    assert.equal(await second.app.reload(), true);
    await second.log.step('config.agree');
  });
});
