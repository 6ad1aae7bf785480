import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { clipMarkup, escapeMarkup } from '../../connectors/slack/markup.ts';
import slack from '../../connectors/slack.ts';
import type { Outcome } from '../../src/outcome.ts';
import { SLACK_TOKEN, type SlackStandIn } from '../../src/sandbox/slack.ts';
import { connectorContract } from '../contracts/connector.ts';
import { openDestination } from '../support/destination.ts';
import { makeItem, makePayload } from '../support/item.ts';
import { attempt, CHANNEL, scene, section, startSlack } from '../support/slack.ts';

connectorContract('slack', async () => {
  const { standIn, options, messages, close } = await startSlack();
  return {
    connector: slack,
    options,
    refused: { token: 'xoxb-unknown-token' },
    secrets: [SLACK_TOKEN, 'xoxb-unknown-token'],
    faults: standIn.faults,
    writePath: 'chat.postMessage',
    arrived: () => messages().length,
    close,
  };
});

function receiptOf(outcome: Outcome) {
  assert.ok(outcome.kind === 'delivered', JSON.stringify(outcome));
  return outcome.receipt;
}

describe('slack: the summary', () => {
  it('tells study, participant, time, duration, mode, metadata and quotes, with a button for the recording', async (t) => {
    const { deliver, messages } = await scene(t);
    receiptOf(await deliver());
    const [message] = messages();
    const seen = JSON.stringify(message?.blocks);
    for (const part of ['Checkout research', 'participant-17', '23 Nov 2026, 14:04', '9 m 29 s', 'Text and voice']) {
      assert.ok(seen.includes(part), part);
    }
    assert.ok(seen.includes('*Plan*\\nenterprise') && seen.includes('*Seats*\\n40'), seen);
    assert.ok(seen.includes('I almost left to buy it somewhere else'));
    assert.ok(seen.includes('"url":"https://recordings.example.com/int_0001.mp4"'));
    assert.match(message?.text ?? '', /^Checkout research: participant-17, 9 m 29 s: “/);
    assert.deepEqual(message?.metadata, {
      event_type: 'versive_relay_delivery',
      event_payload: { destination: 'test-destination', subject: 'int_0001', generation: 1 },
    });
  });

  it('has no button without a recording', async (t) => {
    const { deliver, messages } = await scene(t);
    await deliver(makeItem(makePayload({ interview: { recording_url: null } })));
    assert.ok(messages()[0]?.blocks.every((block) => block.type !== 'actions'));
  });

  it('neither mentions nor formats by what a participant or metadata says', async () => {
    const standIn = await startSlack();
    const hostile = fc.string({
      unit: fc.constantFrom('<!channel>', '<@U012AB3CD>', '<!subteam^S1|x>', '&', '<', '>', '*', '`', ' ', 'a', '\n'),
      maxLength: 40,
    });
    await fc.assert(
      fc.asyncProperty(hostile, hostile, hostile, async (words, title, key) => {
        const payload = makePayload({
          study: { title },
          interview: {
            vid: words,
            metadata: { [key]: words },
            parsed_conversation_json: [{ role: 'user', content: `I felt ${words} and I was really confused by it.` }],
          },
        });
        const template = '*{{ interview.vid }}* {{ study.title }}';
        for (const extra of [{}, { message: template }, { blocks: [section(template)] }]) {
          const destination = openDestination(slack, { ...standIn.options, ...extra });
          receiptOf(await destination.deliver(makeItem(payload), attempt));
        }
        assert.deepEqual(
          standIn.messages().flatMap((message) => message.mentions),
          [],
        );
      }),
      { numRuns: 40 },
    );
    await standIn.close();
  });
});

