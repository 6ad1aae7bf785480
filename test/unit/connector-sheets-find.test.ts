import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Item, Receipt } from '../../src/connector.ts';
import type { Outcome } from '../../src/outcome.ts';
import { SHEETS_SPREADSHEET } from '../../src/sandbox/sheets.ts';
import { attempt, foundOf, haltOf, interview, receiptOf, scene } from '../support/sheets.ts';

const kindsOf = (ends: { kind: string }[]) => ends.map(({ kind }) => kind);

/** An interview whose note fills a cell: 40 of them are what one call takes. */
const long = (id: string) => interview(id, 'x'.repeat(50_000));

describe('google-sheets: looking for an earlier try', () => {
  it('looks for a whole batch with one read of the header and one of the keys, and gives the receipts of deliver', async (t) => {
    const { deliver, open, standIn } = await scene(t);
    const items = Array.from({ length: 200 }, (_, i) => interview(`int_${i}`));
    const outcomes = await deliver(items);
    const destination = open();
    const reads = async () => {
      standIn.calls.length = 0;
      const seen = await destination.find?.([...items].reverse(), attempt);
      assert.deepEqual(seen?.map(foundOf), outcomes.map(receiptOf).reverse());
      return standIn.calls;
    };
    assert.deepEqual(await reads(), ['GET spreadsheet', 'GET values', 'GET values']);
    assert.deepEqual(await reads(), ['GET values', 'GET values'], 'once it knows the tab');
  });

  it('makes no tab and no header', async (t) => {
    const { find, standIn, rows } = await scene(t);
    const tabs = () => standIn.spreadsheets.get(SHEETS_SPREADSHEET)?.tabs.map(({ title }) => title);
    assert.deepEqual(kindsOf(await find([interview('int_1'), interview('int_2')])), ['absent', 'absent']);
    assert.deepEqual(tabs(), ['Sheet1']);
    assert.deepEqual(kindsOf(await find([interview('int_1')], { tab: 'Sheet1' })), ['absent']);
    assert.deepEqual(standIn.tab('Sheet1')?.rows(), []);
    assert.deepEqual(rows(), []);
  });

  it('halts as deliver would where the header does not fit', async (t) => {
    const { deliver, find, draw } = await scene(t);
    draw([['Interview ID', 'Notes']], 'Foreign');
    // Their rows are there: to believe them absent would double them once the header is back.
    draw([[], ['int_1']], 'Beheaded');
    for (const tab of ['Foreign', 'Beheaded']) {
      const [seen, other] = await find([interview('int_1'), interview('int_2')], { tab });
      const [outcome] = await deliver([interview('int_1')], { tab });
      assert.deepEqual(haltOf(seen), haltOf(outcome));
      assert.deepEqual(other, seen);
    }
  });

  it('cannot tell what it could not read, and asks again', async (t) => {
    const { deliver, find, standIn } = await scene(t);
    await deliver([interview('int_1')]);
    for (const kind of ['500', 'reset'] as const) {
      for (const path of ['1%3A1', 'A%3AA']) {
        standIn.faults.inject({ kind, times: 1, path });
        assert.deepEqual(kindsOf(await find([interview('int_1'), interview('int_2')])), ['retry', 'retry']);
      }
    }
    standIn.spreadsheets.get(SHEETS_SPREADSHEET)?.editors.clear();
    assert.deepEqual(kindsOf(await find([interview('int_1')])), ['halt']);
  });

  it('rejects an item whose template cannot be rendered, and looks for the others', async (t) => {
    const { deliver, find } = await scene(t);
    const columns = { Note: '{% for i in (1..interview.metadata.note) %}{{ i }}{% endfor %}' };
    const items = [interview('int_1', 1e9), interview('int_2', 3)];
    await deliver(items, { columns });
    assert.deepEqual(kindsOf(await find(items, { columns })), ['reject', 'found']);
  });

  it('knows any id again, and takes no header for a row', async (t) => {
    const { deliver, find } = await scene(t);
    const items = ['half \ud800 a pair', '007', '=1+1', ' spaced '].map((id) => interview(id));
    await deliver(items);
    const seen = await find([...items, interview('Interview ID')]);
    assert.deepEqual(kindsOf(seen), ['found', 'found', 'found', 'found', 'absent']);
  });

  it('knows a key again that is a number', async (t) => {
    const { deliver, find, rows } = await scene(t);
    const columns = { 'Interview ID': '{{ interview.id | plus: 0 }}' };
    const [outcome] = await deliver([interview('1001')], { columns });
    assert.equal(rows()[1]?.[0], 1001);
    assert.deepEqual(foundOf((await find([interview('1001')], { columns }))[0]), receiptOf(outcome));
  });
});

