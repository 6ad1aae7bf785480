import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it, test } from 'node:test';
import { inspect } from 'node:util';
import type { Item } from '../../src/connector.ts';
import { startSandbox } from '../../src/sandbox/sandbox.ts';
import { makeItem } from '../support/item.ts';
import { notionScene, sequence, spoken, TOKEN, withTurns } from '../support/notion.ts';
import { configText, post, startRelay } from '../support/relay.ts';

/** Milliseconds of a call that the stand-in serves only when it is told to: after its client has given up. */
const UNTIL_TOLD = 600_000;

describe('notion: an append that lands after its call was given up', () => {
  const { standIn, saved, open, deliver, find, foundBy, loseAnswer, receiptOf, onlyPage } = notionScene();

  /** Gives up the call that meets the last fault, as a timeout would, and as soon as the stand-in has it. */
  const impatient = () => {
    const timeout = new AbortController();
    standIn.faults.on('change', () => {
      if (standIn.faults.list().length > 0) return;
      timeout.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError'));
    });
    return open({}, { fetch: (input, init) => fetch(input, { ...init, signal: timeout.signal }) });
  };
  /** Of the calls to blocks, so many are served, and the next one is not in time. */
  const failAfter = (calls: number, kind: 'slow' | 'hang', path = '/v1/blocks/') => {
    standIn.faults.inject({ kind: 'slow', ms: 0, times: calls, path });
    standIn.faults.inject({ kind, ms: UNTIL_TOLD, times: 1, path });
  };
  const land = async () => {
    const landed = once(standIn, 'change');
    standIn.faults.hurry();
    await landed;
  };
  const unclear = async (item: Item): Promise<Item> => {
    const outcome = await deliver(item, impatient());
    assert.ok(outcome.kind === 'unknown' && outcome.reason === 'timeout', inspect(outcome));
    return { ...item, receipt: saved.at(-1) };
  };
  const assertWhole = (count: number) => {
    const text = standIn.text(onlyPage());
    assert.deepEqual(spoken(text), sequence(count));
    assert.equal(text.split('Study: ').length, 2, 'one set of facts');
  };

  it('is waited for, and then not repeated: of the transcript', async () => {
    // The page's listing and one append.
    failAfter(2, 'slow');
    const item = await unclear(makeItem(withTurns(520)));
    assert.equal((await find(item)).kind, 'absent', 'the page is there, and more may come');
    await land();
    receiptOf(await deliver(await foundBy(item)));
    assertWhole(520);
  });

  it('is waited for, and then not repeated: of the body that replaces another', async () => {
    const receipt = receiptOf(await deliver(makeItem(withTurns(130))));
    // The page's listing.
    failAfter(1, 'slow', `/v1/blocks/${receipt.page}/children`);
    const item = await unclear(makeItem(withTurns(240), { receipt }));
    assert.equal((await find(item)).kind, 'absent', 'only the old body is there');
    await land();
    receiptOf(await deliver(await foundBy(item)));
    assertWhole(240);
  });

  it('is waited for, and then not repeated: of the body that replaces one that was found', async () => {
    await loseAnswer(makeItem(withTurns(130)));
    const path = `/v1/blocks/${onlyPage().id}/children`;
    failAfter(1, 'slow', path);
    const item = await unclear(await foundBy(makeItem(withTurns(240))));
    assert.equal((await find(item)).kind, 'absent', 'only the old body is there');
    await land();
    receiptOf(await deliver(await foundBy(item)));
    assertWhole(240);
  });

  it('is made again, when it never landed', async () => {
    failAfter(2, 'hang');
    const item = await unclear(makeItem(withTurns(520)));
    assert.equal((await find(item)).kind, 'absent');
    // Once absence is believed, the delivery goes on with the receipt that it has.
    receiptOf(await deliver(item));
    assertWhole(520);
  });

  it('is not waited for where nothing is open: the body is done, or its place was deleted', async () => {
    const item = makeItem(withTurns(130));
    const receipt = receiptOf(await deliver(item));
    assert.equal((await find({ ...item, receipt })).kind, 'found');
    const toggle = standIn.workspace.childrenOf(onlyPage()).at(-1);
    assert.ok(toggle);
    standIn.workspace.blocks.delete(toggle.id);
    assert.equal((await find({ ...item, receipt: { ...receipt, turns: 100, done: false } })).kind, 'found');
  });
});

test('a relay waits for an append that lands late, and the page has every turn once', async () => {
  const sandbox = await startSandbox();
  sandbox.notion.callsPerMinute = Number.POSITIVE_INFINITY;
  const common = 'timeout: 2s, settles: 500ms, pace: { calls: 1000, per: 1s }, retry: [10ms, 10ms]';
  const relay = await startRelay(
    configText(`destinations:
  library: { connector: notion, token: ${TOKEN}, data_source: "${sandbox.notion.dataSource}", api_url: "${sandbox.apiUrl.notion}", ${common} }
routes:
  - { name: all, to: library }
`),
  );
  try {
    sandbox.notion.faults.inject({ kind: 'slow', ms: 0, times: 2, path: '/v1/blocks/' });
    sandbox.notion.faults.inject({ kind: 'slow', ms: UNTIL_TOLD, times: 1, path: '/v1/blocks/' });
    await post(relay, withTurns(520));
    await relay.log.step('delivery.attempted', ({ outcome }) => outcome === 'waiting');
    sandbox.notion.faults.hurry();
    await relay.log.step('delivery.attempted', ({ state }) => state === 'delivered');
    const outcomes = relay.log.all.filter(({ step }) => step === 'delivery.attempted').map(({ outcome }) => outcome);
    assert.deepEqual(outcomes, ['unknown', 'waiting', 'delivered']);
    const [page, ...more] = sandbox.notion.pages();
    assert.ok(page && more.length === 0);
    assert.deepEqual(spoken(sandbox.notion.text(page)), sequence(520));
  } finally {
    await relay.stop();
    await sandbox.close();
  }
});
