import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { inspect } from 'node:util';
import type { Destination, Item, JsonObject, Receipt } from '../../src/connector.ts';
import type { Outcome, Sighting } from '../../src/outcome.ts';
import { SLACK_TOKEN, type SlackMessage, type SlackStandIn } from '../../src/sandbox/slack.ts';
import { makeItem, makePayload } from '../support/item.ts';
import { attempt, CHANNEL, scene } from '../support/slack.ts';

const PERSON = 'U012AB3CD4';
const DIRECT = 'D012AB3CD4';

/** A scene whose calls are counted by method, and a way to look. */
async function looking(t: TestContext) {
  const started = await scene(t);
  const calls: string[] = [];
  const counted: typeof fetch = (input, init) => {
    calls.push(new URL(String(input)).pathname.slice(1));
    return fetch(input, init);
  };
  const open = (extra: JsonObject = {}) => started.open(extra, { fetch: counted });
  const look = async (item: Item = makeItem(), extra: JsonObject = {}) => {
    const [seen] = await find(open(extra), [item]);
    assert.ok(seen);
    return seen;
  };
  const token = started.standIn.tokens.get(SLACK_TOKEN);
  assert.ok(token);
  const lose = (scope: string) => token.scopes.delete(scope);
  return { ...started, calls, open, look, token, lose };
}

async function find(destination: Destination, items: Item[]): Promise<Sighting[]> {
  return (await destination.find?.(items, attempt)) ?? [];
}

function receiptOf(outcome: Outcome): Receipt {
  assert.ok(outcome.kind === 'delivered', inspect(outcome));
  return outcome.receipt;
}

function assertBlind(seen: Sighting, fix: RegExp): void {
  assert.ok(seen.kind === 'blind', inspect(seen));
  assert.match(seen.fix, fix);
}

/** What others say in the channel after all that is there. */
function chatter(standIn: SlackStandIn, count: number, seconds = 1): void {
  const from = Math.floor(Date.now() / 1000) + seconds;
  const messages = Array.from({ length: count }, (_, index): SlackMessage => {
    const ts = `${from + index}.000001`;
    return { ts, text: 'hm', blocks: [], metadata: undefined, edited: undefined, threadTs: undefined, mentions: [] };
  });
  standIn.messages(CHANNEL).push(...messages);
}

const of = (id: string) => makeItem(makePayload({ interview: { id } }));

