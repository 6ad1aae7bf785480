import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { serveStore } from '../../src/store/open.ts';
import { version } from '../../src/version.ts';
import { makeFolder, SIGNING_SECRET } from '../support/config.ts';
import { isTested, makeDatabase } from '../support/stores.ts';
import { type Ran, runVerb } from '../support/verb.ts';

const UNKNOWN = { id: null, host: null, version: null, started_at: null, config_hash: null, config: null };
const DIFFER = 'They run by different configs: what becomes of an event depends on which of them takes it.\n';

/** A folder whose config names the store, and the verb there. */
async function setUp(t: TestContext, store = './relay.db') {
  const config = `
store: ${store}
sources:
  versive: { secret: ${SIGNING_SECRET} }
destinations:
  alpha: { connector: file, path: ./alpha.jsonl }
routes:
  - { name: all, to: alpha }
`;
  const folder = await makeFolder(t, { 'config.yaml': config });
  const run = (...args: string[]) => runVerb(['replicas', ...args], { cwd: folder });
  return { file: path.join(folder, 'relay.db'), run };
}

function refused({ code, out, err }: Ran): void {
  assert.deepEqual([code, out], [1, '']);
  assert.match(err, /No relay serves the store .*\. \(RELAY_NOT_RUNNING\)\n +fix Start one with `versive-relay serve`/);
}

test('of a file, all that is told is whether a relay serves it', async (t) => {
  const { file, run } = await setUp(t);
  refused(await run());
  const serving = await serveStore(file);
  const { code, out } = await run();
  const json = JSON.parse((await run('--json')).out);
  await serving.close();
  assert.deepEqual([code, out], [0, `One relay serves the store ${file}, as many as can serve a file.\n`]);
  assert.deepEqual(json, UNKNOWN);
  refused(await run());
});

describe('of a database', { skip: !isTested('postgres') }, () => {
  test('none, while nobody serves it', async (t) => {
    const { run } = await setUp(t, await makeDatabase());
    refused(await run());
    refused(await run('--json'));
  });

  test('that there is no store yet, while it has no tables', async (t) => {
    const { run } = await setUp(t, await makeDatabase('template0'));
    for (const { code, out, err } of [await run(), await run('--json')]) {
      assert.deepEqual([code, out], [1, '']);
      assert.match(err, /there is no store at postgres:.* yet \(RELAY_STORE_OPEN\)\n +fix Make it with/);
    }
  });

  test('each that serves it, and which run by another config than most', async (t) => {
    const location = await makeDatabase();
    const { run } = await setUp(t, location);
    const relays = [await serveStore(location), await serveStore(location), await serveStore(location)];
    t.after(() => Promise.all(relays.map((relay) => relay.close())));
    const [first, second, third] = relays;
    const before = await run();
    assert.equal(before.code, 0);
    assert.match(before.out, /^ID +HOST +VERSION +SINCE +CONFIG\n/);
    assert.equal(before.out.match(/not told yet$/gm)?.length, 3);
    await Promise.all(relays.map((relay) => relay.announce('aaaaaaaa11')));
    const agreed = await run();
    assert.equal(agreed.out.match(/ aaaaaaaa same$/gm)?.length, 3);
    assert.ok(!agreed.out.includes(DIFFER));

    await third?.announce('bbbbbbbb22');
    const { out } = await run();
    assert.equal(out.match(/ aaaaaaaa same$/gm)?.length, 2);
    assert.equal(out.match(/ bbbbbbbb other$/gm)?.length, 1);
    assert.ok(out.endsWith(`other\n${DIFFER}`) || out.endsWith(`same\n${DIFFER}`));
    const lines = (await run('--json')).out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const listed = (await first?.replicas()) ?? [];
    const expected = listed.map(({ id, host, startedAt, configHash }) => ({
      id,
      host,
      version,
      started_at: new Date(startedAt).toISOString(),
      config_hash: configHash,
      config: configHash === 'bbbbbbbb22' ? 'other' : 'same',
    }));
    assert.deepEqual(lines, expected);

    // One of each: there is no config that most run by.
    await second?.close();
    assert.equal((await run()).out.match(/ other$/gm)?.length, 2);
  });
});
