import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { JsonValue } from '../../src/connector.ts';
import { foundOf, interview, receiptOf, scene } from '../support/sheets.ts';

/** Cells of the team in a column without a name make the table wider than its header: appends begin there. */
const WIDE: [title: string, before: JsonValue[][]][] = [
  [
    'one column to the left',
    [
      [null, 'Interview ID', 'Study', 'Owner', 'State', 'Note'],
      ['draft', 'int_0', 'Old', 'Ada', 'done', 'old'],
    ],
  ],
  [
    'two columns to the left, with the key among others',
    [
      [null, null, 'Study', 'Tag', 'Interview ID', 'Note', 'Owner'],
      ['draft', 'x', 'Old', null, 'int_0', 'old', 'Ada'],
    ],
  ],
  [
    'two columns to the left, with the key last',
    [
      [null, null, 'Note', 'Study', 'Interview ID', 'Owner'],
      ['draft', 'x', 'old', 'Old', 'int_0', 'Ada'],
    ],
  ],
];

describe('google-sheets: rows that landed beside their columns', () => {
  const items = [interview('int_1'), interview('int_2')];

  for (const [title, before] of WIDE) {
    for (const [end, path, kind] of [
      ['the append’s answer was lost', ':append', 'reset-after-write'],
      ['they could not be put right', 'values:batchUpdate', '429'],
      ['the answer to putting them right was lost', 'values:batchUpdate', 'reset-after-write'],
    ] as const) {
      it(`are found when ${end}, and put right: ${title}`, async (t) => {
        const { deliver, find, draw, standIn } = await scene(t);
        const tab = draw(before);
        const [header = []] = before;
        standIn.faults.inject({ kind, times: 1, path });
        const outcomes = await deliver(items);
        assert.ok(
          outcomes.every((outcome) => outcome.kind === 'unknown' && outcome.reason !== 'bug'),
          JSON.stringify(outcomes),
        );
        // Before the relay comes back, someone takes the second.
        tab.write(3, header.indexOf('Owner'), [['Bob']], 'RAW');

        const receipts = (await find(items)).map(foundOf);
        const again = await deliver(items.map((item, index) => ({ ...item, receipt: receipts[index] })));
        assert.deepEqual(again.map(receiptOf), receipts);
        const cells = (id: string, owner: string | null) =>
          new Map<JsonValue, JsonValue>([
            ['Interview ID', id],
            ['Study', 'Checkout'],
            ['Note', `note of ${id}`],
            ['Owner', owner],
          ]);
        const expected = [cells('int_1', null), cells('int_2', 'Bob')].map((row) =>
          header.map((name) => row.get(name) ?? null),
        );
        const width = header.length;
        assert.deepEqual(
          tab.rows().map((row) => [...row, ...Array(width - row.length).fill(null)]),
          [...before, ...expected],
        );
        assert.deepEqual((await find(items)).map(foundOf), receipts);
      });
    }
  }

  it('are told from rows of the team that name the interview elsewhere', async (t) => {
    const { find, draw } = await scene(t);
    draw([
      [null, 'Follow-up of', 'Interview ID', 'Study', 'Note'],
      ['int_1', 'int_2', 'int_9', 'Checkout', 'a follow-up'],
      ['int_2'],
      ['int_1', 'Checkout'],
    ]);
    assert.deepEqual(
      (await find(items)).map(({ kind }) => kind),
      ['absent', 'absent'],
    );
  });

  it('are one for each item, though nothing but their notes tells them apart', async (t) => {
    const { deliver, find, draw, standIn } = await scene(t);
    const [, before = []] = WIDE[0] ?? [];
    const tab = draw(before);
    const columns = { 'Interview ID': 'int_1 int_2', Study: '', Note: '{{ interview.metadata.note }}' };
    standIn.faults.inject({ kind: 'reset-after-write', times: 1, path: ':append' });
    await deliver(items, { columns });
    const seen = (await find(items, { columns })).map(foundOf);
    await deliver(
      items.map((item, index) => ({ ...item, receipt: seen[index] })),
      { columns },
    );
    const notes = tab.rows().map((row) => row[5]);
    assert.deepEqual(notes.slice(2).sort(), ['note of int_1', 'note of int_2']);
  });

  it('are found beside the row of an earlier generation', async (t) => {
    const { deliver, find, draw, standIn } = await scene(t);
    const [, before = []] = WIDE[0] ?? [];
    const tab = draw(before);
    const [first] = await deliver([interview('int_1')]);
    standIn.faults.inject({ kind: 'reset-after-write', times: 1, path: ':append' });
    const item = interview('int_1', 'anew');
    const anew = { ...item, identity: { ...item.identity, generation: 2 }, earlier: [receiptOf(first)] };
    await deliver([anew]);
    const receipt = foundOf((await find([anew]))[0]);
    assert.equal(receipt.range, 'B4:F4');
    await deliver([{ ...anew, receipt }]);
    assert.deepEqual(tab.rows().slice(2), [
      [null, 'int_1', 'Checkout', null, null, 'note of int_1'],
      [null, 'int_1', 'Checkout', null, null, 'anew'],
    ]);
  });

  it('cost no other column to look for where the header begins at the edge', async (t) => {
    const { deliver, open, standIn } = await scene(t);
    await deliver(items);
    const ranges: string[] = [];
    const listening: typeof fetch = (input, init) => {
      ranges.push(decodeURIComponent(String(input).split('/values/')[1] ?? '').split('?')[0] ?? '');
      return fetch(input, init);
    };
    await open({}, { fetch: listening }).find?.(items, {
      number: 1,
      signal: AbortSignal.timeout(1000),
      checkpoint: async () => {},
    });
    assert.deepEqual(ranges, ['', "'Interviews'!1:1", "'Interviews'!A:A"]);
    assert.equal(standIn.calls.at(-1), 'GET values');
  });
});
