import assert from 'node:assert/strict';
import { chmod, mkdir, readFile, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { inspect } from 'node:util';
import file from '../../connectors/file.ts';
import type { Attempt, Item, JsonObject, Receipt } from '../../src/connector.ts';
import type { Outcome, Sighting } from '../../src/outcome.ts';
import { openDestination } from '../support/destination.ts';
import { makeFolder } from '../support/folder.ts';
import { makeItem, makePayload } from '../support/item.ts';

const attempt: Attempt = { number: 1, signal: new AbortController().signal, checkpoint: async () => {} };

async function scene(t: TestContext) {
  const folder = await makeFolder(t);
  const name = path.join(folder, 'out.jsonl');
  const open = (options: JsonObject = {}) => openDestination(file, { path: 'out.jsonl', ...options }, { folder });
  const deliver = async (item: Item, options: JsonObject = {}) => receiptOf(await open(options).deliver(item, attempt));
  const find = async (items: Item[], options: JsonObject = {}) => (await open(options).find?.(items, attempt)) ?? [];
  const look = async (item: Item, options: JsonObject = {}) => (await find([item], options))[0] as Sighting;
  const text = () => readFile(name, 'utf8');
  return { folder, name, open, deliver, find, look, text };
}

function receiptOf(outcome: Outcome): Receipt {
  assert.ok(outcome.kind === 'delivered', inspect(outcome));
  return outcome.receipt;
}

function assertBlind(seen: Sighting, detail: RegExp, fix: RegExp): void {
  assert.ok(seen.kind === 'blind', inspect(seen));
  assert.match(seen.detail, detail);
  assert.match(seen.fix, fix);
}

/** The interview `int_<id>` of one study, and one participant's; its event is `e<id>`. */
function of(id: string, over: Partial<Item> = {}): Item {
  const item = makeItem(makePayload({ interview: { id: `int_${id}`, vid: 'participant-17' } }), over);
  return { ...item, event: { ...item.event, id: `e${id}` } };
}

/** What a file is filled up with by `truncate`: one endless line of zeros that the disk need not hold. */
const MEGABYTE = 2 ** 20;

describe('file: looking for a line', () => {
  it('finds it wherever it stands, with the receipt that its delivery gave', async (t) => {
    const { deliver, find } = await scene(t);
    // Lines of 0 to 3 MB: within chunks of the look, over their borders, and longer than they are.
    const items = [0, 10, 700_000, 3 * MEGABYTE, 1, 350_000].map((length, index) => {
      const payload = makePayload({ interview: { id: `int_${index}`, transcript: 'x'.repeat(length) } });
      const item = makeItem(payload);
      return { ...item, event: { ...item.event, id: `e${index}` } };
    });
    const receipts: Receipt[] = [];
    for (const item of items) receipts.push(await deliver(item));
    const seen = await find(items.toReversed());
    assert.deepEqual(
      seen,
      receipts.toReversed().map((receipt) => ({ kind: 'found', receipt })),
    );
  });

  it('is over at once: nothing of a dead process can still arrive', async (t) => {
    const { open } = await scene(t);
    assert.equal(open().settles, 0);
  });

  it('takes no line that was cut short, and the next delivery completes it', async (t) => {
    const { deliver, look, name, text } = await scene(t);
    await deliver(of('1'));
    const before = (await text()).length;
    const receipt = await deliver(of('2'));
    const whole = await text();
    for (const cut of [-1, -20, before + 1]) {
      await writeFile(name, whole.slice(0, cut));
      assert.equal((await look(of('2'))).kind, 'absent');
      assert.equal((await look(of('1'))).kind, 'found');
      assert.deepEqual(await deliver(of('2')), receipt);
      assert.equal(await text(), whole);
    }
  });

  it('ends a line that was cut short when another comes before it, and completes it among several', async (t) => {
    const { deliver, open, name, look, text } = await scene(t);
    await deliver(of('1'));
    const first = await text();
    await writeFile(name, first.slice(0, -20));
    await deliver(of('2'));
    const [torn, second] = (await text()).split('\n');
    assert.equal(torn, first.slice(0, -20));
    await writeFile(name, second?.slice(0, -5) ?? '');
    const outcomes = (await open().deliverMany?.([of('1'), of('2'), of('3')], attempt)) ?? [];
    assert.deepEqual(
      (await text()).split('\n').map((line) => line && JSON.parse(line).id),
      ['e2', 'e1', 'e3', ''],
    );
    for (const [index, outcome] of outcomes.entries())
      assert.deepEqual(await look(of(`${index + 1}`)), { kind: 'found', receipt: receiptOf(outcome) });
  });

  it('takes no part of a longer line', async (t) => {
    const { deliver, look, name, text } = await scene(t);
    await deliver(of('1'));
    await writeFile(name, `and ${await text()}`);
    assert.equal((await look(of('1'))).kind, 'absent');
  });

  it('looks through the last 64 MB, and says that it is blind to what is before them', async (t) => {
    const { deliver, find, look, name } = await scene(t);
    await deliver(of('1'));
    await truncate(name, 70 * MEGABYTE);
    const receipt = await deliver(of('2'));
    const [first, second] = await find([of('1'), of('2')]);
    assert.ok(first);
    assertBlind(first, /last 64 MB/, /two lines of the interview, delete one/);
    assert.deepEqual(second, { kind: 'found', receipt });
    await truncate(name, 140 * MEGABYTE);
    assertBlind(await look(of('2')), /last 64 MB/, /delete one/);
  });

  it('finds the first line of a file of nearly 64 MB, and knows what is in none of it', async (t) => {
    const { deliver, look, name } = await scene(t);
    const receipt = await deliver(of('1'));
    await truncate(name, 63 * MEGABYTE);
    assert.deepEqual(await look(of('1')), { kind: 'found', receipt });
    assert.deepEqual(await look(of('2')), { kind: 'absent' });
  });
});

describe('file: whose line it is', () => {
  const line = '{{ study.title }}: {{ interview.vid }}';

  it('trusts no line that another interview may have given, and says what to put into `line:`', async (t) => {
    const { deliver, look } = await scene(t);
    assert.equal((await look(of('2'), { line })).kind, 'absent');
    await deliver(of('1'), { line });
    assertBlind(await look(of('2'), { line }), /other interviews/, /\{\{ event\.id \}\} or \{\{ interview\.id \}\}/);
  });

  it('does not mistake fixed words, or a part of an id, for an id', async (t) => {
    const { deliver, look } = await scene(t);
    const same = (over: Partial<Item>) => ({ ...of('2'), ...over });
    for (const alike of ['e2: {{ study.title }}', 'int_2', '{{ interview.id | slice: 0, 3 }}']) {
      await deliver(same({}), { line: alike });
      assert.equal((await look(same({}), { line: alike })).kind, 'blind', alike);
    }
  });

  for (const own of ['{{ event.id }} {{ study.title }}', { key: ['{{ interview.id }}'] }]) {
    it(`trusts ${JSON.stringify(own)}`, async (t) => {
      const { deliver, look } = await scene(t);
      const quoted = makeItem(makePayload({ interview: { id: 'int "1"' } }));
      for (const item of [of('1'), quoted]) {
        const receipt = await deliver(item, { line: own });
        assert.deepEqual(await look(item, { line: own }), { kind: 'found', receipt });
      }
      assert.equal((await look(of('2'), { line: own })).kind, 'absent');
    });
  }

  it('takes no line of an earlier generation', async (t) => {
    const { deliver, look, text } = await scene(t);
    const first = await deliver(of('1'));
    const again = of('1', { earlier: [first] });
    assert.equal((await look(again)).kind, 'absent');
    const second = await deliver(again);
    assert.deepEqual(await look(again), { kind: 'found', receipt: second });
    const third = of('1', { earlier: [first, second] });
    assert.equal((await look(third)).kind, 'absent');
    assert.equal((await text()).split('\n').length, 3);
  });

  it('gives one line to one item only', async (t) => {
    const { deliver, find } = await scene(t);
    const first = await deliver(of('1'));
    const twice = await find([of('1'), of('1')]);
    assert.deepEqual(twice, [{ kind: 'found', receipt: first }, { kind: 'absent' }]);
    const kept = await find([of('1'), of('1', { receipt: first })]);
    assert.deepEqual(kept, [{ kind: 'absent' }, { kind: 'found', receipt: first }]);
    const second = await deliver(of('1', { earlier: [first] }));
    const seen = await find([of('1'), of('1')]);
    assert.deepEqual(seen, [
      { kind: 'found', receipt: second },
      { kind: 'found', receipt: first },
    ]);
  });
});

describe('file: looking where a receipt says', () => {
  it('finds what is there, however far back and whatever `line:` says today', async (t) => {
    const { deliver, look, name } = await scene(t);
    await deliver(of('2'));
    const receipt = await deliver(of('1'));
    await truncate(name, 70 * MEGABYTE);
    assert.deepEqual(await look(of('1', { receipt }), { line: '{{ event.id }}' }), { kind: 'found', receipt });
  });

  it('does not believe a receipt whose line is gone', async (t) => {
    const { deliver, look, name, text } = await scene(t);
    await deliver(of('2'));
    const receipt = await deliver(of('1'));
    const whole = await text();
    for (const left of ['', whole.slice(0, -5), `x${whole}`.slice(0, -1)]) {
      await writeFile(name, left);
      assert.equal((await look(of('1', { receipt }))).kind, 'absent', inspect(left.length));
    }
    await writeFile(name, `x${whole}`);
    const moved = { ...receipt, offset: Number(receipt.offset) + 1 };
    assert.deepEqual(await look(of('1', { receipt })), { kind: 'found', receipt: moved });
  });
});

describe('file: where it cannot look', () => {
  it('takes a missing file or folder for one without lines', async (t) => {
    const { look } = await scene(t);
    assert.equal((await look(of('1'))).kind, 'absent');
    assert.equal((await look(of('1'), { path: 'nowhere/out.jsonl' })).kind, 'absent');
  });

  it('halts where a delivery would, with the fix', async (t) => {
    const { look, folder } = await scene(t);
    await mkdir(path.join(folder, 'sub'));
    await writeFile(path.join(folder, 'text'), '');
    const seen = [await look(of('1'), { path: 'sub' }), await look(of('1'), { path: 'text/out.jsonl' })];
    assert.deepEqual(
      seen.map((each) => each.kind === 'halt' && each.reason),
      ['invalid', 'not_found'],
    );
  });

  it('waits for no pipe or device', async (t) => {
    if (process.platform !== 'linux') return t.skip('/dev/null is not everywhere');
    const { look } = await scene(t);
    assertBlind(await look(of('1'), { path: '/dev/null' }), /cannot be read back/, /Name a file of a disk/);
  });

  it('rejects an item that gives no line, and looks for the others', async (t) => {
    const { deliver, find } = await scene(t);
    const line = '{{ event.id }} {{ interview.title | url_decode }}';
    const receipt = await deliver(of('1'), { line });
    const bad = makeItem(makePayload({ interview: { title: '%E0%A4%A' } }));
    const [first, second] = await find([bad, of('1')], { line });
    assert.ok(first?.kind === 'reject', inspect(first));
    assert.deepEqual(second, { kind: 'found', receipt });
  });

  it('says that a file that cannot be opened is to be tried again, or what to do', async (t) => {
    if (process.getuid?.() === 0) return t.skip('root reads everything');
    const { deliver, look, name } = await scene(t);
    await deliver(of('1'));
    await chmod(name, 0o200);
    const seen = await look(of('1'));
    assert.ok(seen.kind === 'halt' && seen.reason === 'forbidden' && /read and write/.test(seen.fix), inspect(seen));
  });
});

it('file: a failure to make the file safe leaves no line behind', async (t) => {
  if (process.getuid?.() === 0) return t.skip('root reads everything');
  const { folder, open } = await scene(t);
  const sub = path.join(folder, 'sub');
  // Its user may make files there, and not read the folder.
  await mkdir(sub, { mode: 0o300 });
  const outcome = await open({ path: 'sub/out.jsonl' }).deliver(of('1'), attempt);
  await chmod(sub, 0o700);
  assert.equal(outcome.kind, 'halt', inspect(outcome));
  assert.equal(await readFile(path.join(sub, 'out.jsonl'), 'utf8'), '');
});
