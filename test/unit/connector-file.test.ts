import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { appendFile, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import file from '../../connectors/file.ts';
import type { Attempt, Item, JsonObject } from '../../src/connector.ts';
import { connectorContract } from '../contracts/connector.ts';
import { openDestination } from '../support/destination.ts';
import { makeFolder, openFolder } from '../support/folder.ts';
import { makeItem, makePayload } from '../support/item.ts';

const attempt: Attempt = { number: 1, signal: new AbortController().signal, checkpoint: async () => {} };

function linesOf(name: string): string[] {
  try {
    return readFileSync(name, 'utf8').split('\n').slice(0, -1);
  } catch {
    return [];
  }
}

connectorContract('file', async () => {
  const { folder, remove } = await openFolder();
  const name = path.join(folder, 'interviews.jsonl');
  return {
    connector: file,
    options: { path: name },
    refused: { path: path.join(folder, 'nowhere', 'interviews.jsonl') },
    secrets: ['no-secret-is-configured-here'],
    arrived: () => linesOf(name).length,
    close: remove,
  };
});

async function scene(t: TestContext) {
  const folder = await makeFolder(t);
  const name = path.join(folder, 'out.jsonl');
  const open = (options: JsonObject = {}) => openDestination(file, { path: 'out.jsonl', ...options }, { folder });
  const deliver = (item: Item = makeItem(), options: JsonObject = {}) => open(options).deliver(item, attempt);
  return { folder, name, open, deliver };
}

describe('file', () => {
  it('appends {id, received_at, event}, in a file beside the config that only its owner reads', async (t) => {
    const { deliver, name } = await scene(t);
    await deliver();
    await deliver(makeItem(makePayload({ interview: { id: 'int_2' } })));
    const lines = linesOf(name).map((line) => JSON.parse(line));
    assert.deepEqual(lines[0], { id: 'e1', received_at: '2026-11-23T14:05:10.000Z', event: makePayload() });
    assert.equal(lines[1].event.interview.id, 'int_2');
    assert.equal((await stat(name)).mode & 0o777, 0o600);
  });

  it('writes a line of the config: an object as JSON, a text on one line', async (t) => {
    const { deliver, name } = await scene(t);
    const item = makeItem(makePayload({ study: { title: 'two\nlines "quoted"' } }));
    await deliver(item, { line: { who: '{{ interview.vid }}', study: '{{ study.title }}' } });
    await deliver(item, { line: '{{ interview.vid }}: {{ study.title }}' });
    assert.deepEqual(JSON.parse(linesOf(name)[0] ?? ''), { who: 'participant-17', study: 'two\nlines "quoted"' });
    assert.equal(linesOf(name)[1], 'participant-17: two lines "quoted"');
  });

  it('repeats no line that has a receipt', async (t) => {
    const { deliver, name } = await scene(t);
    const outcome = await deliver();
    assert.ok(outcome.kind === 'delivered');
    const again = await deliver(makeItem(makePayload(), { receipt: outcome.receipt }));
    assert.deepEqual(again, outcome);
    assert.equal(linesOf(name).length, 1);
  });

  it('gives what a crash left half-written a line of its own', async (t) => {
    const { deliver, name } = await scene(t);
    await deliver();
    await appendFile(name, '{"id":"e2","received_at":"20');
    const outcome = await deliver();
    const lines = linesOf(name);
    assert.equal(lines.length, 3);
    assert.equal(JSON.parse(lines[2] ?? '').id, 'e1');
    assert.ok(outcome.kind === 'delivered');
    const offset = Number(outcome.receipt.offset);
    assert.equal((await readFile(name)).subarray(offset).toString(), `${lines[2]}\n`);
  });

  it('retries when the disk is full', async (t) => {
    if (process.platform !== 'linux') return t.skip('/dev/full is of Linux');
    const outcome = await openDestination(file, { path: '/dev/full' }).deliver(makeItem(), attempt);
    assert.ok(outcome.kind === 'retry' && /no space/.test(outcome.detail), JSON.stringify(outcome));
  });

  it('halts with a fix when the folder is missing, or the path is a folder; check() finds it too', async (t) => {
    const { deliver, open, folder } = await scene(t);
    await mkdir(path.join(folder, 'sub'));
    await writeFile(path.join(folder, 'text'), '');
    const cases: [options: JsonObject, fix: RegExp][] = [
      [{ path: 'nowhere/out.jsonl' }, /mkdir -p .*nowhere/],
      [{ path: 'sub' }, /Name a file/],
      [{ path: 'text/out.jsonl' }, /mkdir/],
    ];
    for (const [options, fix] of cases) {
      const outcome = await deliver(makeItem(), options);
      assert.ok(outcome.kind === 'halt', JSON.stringify(outcome));
      assert.match(outcome.fix, fix);
      assert.match((await open(options).check?.())?.[0]?.fix ?? '', fix);
    }
  });
});