describe('slack: a message of the config', () => {
  it('replaces the summary, and an update replaces what stood there', async (t) => {
    const { deliver, messages } = await scene(t);
    const receipt = receiptOf(await deliver());
    receiptOf(await deliver(makeItem(makePayload(), { receipt }), { message: '*{{ study.title }}* is in' }));
    assert.equal(messages().length, 1);
    assert.equal(messages()[0]?.text, '*Checkout research* is in');
    assert.deepEqual(messages()[0]?.blocks, []);
  });

  it('may be blocks, also as Block Kit Builder gives them, with the message for the notification', async (t) => {
    const { deliver, messages } = await scene(t);
    const blocks = { blocks: [section('{{ study.title }}: {{ interview.vid }}')] };
    receiptOf(await deliver(makeItem(), { blocks, message: 'New: {{ interview.vid }}' }));
    assert.deepEqual(
      messages()[0]?.blocks,
      blocks.blocks.map(() => section('Checkout research: participant-17')),
    );
    assert.equal(messages()[0]?.text, 'New: participant-17');
  });

  it('drops the blocks, fields and buttons that a missing field left empty', async (t) => {
    const { deliver, messages } = await scene(t);
    const blocks = [
      section('{{ interview.metadata.nothing }}'),
      {
        type: 'section',
        fields: ['{{ interview.vid }}', '{{ interview.nothing }}'].map((text) => ({ type: 'mrkdwn', text })),
      },
      {
        type: 'actions',
        elements: [{ type: 'button', text: { type: 'plain_text', text: 'See' }, url: '{{ interview.nothing }}' }],
      },
      {
        type: 'rich_text',
        elements: [
          {
            type: 'rich_text_section',
            elements: [
              { type: 'text', text: '{{ interview.nothing }}' },
              { type: 'text', text: 'R{{ study.title }}' },
            ],
          },
        ],
      },
    ];
    receiptOf(await deliver(makeItem(makePayload({ study: { title: '&D' } })), { blocks }));
    assert.deepEqual(messages()[0]?.blocks, [
      { type: 'section', fields: [{ type: 'mrkdwn', text: 'participant-17' }] },
      { type: 'rich_text', elements: [{ type: 'rich_text_section', elements: [{ type: 'text', text: 'R&D' }] }] },
    ]);
  });

  it("is cut to Slack's limits, however long the texts and however many the blocks", async (t) => {
    const { deliver, messages } = await scene(t);
    const long = makeItem(makePayload({ interview: { vid: 'a <b> & '.repeat(2_000) } }));
    const blocks = [
      { type: 'header', text: { type: 'plain_text', text: '{{ interview.vid }}' } },
      { type: 'context', elements: [{ type: 'mrkdwn', text: '{{ interview.vid }}' }] },
      {
        type: 'section',
        fields: Array.from({ length: 14 }, () => ({ type: 'plain_text', text: '{{ interview.vid }}' })),
      },
      ...Array.from({ length: 60 }, () => section('{{ interview.vid }}')),
    ];
    receiptOf(await deliver(long, { blocks, message: '{{ interview.vid }}' }));
    assert.equal(messages()[0]?.blocks.length, 50);
    assert.ok((messages()[0]?.text.length ?? 0) <= 4000);
  });

  it('that came out empty is rejected with a fix', async (t) => {
    const { deliver } = await scene(t);
    const outcome = await deliver(makeItem(), { message: '{{ interview.metadata.nothing }}' });
    assert.ok(outcome.kind === 'reject' && outcome.reason === 'invalid', JSON.stringify(outcome));
  });

  it('is never cut within an escape', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('&', '<', '>', 'a', ' ') }),
        fc.integer({ min: 1, max: 60 }),
        (text, limit) => {
          const cut = clipMarkup(escapeMarkup(text), limit);
          assert.ok(cut.length <= limit);
          assert.doesNotMatch(cut.replace(/&(amp|lt|gt);/g, ''), /[&<>]/);
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

describe('slack: updates', () => {
  it('changes the message in place, and links to it', async (t) => {
    const { deliver, messages, url } = await scene(t);
    const receipt = receiptOf(await deliver());
    assert.equal(receipt.url, `${url}archives/${CHANNEL}/p${String(receipt.ts).replace('.', '')}`);
    const payload = makePayload({ study: { title: 'Renamed' } });
    const again = receiptOf(await deliver(makeItem(payload, { receipt })));
    assert.deepEqual(again, receipt);
    assert.ok(messages()[0]?.edited);
    assert.match(messages()[0]?.text ?? '', /^Renamed/);
  });

  it('posts anew when the message was deleted', async (t) => {
    const { deliver, messages, standIn } = await scene(t);
    const receipt = receiptOf(await deliver());
    standIn.deleteMessage(CHANNEL, String(receipt.ts));
    const again = receiptOf(await deliver(makeItem(makePayload(), { receipt })));
    assert.notEqual(again.ts, receipt.ts);
    assert.equal(messages().length, 1);
  });

  it('rejects, and says that the message stays, when another app posted it', async (t) => {
    const { deliver, standIn } = await scene(t);
    standIn.tokens.set('xoxb-other', { scopes: new Set(['chat:write']), bot: 'B0OTHER' });
    const receipt = receiptOf(await deliver(makeItem(), { token: 'xoxb-other' }));
    const outcome = await deliver(makeItem(makePayload(), { receipt }));
    assert.ok(outcome.kind === 'reject' && /Another app .* stays/.test(outcome.fix), JSON.stringify(outcome));
  });

  it('delivers without a link when Slack does not say which team it is', async (t) => {
    const { deliver, standIn } = await scene(t);
    standIn.faults.inject({ kind: '500', times: 1, path: 'auth.test' });
    assert.equal(receiptOf(await deliver()).url, undefined);
  });
});

describe('slack: refusals', () => {
  const cases: [name: string, arrange: (standIn: SlackStandIn) => void, kind: string, reason: string, fix: RegExp][] = [
    ['an unknown token', (s) => s.tokens.clear(), 'halt', 'auth', /OAuth & Permissions/],
    ['a revoked token', (s) => revoke(s, 'token_revoked'), 'halt', 'auth', /xoxb-/],
    [
      'a missing scope',
      (s) => s.tokens.get(SLACK_TOKEN)?.scopes.delete('chat:write'),
      'halt',
      'forbidden',
      /chat:write.*Reinstall/,
    ],
    ['an unknown channel', (s) => s.channels.clear(), 'halt', 'not_found', /Channel ID/],
    [
      'a channel without the app',
      (s) => s.addChannel({ id: CHANNEL, isMember: false }),
      'halt',
      'forbidden',
      /\/invite/,
    ],
    [
      'an archived channel',
      (s) => s.addChannel({ id: CHANNEL, isArchived: true }),
      'halt',
      'forbidden',
      /[Uu]narchive/,
    ],
  ];
  for (const [name, arrange, kind, reason, fix] of cases) {
    it(`${name} is a ${kind} with a fix, and check() finds it`, async (t) => {
      const { deliver, open, standIn } = await scene(t);
      arrange(standIn);
      const outcome = await deliver();
      assert.ok(outcome.kind === 'halt' && outcome.kind === kind, JSON.stringify(outcome));
      assert.equal(outcome.reason, reason);
      assert.match(outcome.fix, fix);
      const findings = (await open().check?.()) ?? [];
      assert.equal(findings[0]?.level, 'error');
      assert.match(findings[0]?.fix ?? '', fix);
    });
  }

  it('warns when it may not look at the channel', async (t) => {
    const { open, standIn } = await scene(t);
    standIn.tokens.get(SLACK_TOKEN)?.scopes.delete('channels:read');
    standIn.tokens.get(SLACK_TOKEN)?.scopes.delete('groups:read');
    const findings = (await open().check?.()) ?? [];
    assert.deepEqual(
      findings.map(({ level }) => level),
      ['warning'],
    );
    assert.match(findings[0]?.fix ?? '', /channels:read/);
  });

  const answers: [name: string, answer: () => Response, kind: string, reason: string][] = [
    ['429 without Retry-After', () => new Response('{}', { status: 429 }), 'retry', 'rate_limited'],
    [
      '429 with a date',
      () => new Response('{}', { status: 429, headers: { 'retry-after': 'soon' } }),
      'retry',
      'rate_limited',
    ],
    ['ratelimited in the body', () => Response.json({ ok: false, error: 'ratelimited' }), 'retry', 'rate_limited'],
    ['a page of a proxy', () => new Response('<html>xoxb-sandbox-token</html>'), 'unknown', 'server'],
    ['no JSON object', () => new Response('null'), 'unknown', 'bug'],
    ['no ts', () => Response.json({ ok: true }), 'unknown', 'bug'],
    ['HTTP 503', () => new Response('', { status: 503 }), 'unknown', 'server'],
    ['HTTP 404', () => new Response('', { status: 404 }), 'halt', 'not_found'],
    ['internal_error', () => Response.json({ ok: false, error: 'internal_error' }), 'unknown', 'server'],
    ['service_unavailable', () => Response.json({ ok: false, error: 'service_unavailable' }), 'retry', 'server'],
    ['msg_blocks_too_long', () => Response.json({ ok: false, error: 'msg_blocks_too_long' }), 'reject', 'too_large'],
    [
      'restricted_action_read_only_channel',
      () => Response.json({ ok: false, error: 'restricted_action_read_only_channel' }),
      'halt',
      'forbidden',
    ],
    ['a code of tomorrow', () => Response.json({ ok: false, error: 'constructor' }), 'reject', 'invalid'],
  ];
  for (const [name, answer, kind, reason] of answers) {
    it(`${name} is ${kind} (${reason})`, async () => {
      const options = { token: SLACK_TOKEN, channel: CHANNEL };
      const destination = openDestination(slack, options, { fetch: async () => answer() });
      const outcome = await destination.deliver(makeItem(), attempt);
      assert.ok(outcome.kind !== 'delivered');
      assert.deepEqual([outcome.kind, outcome.reason], [kind, reason], JSON.stringify(outcome));
      assert.ok(!JSON.stringify(outcome).includes(SLACK_TOKEN));
    });
  }

  it('takes the channel as an address, and refuses a name with the way to the id', () => {
    const at = (channel: string) => openDestination(slack, { token: 'x', channel }).target;
    assert.equal(at('https://app.slack.com/client/T012AB3CD/C0123456789'), 'slack:C0123456789');
    assert.equal(at('https://team.slack.com/archives/C0123456789/p1764000000000100'), 'slack:C0123456789');
    assert.throws(() => at('#research'), /at the foot of its details/);
  });
});

function revoke(standIn: SlackStandIn, error: string): void {
  const token = standIn.tokens.get(SLACK_TOKEN);
  if (token) token.error = error;
}