describe('google-sheets: a batch of which some rows landed', () => {
  const items = Array.from({ length: 100 }, (_, i) => long(`int_${i}`));
  /** What the relay does next: what was found goes on as an update, and what is absent is sent. */
  const goOn = (batch: Item[], seen: { kind: string }[]) =>
    batch.map((item, index) => {
      const sighting = seen[index] as { kind: string; receipt?: Receipt };
      assert.match(sighting.kind, /^(found|absent)$/);
      return { ...item, receipt: sighting.receipt };
    });

  for (const [title, kind, landed] of [
    ['lands, and its answer is lost', 'reset-after-write', true],
    ['is answered 503, and lands all the same', '503-after-write', true],
    ['does not land', 'reset', false],
  ] as const) {
    it(`writes only the rest when the second append ${title}`, async (t) => {
      const { deliver, find, rowsById, standIn } = await scene(t);
      standIn.faults.inject({ kind: 'slow', ms: 0, times: 1, path: ':append' });
      standIn.faults.inject({ kind, times: 1, path: ':append' });
      const outcomes = await deliver(items);
      const kinds = kindsOf(outcomes);
      const [first, unclear] = [kinds.indexOf('unknown'), kinds.lastIndexOf('unknown') + 1];
      assert.deepEqual(new Set(kinds.slice(0, first)), new Set(['delivered']));
      assert.deepEqual(new Set(kinds.slice(unclear)), new Set(['retry']));

      const seen = await find(items);
      assert.deepEqual(seen.slice(0, first).map(foundOf), outcomes.slice(0, first).map(receiptOf));
      const there = landed ? unclear : first;
      assert.deepEqual(
        kindsOf(seen),
        items.map((_, index) => (index < there ? 'found' : 'absent')),
      );

      const again = await deliver(goOn(items, seen));
      assert.deepEqual(new Set(kindsOf(again)), new Set(['delivered']));
      assert.deepEqual(Object.values(rowsById()), Array(100).fill(1));
      assert.deepEqual((await find(items)).map(foundOf), again.map(receiptOf));
    });
  }

  it('finds rows that land after the call has timed out', async (t) => {
    const { open, find, rowsById, standIn } = await scene(t);
    await open().deliver(interview('int_0'), attempt);
    const impatient: typeof fetch = (input, init) => fetch(input, { ...init, signal: AbortSignal.timeout(100) });
    standIn.faults.inject({ kind: 'slow', ms: 400, times: 1, path: ':append' });
    const batch = [interview('int_1'), interview('int_2')];
    const outcomes = await open({}, { fetch: impatient }).deliverMany?.(batch, attempt);
    assert.deepEqual(
      outcomes?.map((outcome) => outcome.kind === 'unknown' && outcome.reason),
      ['timeout', 'timeout'],
    );
    assert.deepEqual(kindsOf(await find(batch)), ['absent', 'absent'], 'not yet');
    while (rowsById().int_1 === undefined) await sleep(20);
    const seen = await find(batch);
    const again = await open().deliverMany?.(goOn(batch, seen), attempt);
    assert.deepEqual(again?.map(receiptOf), seen.map(foundOf));
    assert.deepEqual(rowsById(), { int_0: 1, int_1: 1, int_2: 1 });
  });

  it('waits as long as Google may work on a call before it believes that nothing came of it', async (t) => {
    const { open } = await scene(t);
    assert.equal(open().settles, 30_000);
  });
});