describe('slack: looking through the channel', () => {
  it('finds the message behind thousands of newer ones, with the receipt that its delivery gave', async (t) => {
    const { deliver, look, standIn, calls } = await looking(t);
    const receipt = receiptOf(await deliver());
    chatter(standIn, 7_999);
    const seen = await look();
    assert.deepEqual(seen, { kind: 'found', receipt });
    assert.equal(calls.filter((method) => method === 'conversations.history').length, 40);
  });

  it('is blind to what is behind that, says how far it looked, and sends nothing', async (t) => {
    const { deliver, look, standIn, messages } = await looking(t);
    await deliver();
    chatter(standIn, 8_000);
    const seen = await look();
    assertBlind(seen, /twice, delete one/);
    assert.ok(seen.kind === 'blind' && seen.detail.includes('8000'), inspect(seen));
    assert.equal(messages().length, 8_001);
  });

  it('finds the message of an old doubt by one call, however much was said since', async (t) => {
    const { deliver, look, standIn, calls } = await looking(t);
    const receipt = receiptOf(await deliver());
    chatter(standIn, 9_000, 3 * 3600);
    const before = calls.filter((method) => method === 'conversations.history').length;
    assert.deepEqual(await look(makeItem(makePayload(), { doubt: new Date() })), { kind: 'found', receipt });
    assert.equal(calls.filter((method) => method === 'conversations.history').length, before + 1);
  });

  it('looks no further back than a try can have written, and believes that nothing is there', async (t) => {
    const { look, standIn, calls } = await looking(t);
    chatter(standIn, 9_000, -4 * 3600 - 9_000);
    assert.equal((await look(makeItem(makePayload(), { doubt: new Date() }))).kind, 'absent');
    assert.equal(calls.filter((method) => method === 'conversations.history').length, 2);
  });

  it('finds what was written later than the doubt began, and is blind when too much was said since', async (t) => {
    const { deliver, look, standIn } = await looking(t);
    const receipt = receiptOf(await deliver());
    const doubt = new Date(Date.now() - 3600_000);
    chatter(standIn, 7_000);
    assert.deepEqual(await look(makeItem(makePayload(), { doubt })), { kind: 'found', receipt });
    chatter(standIn, 8_000, 3 * 3600);
    const never = makeItem(makePayload({ interview: { id: 'int_never' } }), { doubt });
    assertBlind(await look(never), /twice, delete one/);
  });

  it('believes that nothing is there when it came to the beginning of the channel', async (t) => {
    const { look, standIn } = await looking(t);
    chatter(standIn, 3_000);
    assert.equal((await look()).kind, 'absent');
  });

  it('takes no message of another destination, interview, generation or kind', async (t) => {
    const { deliver, look, standIn } = await looking(t);
    const { identity } = makeItem();
    await deliver(makeItem(makePayload(), { identity: { ...identity, destination: 'another' } }));
    await deliver(makeItem(makePayload(), { identity: { ...identity, subject: 'int_2' } }));
    await deliver(makeItem(makePayload(), { identity: { ...identity, generation: 2 } }));
    await deliver();
    const [last] = standIn.messages(CHANNEL).slice(-1);
    assert.ok(last?.metadata);
    last.metadata.event_type = 'task_created';
    assert.equal((await look()).kind, 'absent');
  });

  it('takes none that an earlier generation is known to have left', async (t) => {
    const { deliver, look } = await looking(t);
    const receipt = receiptOf(await deliver());
    assert.equal((await look(makeItem(makePayload(), { earlier: [receipt] }))).kind, 'absent');
  });

  it('reads the channel once for all', async (t) => {
    const { deliver, open, standIn, calls } = await looking(t);
    const receipts: Receipt[] = [];
    for (const id of ['a', 'b']) receipts.push(receiptOf(await deliver(of(id))));
    chatter(standIn, 450);
    const seen = await find(open(), ['b', 'none', 'a'].map(of));
    assert.deepEqual(seen, [
      { kind: 'found', receipt: receipts[1] },
      { kind: 'absent' },
      { kind: 'found', receipt: receipts[0] },
    ]);
    assert.equal(calls.filter((method) => method === 'conversations.history').length, 3);
  });
});

