import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { openStore } from '../../src/store/open.ts';
import { newEvent } from '../contracts/store/under-test.ts';
import { makeFolder, SIGNING_SECRET } from '../support/config.ts';
import { type Ran, runVerb } from '../support/verb.ts';

const GOOD = `
store: ./relay.db
timezone: Europe/Berlin
sources:
  versive: { secret: ${SIGNING_SECRET} }
destinations:
  alpha: { connector: file, path: ./alpha.jsonl }
  dormant: { connector: file, path: ./dormant.jsonl, enabled: false }
routes:
  - { name: Enterprise, to: [alpha, dormant] }
`;

const BAD = GOOD.replace('path: ./alpha', 'pth: ./alpha');

/** A store with an event that waits at alpha (d1), dormant (d2) and a destination that is gone (d3), beside a config. */
async function setUp(
  t: TestContext,
  config: string,
): Promise<{ folder: string; write(config: string): Promise<void>; run(...args: string[]): Promise<Ran> }> {
  const folder = await makeFolder(t, { 'config.yaml': config });
  const store = await openStore(path.join(folder, 'relay.db'));
  await store.accept(newEvent({ destinations: ['alpha', 'dormant', 'gone'], receivedAt: Date.now() }));
  await store.close();
  return {
    folder,
    write: (text) => writeFile(path.join(folder, 'config.yaml'), text),
    run: (...args) => runVerb(args, { cwd: folder }),
  };
}

test('lists and lanes go on with the store that a bad config names', async (t) => {
  const { run } = await setUp(t, BAD);
  const events = await run('events');
  assert.deepEqual([events.code, /^e1 /m.test(events.out)], [0, true], events.err);
  assert.match(events.err, /no option "pth"/);
  assert.match(
    events.err,
    /\nconfig\.yaml has an error: going on with the store .*relay\.db, in Europe\/Berlin time\n$/,
  );
  const paused = await run('pause', 'alpha');
  assert.match(paused.out, /^alpha is paused: 1 delivery waits\./, paused.err);
  const held = await run('deliveries', '--state', 'held', '--json');
  assert.deepEqual(
    held.out
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { destination: string }).destination),
    ['alpha'],
    'nobody knows what is absent or disabled; what is paused is known',
  );
  assert.match((await run('resume', 'alpha')).out, /^alpha was paused; now it flows: 1 delivery waits/);
  const unknown = await run('pause', 'alpa');
  assert.equal(unknown.code, 1);
  assert.match(unknown.err, /nothing of a destination "alpa".* Did you mean "alpha"\?/);
  assert.equal((await run('send')).code, 78);
});

test('also when it is no YAML, or its timezone is wrong', async (t) => {
  const { run, write } = await setUp(t, `${GOOD}  - { name: Broken, to: [alpha }\n`);
  assert.equal((await run('events')).code, 0);
  await write(GOOD.replace('Europe/Berlin', 'Europe/Berln'));
  assert.match((await run('events')).err, /in UTC time/);
});

test('not when nobody can tell the store', async (t) => {
  const { run, write } = await setUp(t, GOOD);
  for (const text of [
    GOOD.replace('store:', 'stroe:'),
    GOOD.replace('./relay.db', ['$', '{NO_SUCH_FOLDER}/relay.db'].join('')),
    GOOD.replace('store:', 'store: ./other.db\nstore:'),
  ]) {
    await write(text);
    for (const verb of [['events'], ['pause', 'alpha'], ['explain', 'e1']]) {
      assert.equal((await run(...verb)).code, 78, text);
    }
  }
});

test('and no store is made where it may be the wrong one', async (t) => {
  const { folder, run } = await setUp(t, BAD.replace('./relay.db', './elsewhere.db'));
  assert.equal((await run('pause', 'alpha')).code, 1);
  assert.ok(!(await readdir(folder)).includes('elsewhere.db'));
});
