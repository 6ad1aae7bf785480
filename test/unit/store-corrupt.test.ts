import assert from 'node:assert/strict';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { openStore } from '../../src/store/open.ts';
import { newEvent } from '../contracts/store/under-test.ts';
import { makeFolder } from '../support/folder.ts';
import { configText, interview, Sink, spawnRelay } from '../support/relay.ts';

test('a body that the disk has changed is told with its claim', async (t) => {
  const file = path.join(await makeFolder(t), 'relay.db');
  const store = await openStore(file);
  t.after(() => store.close());
  for (const subject of ['int_1', 'int_2'])
    await store.accept(newEvent({ subject, destinations: ['slack'], receivedAt: 1 }));
  const other = new DatabaseSync(file);
  other.exec("UPDATE body SET zstd = x'00112233' WHERE event = 1");
  other.close();
  const claims = await store.claim({ destination: 'slack', target: 'slack:C1', now: 2, limit: 10, except: [] });
  assert.deepEqual(
    claims.map(({ event, damage }) => [event.subject, damage !== undefined]),
    [
      ['int_1', true],
      ['int_2', false],
    ],
  );
  await assert.rejects(store.event('e1'), { code: 'RELAY_STORE_OPEN', message: /body of e1 cannot be read/ });
});

test('a delivery of it fails, those behind it go on, and the log says why', async (t) => {
  const sink = await Sink.start();
  t.after(() => sink.close());
  const folder = await makeFolder(t, {
    'config.yaml': configText(`destinations:
  hook: { connector: webhook, url: "${sink.url}" }
routes:
  - { name: all, to: hook }
`),
  });
  const file = path.join(folder, 'relay.db');
  const store = await openStore(file);
  for (const id of ['int_1', 'int_2']) {
    const body = Buffer.from(JSON.stringify(interview(id)));
    await store.accept(newEvent({ subject: id, destinations: ['hook'], receivedAt: 1, body }));
  }
  await store.close();
  const other = new DatabaseSync(file);
  other.exec("UPDATE body SET zstd = x'00112233' WHERE event = 1");
  other.close();
  const relay = await spawnRelay(folder);
  t.after(() => relay.kill('SIGKILL'));
  const line = await relay.log.step('delivery.attempted', ({ delivery }) => delivery === 'd1');
  assert.deepEqual([line.state, line.reason], ['failed', 'bug']);
  assert.match(String(line.detail), /cannot be read/);
  await relay.log.step('delivery.attempted', ({ delivery, state }) => delivery === 'd2' && state === 'delivered');
});
