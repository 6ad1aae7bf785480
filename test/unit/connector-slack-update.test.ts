import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { inspect } from 'node:util';
import type { FaultKind } from '../../src/sandbox/faults.ts';
import { makeItem, makePayload } from '../support/item.ts';
import { attempt, CHANNEL, scene } from '../support/slack.ts';

/** A message that is there, and the item that updates it. */
async function posted(t: TestContext) {
  const started = await scene(t);
  const first = await started.deliver();
  assert.ok(first.kind === 'delivered', inspect(first));
  const item = makeItem(makePayload({ study: { title: 'Renamed' } }), { receipt: first.receipt });
  return { ...started, receipt: first.receipt, item };
}

/** As the relay's, but each call may take 300 ms. */
const shortFetch: typeof fetch = (input, init) => fetch(input, { ...init, signal: AbortSignal.timeout(300) });

/** Refuses updates with a code, and lets all else through. */
function refusing(error: string): typeof fetch {
  return async (input, init) =>
    String(input).endsWith('chat.update') ? Response.json({ ok: false, error }) : fetch(input, init);
}

describe('slack: an update whose end is unclear is a retry, for it may be made again', () => {
  const ends: [kind: FaultKind, reason: string][] = [
    ['500', 'server'],
    ['503-after-write', 'server'],
    ['reset', 'network'],
    ['reset-after-write', 'network'],
    ['hang', 'timeout'],
  ];
  for (const [kind, reason] of ends) {
    it(kind, async (t) => {
      const { open, standIn, item, receipt, messages } = await posted(t);
      standIn.faults.inject({ kind, times: 1, path: 'chat.update' });
      const outcome = await open({}, { fetch: shortFetch }).deliver(item, attempt);
      assert.ok(outcome.kind === 'retry' && outcome.reason === reason, inspect(outcome));
      assert.deepEqual(await open().deliver(item, attempt), { kind: 'delivered', receipt });
      assert.equal(messages().length, 1);
      assert.match(messages()[0]?.text ?? '', /^Renamed/);
    });
  }

  for (const code of ['internal_error', 'fatal_error', 'update_failed', 'external_channel_migrating']) {
    it(code, async (t) => {
      const { open, item, messages } = await posted(t);
      const outcome = await open({}, { fetch: refusing(code) }).deliver(item, attempt);
      assert.ok(outcome.kind === 'retry' && outcome.reason === 'server', inspect(outcome));
      assert.equal(messages().length, 1);
    });
  }

  it('a page of a proxy', async (t) => {
    const { open, item } = await posted(t);
    const outcome = await open({}, { fetch: async () => new Response('<html>sign in</html>') }).deliver(item, attempt);
    assert.ok(outcome.kind === 'retry' && outcome.reason === 'server', inspect(outcome));
  });
});

describe('slack: an update of what is not there', () => {
  it('posts anew once, and the end of that post may be unknown', async (t) => {
    const { deliver, standIn, item, receipt, messages } = await posted(t);
    standIn.deleteMessage(CHANNEL, String(receipt.ts));
    standIn.faults.inject({ kind: 'reset-after-write', times: 1, path: 'chat.postMessage' });
    const outcome = await deliver(item);
    assert.ok(outcome.kind === 'unknown' && outcome.reason === 'network', inspect(outcome));
    assert.equal(messages().length, 1);
  });

  const codes: [code: string, kind: string, fix: RegExp][] = [
    ['channel_not_found', 'halt', /Channel ID/],
    ['is_inactive', 'halt', /Unarchive/],
    ['metadata_must_be_sent_from_app', 'halt', /Bot User OAuth Token/],
    ['block_mismatch', 'reject', /stays as it is/],
  ];
  for (const [code, kind, fix] of codes) {
    it(`${code} is a ${kind}, and posts nothing`, async (t) => {
      const { open, item, messages } = await posted(t);
      const outcome = await open({}, { fetch: refusing(code) }).deliver(item, attempt);
      assert.equal(outcome.kind, kind, inspect(outcome));
      assert.match('fix' in outcome ? outcome.fix : '', fix);
      assert.equal(messages().length, 1);
    });
  }
});
