import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { loadConnector } from '../../src/config/plugins.ts';
import { openDestination } from '../support/destination.ts';
import { makeItem } from '../support/item.ts';

test('the connector that the guide shows works as it is printed', async (t) => {
  const guide = await readFile(path.resolve(import.meta.dirname, '../../docs/house.md'), 'utf8');
  const code = /```ts\n([\s\S]*?)```/.exec(guide)?.[1] ?? '';
  const folder = await mkdtemp(path.join(tmpdir(), 'relay-test-'));
  t.after(() => rm(folder, { recursive: true }));
  await writeFile(path.join(folder, 'ntfy.ts'), code);
  const connector = await loadConnector(path.join(folder, 'ntfy.ts'), 'ntfy');

  const calls: { url: string; body: unknown }[] = [];
  const answer = { status: 200 };
  const destination = openDestination(
    connector,
    { topic: 'interviews', token: 'tk_of_a_test' },
    {
      fetch: async (url, init) => {
        calls.push({ url: String(url), body: init?.body });
        return new Response(null, { status: answer.status });
      },
    },
  );
  const item = makeItem();
  const attempt = { number: 1, signal: new AbortController().signal, checkpoint: async () => {} };
  assert.equal((await destination.deliver(item, attempt)).kind, 'delivered');
  assert.deepEqual(calls, [
    { url: 'https://ntfy.sh/interviews', body: `${item.payload.study.title}: ${item.payload.interview.vid}` },
  ]);
  answer.status = 401;
  assert.equal((await destination.deliver(item, attempt)).kind, 'halt');
});
