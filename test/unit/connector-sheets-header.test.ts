import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { SHEETS_SPREADSHEET } from '../../src/sandbox/sheets.ts';
import { haltOf, interview, receiptOf, scene } from '../support/sheets.ts';

describe('google-sheets: the header is a contract', () => {
  it('halts on a column that the tab lacks, says which, and writes nothing', async (t) => {
    const { deliver, draw, open } = await scene(t);
    const before = [['Interview ID', 'Notes', 'Extra']];
    const tab = draw(before);
    const { reason, detail, fix } = haltOf((await deliver([interview('int_1')]))[0]);
    assert.equal(reason, 'invalid');
    assert.equal(detail, 'The tab "Interviews" has no columns "Study", "Note". Row 1 has: Interview ID, Notes, Extra.');
    assert.match(fix, /^If "Note" is "Notes" now, name it so in the config, or rename it back in row 1\. /);
    assert.match(fix, /Write "Study", "Note" into free cells of row 1/);
    assert.deepEqual(tab.rows(), before);
    assert.deepEqual(
      (await open().check?.())?.map(({ message }) => message),
      [detail],
    );
  });

  it('halts on a column that is there twice', async (t) => {
    const { deliver, draw, open } = await scene(t);
    draw([['Interview ID', 'Study', 'Note', ' Study ']]);
    const { detail } = haltOf((await deliver([interview('int_1')]))[0]);
    assert.equal(detail, 'The tab "Interviews" has more than one column "Study": B and D.');
    assert.equal((await open().check?.())?.length, 1);
  });

  it('halts on an empty first row above others', async (t) => {
    const { deliver, draw, open } = await scene(t);
    const tab = draw([[], ['Our interviews']]);
    const { fix } = haltOf((await deliver([interview('int_1')]))[0]);
    assert.match(fix, /Put the names of the columns into row 1: Interview ID, Study, Note/);
    assert.equal(tab.rows().length, 2);
    assert.equal((await open().check?.())?.length, 1);
  });

  it('uses an empty tab that is there, however narrow', async (t) => {
    const { deliver, standIn } = await scene(t);
    const columns = Object.fromEntries(
      Array.from({ length: 40 }, (_, i) => [`Column ${i}`, `{{ interview.id }}-${i}`]),
    );
    receiptOf((await deliver([interview('int_1')], { tab: 'sheet1', columns }))[0]);
    assert.equal(standIn.tab('Sheet1')?.rows()[1]?.at(-1), 'int_1-39');
    assert.equal(standIn.spreadsheets.get(SHEETS_SPREADSHEET)?.tabs.length, 1);
  });

  it('adds the key column when `columns:` has none of its name', async (t) => {
    const { deliver, rows } = await scene(t);
    await deliver([interview('int_1')], { columns: { Study: '{{ study.title }}' }, key: 'ID' });
    assert.deepEqual(rows(), [
      ['ID', 'Study'],
      ['int_1', 'Checkout'],
    ]);
  });

  it('respects any order of the columns, with any of the team between them', async (t) => {
    const { deliver, draw } = await scene(t);
    let tabs = 0;
    const headers = fc
      .shuffledSubarray(['Interview ID', 'Study', 'Note', 'Owner', 'State', "It's done?"], { minLength: 6 })
      .map((names) => names);
    await fc.assert(
      fc.asyncProperty(headers, fc.nat(3), async (header, spaces) => {
        const title = `Tab ${tabs++}`;
        const tab = draw([header.map((name) => `${' '.repeat(spaces)}${name} `)], title);
        receiptOf((await deliver([interview('int_1')], { tab: title }))[0]);
        const [drawn = [], row = []] = tab.rows();
        assert.deepEqual(
          drawn.map((name) => String(name).trim()),
          header,
        );
        const cells = header.map((name, index) => [name, row[index] ?? null]);
        assert.deepEqual(Object.fromEntries(cells), {
          'Interview ID': 'int_1',
          Study: 'Checkout',
          Note: 'note of int_1',
          Owner: null,
          State: null,
          "It's done?": null,
        });
      }),
      { numRuns: 30 },
    );
  });
});