describe('google-sheets: people change the sheet meanwhile', () => {
  const found = async (find: (items: Item[]) => Promise<{ kind: string }[]>, items: Item[]) => {
    const seen = (await find(items)) as { kind: string; receipt: Receipt }[];
    return items.map((item, index) => ({ ...item, receipt: seen[index]?.receipt }));
  };

  it('finds by key what was sorted and pushed down, before the look and after it', async (t) => {
    const { deliver, find, rowsById, standIn, rows } = await scene(t);
    const [outcome] = await deliver(['int_1', 'int_2', 'int_3'].map((id) => interview(id)));
    const tab = standIn.tab('Interviews');
    tab?.insertRows(1, 2);
    tab?.moveRow(3, 5);
    const late = await found(find, [interview('int_1', 'changed')]);
    assert.equal(late[0]?.receipt?.range, 'A6:C6');
    const stale = { ...interview('int_1'), receipt: receiptOf(outcome) };
    assert.equal(foundOf((await find([stale]))[0]).range, 'A6:C6', 'whatever the ledger says');
    tab?.moveRow(5, 1);
    assert.equal(receiptOf((await deliver(late))[0]).range, 'A2:C2');
    assert.deepEqual(rowsById(), { int_1: 1, '': 2, int_2: 1, int_3: 1 });
    assert.equal(rows()[1]?.[2], 'changed');
  });

  it('makes anew, once, what a person deleted', async (t) => {
    const { deliver, find, rowsById, standIn } = await scene(t);
    const [outcome] = await deliver([interview('int_1'), interview('int_2')]);
    const seen = await found(find, [interview('int_1')]);
    standIn.tab('Interviews')?.deleteRow(1);
    const ledger = { ...interview('int_1'), receipt: receiptOf(outcome) };
    assert.deepEqual(kindsOf(await find([ledger, interview('int_1')])), ['absent', 'absent']);
    const [again] = await deliver(seen);
    assert.deepEqual(rowsById(), { int_2: 1, int_1: 1 });
    await deliver([{ ...interview('int_1'), receipt: receiptOf(again) }]);
    assert.deepEqual(rowsById(), { int_2: 1, int_1: 1 });
  });

  it('of an update without an answer says that it may be repeated, though it has changed the key', async (t) => {
    const { deliver, find, rowsById, standIn } = await scene(t);
    const [first] = await deliver([interview('int_1'), interview('int_2')]);
    const ledger = { ...interview('int_1', 'changed'), receipt: receiptOf(first) };
    const columns = { 'Interview ID': 'No. {{ interview.id }}', Note: '{{ interview.metadata.note }}' };
    assert.equal(foundOf((await find([ledger], { columns }))[0]).key, 'int_1', 'by the key that it has still');
    for (const kind of ['reset-after-write', '503-after-write', 'reset'] as const) {
      standIn.faults.inject({ kind, times: 1, path: 'values:batchUpdate' });
      assert.deepEqual(kindsOf(await deliver([ledger], { columns })), ['retry'], kind);
    }
    assert.deepEqual(rowsById(), { 'No. int_1': 1, int_2: 1 });
    assert.equal(foundOf((await find([ledger], { columns }))[0]).key, 'No. int_1');
    assert.equal(receiptOf((await deliver([ledger], { columns }))[0]).range, 'A2:C2');
    assert.deepEqual(rowsById(), { 'No. int_1': 1, int_2: 1 });
  });
});

