import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeFolder } from '../support/folder.ts';
import { configText, interview, post, Sink, type SpawnedRelay, spawnRelay } from '../support/relay.ts';
import { runVerb } from '../support/verb.ts';

const EVENTS = 500;
const KILLS = 20;

test(`${EVENTS} events, ${KILLS} kills with -9: every acknowledged event is delivered`, async (t) => {
  const sink = await Sink.start();
  t.after(() => sink.close());
  const folder = await makeFolder(t, {
    'config.yaml': configText(`destinations:
  hook: { connector: webhook, url: "${sink.url}", retry: [10ms, 50ms, 100ms, 1s] }
routes:
  - { name: all, to: hook }
`),
  });

  let relay: SpawnedRelay = await spawnRelay(folder);
  t.after(() => relay.kill('SIGKILL'));
  const acknowledged = new Set<string>();
  let next = 0;
  const perLife = Math.ceil(EVENTS / (KILLS + 1));
  const postNext = async (): Promise<void> => {
    const n = next++;
    try {
      const { status } = await post(relay, interview(`int_${n}`), `msg_${n}`);
      if (status === 202) acknowledged.add(`int_${n}`);
    } catch {
      // Killed before it answered: not acknowledged, and Svix would send it again.
    }
  };
  for (let life = 0; life <= KILLS; life += 1) {
    const share = Math.min(perLife, EVENTS - next);
    await Promise.all(Array.from({ length: Math.ceil(share / 2) }, postNext));
    const posts = Array.from({ length: Math.floor(share / 2) }, postNext);
    if (life < KILLS) {
      // In the middle of receiving the second half, and of delivering the first.
      await Promise.race(posts);
      await relay.kill('SIGKILL');
    }
    await Promise.all(posts);
    if (life < KILLS) relay = await spawnRelay(folder);
  }

  // What three kills in a row met was given up; a person brings it back.
  await runVerb(['retry', '--yes'], { cwd: folder });
  const arrived = () => new Set(sink.requests.map(({ body }) => JSON.parse(body).interview.id as string));
  const missing = () => [...acknowledged].filter((id) => !arrived().has(id));
  for (let left = missing(); left.length > 0; left = missing()) {
    const id = left[0];
    await relay.log.step('delivery.attempted', (line) => line.subject === id && line.state === 'delivered');
  }
  assert.ok(acknowledged.size >= EVENTS / 2, `only ${acknowledged.size} were acknowledged at all`);
  assert.deepEqual(missing(), []);
});

test('SIGTERM lets a delivery under way end, loses nothing, and exits 0', async (t) => {
  const sink = await Sink.start();
  t.after(() => sink.close());
  const folder = await makeFolder(t, {
    'config.yaml': configText(`destinations:
  hook: { connector: webhook, url: "${sink.url}" }
routes:
  - { name: all, to: hook }
`),
  });
  const held = Promise.withResolvers<() => void>();
  sink.answer = (_request, response) => held.resolve(() => response.writeHead(204).end());

  const relay = await spawnRelay(folder);
  await post(relay, interview('int_slow'));
  const answer = await held.promise;
  const ended = relay.kill('SIGTERM');
  await relay.log.step('relay.stopping');
  answer();
  assert.equal(await ended, 0);
  assert.ok(relay.log.all.some((line) => line.subject === 'int_slow' && line.state === 'delivered'));
  assert.ok(relay.log.all.some(({ step }) => step === 'relay.stopped'));

  sink.answer = (_request, response) => response.writeHead(204).end();
  const next = await spawnRelay(folder);
  await post(next, interview('int_next'));
  await sink.got(2);
  await next.kill('SIGTERM');
  assert.equal(sink.requests.length, 2, 'the delivered one was not repeated');
});