describe('slack: looking where a receipt says', () => {
  it('asks for that one message', async (t) => {
    const { deliver, look, standIn, calls } = await looking(t);
    const receipt = receiptOf(await deliver());
    chatter(standIn, 5_000);
    assert.deepEqual(await look(makeItem(makePayload(), { receipt })), { kind: 'found', receipt });
    assert.deepEqual(calls, ['conversations.history']);
  });

  it('finds what was posted anew when the message had been deleted', async (t) => {
    const { deliver, look, standIn } = await looking(t);
    const receipt = receiptOf(await deliver());
    standIn.deleteMessage(CHANNEL, String(receipt.ts));
    const item = makeItem(makePayload(), { receipt });
    assert.equal((await look(item)).kind, 'absent');
    const anew = receiptOf(await deliver(item));
    chatter(standIn, 300);
    assert.deepEqual(await look(item), { kind: 'found', receipt: anew });
  });

  it('finds the direct message of a person, which nothing else could', async (t) => {
    const { deliver, look, standIn, token, calls } = await looking(t);
    token.scopes.add('im:history');
    standIn.addChannel({ id: DIRECT, user: PERSON });
    const receipt = receiptOf(await deliver(makeItem(), { channel: PERSON }));
    assert.equal(receipt.channel, DIRECT);
    const item = makeItem(makePayload(), { receipt });
    assert.deepEqual(await look(item, { channel: PERSON }), { kind: 'found', receipt });
    calls.length = 0;
    assertBlind(await look(makeItem(), { channel: PERSON }), /direct message \(D…/);
    assert.deepEqual(calls, []);
    assert.deepEqual(await look(makeItem(), { channel: DIRECT }), { kind: 'found', receipt });
  });
});

describe('slack: what keeps it from looking', () => {
  it('a missing scope makes it blind, with the scope to add', async (t) => {
    const { look, lose, standIn } = await looking(t);
    standIn.addChannel({ id: 'C0PRIVATE99', isPrivate: true });
    standIn.addChannel({ id: DIRECT, user: PERSON });
    lose('groups:history');
    assertBlind(await look(makeItem(), { channel: 'C0PRIVATE99' }), /Add an OAuth Scope": groups:history;/);
    assertBlind(await look(makeItem(), { channel: DIRECT }), /": im:history;/);
    assert.equal((await look()).kind, 'absent');
    lose('channels:history');
    assertBlind(await look(), /": channels:history;/);
    assertBlind(await look(makeItem(), { channel: 'G0PRIVATE99' }), /": groups:history;/);
  });

  it('a public channel that the app is not in makes it blind, with the way in', async (t) => {
    const { deliver, look, standIn, token } = await looking(t);
    token.scopes.add('chat:write.public');
    standIn.addChannel({ id: CHANNEL, isMember: false });
    receiptOf(await deliver());
    assertBlind(await look(), /\/invite @app/);
  });

  it('a refused token or an unknown channel halts, for a post would be refused too', async (t) => {
    const { look, standIn, token } = await looking(t);
    const unknown = await look(makeItem(), { channel: 'C0NOWHERE99' });
    assert.ok(unknown.kind === 'halt' && unknown.reason === 'not_found', inspect(unknown));
    token.error = 'token_revoked';
    const revoked = await look();
    assert.ok(revoked.kind === 'halt' && revoked.reason === 'auth', inspect(revoked));
    assert.equal(standIn.messages(CHANNEL).length, 0);
  });

  const answers: [name: string, answer: () => Response, kind: Sighting['kind'], reason: string | undefined][] = [
    ['HTTP 500', () => new Response('', { status: 500 }), 'retry', 'server'],
    ['internal_error', () => Response.json({ ok: false, error: 'internal_error' }), 'retry', 'server'],
    ['fatal_error', () => Response.json({ ok: false, error: 'fatal_error' }), 'retry', 'server'],
    ['ratelimited', () => Response.json({ ok: false, error: 'ratelimited' }), 'retry', 'rate_limited'],
    ['a page of a proxy', () => new Response('<html>sign in</html>'), 'retry', 'server'],
    ['an answer without messages', () => Response.json({ ok: true }), 'retry', 'bug'],
    ['no_permission', () => Response.json({ ok: false, error: 'no_permission' }), 'blind', undefined],
    ['a code of tomorrow', () => Response.json({ ok: false, error: 'channel_is_wet' }), 'blind', undefined],
    ['HTTP 403 of a proxy', () => new Response('', { status: 403 }), 'halt', 'forbidden'],
    [
      'more behind, and no way to it',
      () => Response.json({ ok: true, messages: [], has_more: true }),
      'blind',
      undefined,
    ],
  ];
  for (const [name, answer, kind, reason] of answers) {
    it(`${name} is ${kind}`, async (t) => {
      const { open } = await scene(t);
      const destination = open({}, { fetch: async () => answer() });
      const [seen] = await find(destination, [makeItem()]);
      assert.equal(seen?.kind, kind, inspect(seen));
      assert.equal(seen && 'reason' in seen ? seen.reason : undefined, reason, inspect(seen));
    });
  }

  it('keeps what it saw before a call failed', async (t) => {
    const { deliver, open } = await scene(t);
    const receipt = receiptOf(await deliver());
    let calls = 0;
    const onlyOne: typeof fetch = async (input, init) => {
      calls += 1;
      return calls === 1 ? fetch(input, init) : new Response('', { status: 500 });
    };
    const items = [makeItem(makePayload(), { receipt }), of('none')];
    const seen = await find(open({}, { fetch: onlyOne }), items);
    assert.deepEqual(
      seen.map(({ kind }) => kind),
      ['found', 'retry'],
    );
  });
});