describe('google-sheets: whose row it is', () => {
  /** The same interview, posted anew after earlier generations. */
  const anew = (earlier: (Outcome | undefined)[], receipt?: Receipt): Item => {
    const item = interview('int_1', 'anew');
    const identity = { ...item.identity, generation: earlier.length + 1 };
    return { ...item, identity, earlier: earlier.map(receiptOf), receipt };
  };

  it('is not that of an earlier generation, wherever it stands', async (t) => {
    const { deliver, find, standIn } = await scene(t);
    const tab = () => standIn.tab('Interviews');
    const [first] = await deliver([interview('int_1'), interview('int_2'), interview('int_3')]);
    assert.deepEqual(kindsOf(await find([anew([first])])), ['absent']);
    const [second] = await deliver([anew([first])]);
    const third = anew([first, second]);
    assert.deepEqual(kindsOf(await find([third])), ['absent']);
    const [made] = await deliver([third]);
    assert.deepEqual(foundOf((await find([third]))[0]), receiptOf(made));
    // Of three rows with two older generations, one is the third's: the last as a rule.
    tab()?.moveRow(1, 3);
    assert.deepEqual(foundOf((await find([third]))[0]), receiptOf(made));
  });

  it('cannot be told when earlier rows have moved and there are no more than those', async (t) => {
    const { deliver, find, standIn, rowsById } = await scene(t);
    const [first] = await deliver([interview('int_1'), interview('int_2'), interview('int_3')]);
    standIn.tab('Interviews')?.moveRow(1, 3);
    const [seen] = await find([anew([first])]);
    assert.ok(seen?.kind === 'blind', JSON.stringify(seen));
    assert.match(seen.detail, /moved or deleted/);
    assert.match(seen.fix, /delete one that is there twice/);
    await deliver([anew([first])]);
    assert.deepEqual(kindsOf(await find([anew([first])])), ['found'], 'one more than those');
    assert.equal(rowsById().int_1, 2);
  });

  it('is the one that is left, though it has come up to where an earlier one was', async (t) => {
    const { deliver, find, standIn, rows } = await scene(t);
    const [first] = await deliver([interview('int_1')]);
    const [second] = await deliver([anew([first])]);
    standIn.tab('Interviews')?.deleteRow(1);
    const known = anew([first], receiptOf(second));
    assert.equal(foundOf((await find([known]))[0]).range, 'A2:C2');
    assert.equal(receiptOf((await deliver([known]))[0]).range, 'A2:C2');
    assert.equal(rows().length, 2);
  });

  it('is not an earlier one that stands below it', async (t) => {
    const { deliver, find, standIn } = await scene(t);
    const [, , first] = await deliver([interview('int_2'), interview('int_3'), interview('int_1')]);
    const [second] = await deliver([anew([first])]);
    standIn.tab('Interviews')?.deleteRow(1);
    standIn.tab('Interviews')?.moveRow(3, 1);
    assert.equal(foundOf((await find([anew([first], receiptOf(second))]))[0]).range, 'A2:C2');
  });

  it('is not one with a new key that any interview may have', async (t) => {
    const { deliver, rowsById, standIn } = await scene(t);
    const columns = { 'Interview ID': '{{ study.title }}', Note: '{{ interview.metadata.note }}' };
    const [first] = await deliver([interview('int_1')]);
    standIn.tab('Interviews')?.deleteRow(1);
    await deliver([interview('int_2')], { columns });
    await deliver([{ ...interview('int_1'), receipt: receiptOf(first) }], { columns });
    assert.deepEqual(rowsById(), { Checkout: 2 });
  });

  it('may be another interview’s where the key does not hold the id, and it says so', async (t) => {
    const { deliver, find, rowsById } = await scene(t);
    const columns = { 'Interview ID': '{{ study.title }}' };
    const items = [interview('int_1'), interview('int_2')];
    assert.deepEqual(kindsOf(await find(items, { columns })), ['absent', 'absent'], 'nobody’s row has the key');
    const [first] = await deliver([interview('int_1')], { columns });
    for (const seen of await find(items, { columns })) {
      assert.ok(seen.kind === 'blind', JSON.stringify(seen));
      assert.match(seen.fix, /Set the column that `key:` names to "\{\{ interview\.id \}\}"/);
    }
    const ledger = { ...interview('int_1'), receipt: receiptOf(first) };
    assert.deepEqual(kindsOf(await find([ledger], { columns })), ['found'], 'the ledger knows it');
    await deliver([interview('int_2')], { columns });
    assert.deepEqual(rowsById(), { Checkout: 2 });
  });

  it('is no row that another item of the call has', async (t) => {
    const { deliver, find, rows, standIn } = await scene(t);
    // Two interviews whose ids a template makes one key of.
    const columns = { 'Interview ID': 'int_1 int_2', Note: '{{ interview.metadata.note }}' };
    const items = [interview('int_1'), interview('int_2')];
    const outcomes = await deliver(items, { columns });
    assert.deepEqual(kindsOf(await find(items, { columns })), ['blind', 'blind']);
    const known = items.map((item, index) => ({ ...item, receipt: receiptOf(outcomes[index]) }));
    assert.deepEqual(
      (await find([...known].reverse(), { columns })).map(foundOf),
      known.map(({ receipt }) => receipt).reverse(),
    );
    standIn.tab('Interviews')?.insertRows(1, 5);
    const moved = (await find(known, { columns })).map(foundOf);
    assert.notEqual(moved[0]?.range, moved[1]?.range);
    await deliver(known, { columns });
    assert.deepEqual(
      rows()
        .slice(6)
        .map(([, note]) => note)
        .sort(),
      ['note of int_1', 'note of int_2'],
    );
  });
});
