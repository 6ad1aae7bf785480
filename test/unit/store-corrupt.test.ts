import assert from 'node:assert/strict';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { openStore } from '../../src/store/open.ts';
import { newEvent } from '../contracts/store/under-test.ts';
import { makeFolder } from '../support/folder.ts';

test('a body that the disk has changed fails its delivery, and those behind it go on', async (t) => {
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
    claims.map(({ event }) => event.subject),
    ['int_2'],
  );
  await assert.rejects(store.event('e1'), { code: 'RELAY_STORE_OPEN', message: /body of e1 cannot be read/ });
  const lost = await store.delivery('d1');
  assert.deepEqual([lost?.state, lost?.reason], ['failed', 'bug']);
  assert.match(lost?.detail ?? '', /cannot be read/);
});
