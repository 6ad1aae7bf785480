import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { it } from 'node:test';
import file from '../../connectors/file.ts';
import type { Attempt, Item, JsonObject, JsonValue } from '../../src/connector.ts';
import { openDestination } from '../support/destination.ts';
import { makeFolder } from '../support/folder.ts';
import { makeItem, makePayload } from '../support/item.ts';

const attempt: Attempt = { number: 1, signal: new AbortController().signal, checkpoint: async () => {} };

/** Deeper than what JSON.stringify can write. */
function nested(): JsonValue {
  let value: JsonValue = 1;
  for (let level = 0; level < 20_000; level += 1) value = [value];
  return value;
}

/** An item that JSON.stringify cannot write; its body is of no interest here. */
function deep(): Item {
  return { ...makeItem(), payload: { ...makePayload(), nested: nested() } };
}

const broken = makeItem(makePayload({ interview: { title: '%E0%A4%A' } }));
const cases: [title: string, item: Item, options: JsonObject][] = [
  ['too deep for JSON', deep(), {}],
  ['that its template cannot take', broken, { line: '{{ interview.vid }} {{ interview.title | url_decode }}' }],
];
for (const [title, bad, options] of cases) {
  it(`file: an item ${title} is rejected, and the others of its batch get their lines`, async (t) => {
    const folder = await makeFolder(t);
    const destination = openDestination(file, { path: 'out.jsonl', ...options }, { folder });
    const good = ['one', 'two'].map((vid) => makeItem(makePayload({ interview: { vid } })));
    const [first, rejected, second] = await (destination.deliverMany?.([good[0], bad, good[1]] as Item[], attempt) ??
      []);
    assert.ok(rejected?.kind === 'reject' && rejected.reason === 'invalid', JSON.stringify(rejected));
    assert.match(rejected.fix, /`line:`/);
    const text = await readFile(path.join(folder, 'out.jsonl'), 'utf8');
    const lines = text.split('\n').slice(0, -1);
    assert.equal(lines.length, 2);
    for (const [index, outcome] of [first, second].entries()) {
      assert.ok(outcome?.kind === 'delivered', JSON.stringify(outcome));
      const line = Buffer.from(text).subarray(Number(outcome.receipt.offset)).toString().split('\n')[0];
      assert.equal(line, lines[index]);
      assert.ok(line?.includes(['one', 'two'][index] ?? '?'), line);
    }
    assert.equal((await destination.deliver(bad, attempt)).kind, 'reject');
  });
}
