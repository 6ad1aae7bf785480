import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Logger, LogLevel, WebClient } from '@slack/web-api';
import { SLACK_TOKEN } from '../../src/sandbox/slack.ts';
import { CHANNEL, scene, section } from '../support/slack.ts';

const silent: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  setLevel() {},
  setName() {},
  getLevel: () => LogLevel.ERROR,
};

describe('the stand-in of Slack, through the official SDK', () => {
  const bad: [name: string, blocks: unknown, error: string][] = [
    ['51 blocks', Array(51).fill({ type: 'divider' }), 'invalid_blocks'],
    [
      'a header of 151 characters',
      [{ type: 'header', text: { type: 'plain_text', text: 'x'.repeat(151) } }],
      'invalid_blocks',
    ],
    ['a header in mrkdwn', [{ type: 'header', text: { type: 'mrkdwn', text: 'x' } }], 'invalid_blocks'],
    ['a section of 3,001 characters', [section('x'.repeat(3001))], 'invalid_blocks'],
    ['an empty text', [section('')], 'invalid_blocks'],
    ['eleven fields', [{ type: 'section', fields: Array(11).fill({ type: 'mrkdwn', text: 'x' }) }], 'invalid_blocks'],
    ['a section of nothing', [{ type: 'section' }], 'invalid_blocks'],
    ['a property too many', [{ type: 'divider', colour: 'red' }], 'invalid_blocks'],
    ['a block of no known type', [{ type: 'banner' }], 'invalid_blocks'],
    ['two equal block ids', Array(2).fill({ type: 'divider', block_id: 'a' }), 'invalid_blocks'],
    ['an object instead of a list', { blocks: [] }, 'invalid_blocks_format'],
    ['more than a message holds', Array(5).fill(section('x'.repeat(2900))), 'msg_blocks_too_long'],
  ];
  for (const [name, blocks, error] of bad) {
    it(`refuses ${name} as ${error}`, async (t) => {
      const { url, messages } = await scene(t);
      const client = new WebClient(SLACK_TOKEN, { slackApiUrl: url, retryConfig: { retries: 0 }, logger: silent });
      const post = client.apiCall('chat.postMessage', { channel: CHANNEL, text: 'x', blocks });
      await assert.rejects(post, (thrown: { data: { error: string; response_metadata: { messages?: string[] } } }) => {
        assert.equal(thrown.data.error, error);
        if (error === 'invalid_blocks') assert.match(thrown.data.response_metadata.messages?.[0] ?? '', /^\[ERROR\]/);
        return true;
      });
      assert.equal(messages().length, 0);
    });
  }

  it('gives the history newest first, page by page, with metadata on request', async (t) => {
    const { url } = await scene(t);
    const client = new WebClient(SLACK_TOKEN, { slackApiUrl: url });
    const metadata = { event_type: 'a', event_payload: { b: 1 } };
    for (const text of ['one', 'two', 'three']) await client.chat.postMessage({ channel: CHANNEL, text, metadata });
    const seen: string[] = [];
    for await (const page of client.paginate('conversations.history', { channel: CHANNEL, limit: 2 })) {
      for (const message of (page as { messages?: { text: string }[] }).messages ?? []) seen.push(message.text);
    }
    assert.deepEqual(seen, ['three', 'two', 'one']);
    const whole = await client.conversations.history({ channel: CHANNEL, include_all_metadata: true, limit: 1 });
    assert.deepEqual(whole.messages?.[0]?.metadata, metadata);
  });

  it('shows only the type of metadata unless asked, and no replies of threads', async (t) => {
    const { url } = await scene(t);
    const client = new WebClient(SLACK_TOKEN, { slackApiUrl: url });
    const metadata = { event_type: 'a', event_payload: { b: 1 } };
    const { ts = '' } = await client.chat.postMessage({ channel: CHANNEL, text: 'one', metadata });
    await client.chat.postMessage({ channel: CHANNEL, text: 'a reply', thread_ts: ts });
    const { messages } = await client.conversations.history({ channel: CHANNEL });
    assert.deepEqual(
      messages?.map((message) => [message.text, message.metadata]),
      [['one', { event_type: 'a' }]],
    );
  });

  it('keeps the pages of a history in their place when messages come and go', async (t) => {
    const { url, standIn } = await scene(t);
    const client = new WebClient(SLACK_TOKEN, { slackApiUrl: url });
    for (const text of ['one', 'two', 'three', 'four']) await client.chat.postMessage({ channel: CHANNEL, text });
    const first = await client.conversations.history({ channel: CHANNEL, limit: 2 });
    assert.equal(first.has_more, true);
    await client.chat.postMessage({ channel: CHANNEL, text: 'five' });
    standIn.deleteMessage(CHANNEL, first.messages?.[0]?.ts ?? '');
    const cursor = first.response_metadata?.next_cursor ?? '';
    const second = await client.conversations.history({ channel: CHANNEL, limit: 2, cursor });
    assert.deepEqual(
      second.messages?.map(({ text }) => text),
      ['two', 'one'],
    );
    assert.equal(second.has_more, false);
  });

  it('shows the one message that two times frame', async (t) => {
    const { url } = await scene(t);
    const client = new WebClient(SLACK_TOKEN, { slackApiUrl: url });
    const posted: string[] = [];
    for (const text of ['one', 'two', 'three']) {
      posted.push((await client.chat.postMessage({ channel: CHANNEL, text })).ts ?? '');
    }
    const [, ts = ''] = posted;
    const framed = { channel: CHANNEL, latest: ts, oldest: ts, limit: 1 };
    const texts = async (inclusive: boolean) =>
      (await client.conversations.history({ ...framed, inclusive })).messages?.map(({ text }) => text);
    assert.deepEqual(await texts(true), ['two']);
    assert.deepEqual(await texts(false), []);
  });

  const refused: [name: string, args: object, error: string][] = [
    ['1,000 messages at once', { limit: 1000 }, 'invalid_limit'],
    ['a cursor of its own making', { cursor: '2' }, 'invalid_cursor'],
    ['a time in words', { latest: 'yesterday' }, 'invalid_ts_latest'],
    ['a private channel without its scope', { channel: 'C0PRIVATE99' }, 'missing_scope'],
    ['a private channel that it is not in', { channel: 'C0FOREIGN99' }, 'channel_not_found'],
    ['a public channel that it is not in', { channel: 'C0OUTSIDE99' }, 'not_in_channel'],
    ['a direct message without its scope', { channel: 'D012AB3CD4' }, 'missing_scope'],
    ['a person', { channel: 'U012AB3CD4' }, 'channel_not_found'],
  ];
  for (const [name, args, error] of refused) {
    it(`refuses the history of ${name} as ${error}`, async (t) => {
      const { url, standIn } = await scene(t);
      standIn.tokens.get(SLACK_TOKEN)?.scopes.delete('groups:history');
      standIn.addChannel({ id: 'C0PRIVATE99', isPrivate: true });
      standIn.addChannel({ id: 'C0FOREIGN99', isPrivate: true, isMember: false });
      standIn.addChannel({ id: 'C0OUTSIDE99', isMember: false });
      standIn.addChannel({ id: 'D012AB3CD4', user: 'U012AB3CD4' });
      const client = new WebClient(SLACK_TOKEN, { slackApiUrl: url, retryConfig: { retries: 0 }, logger: silent });
      await assert.rejects(client.conversations.history({ channel: CHANNEL, ...args }), {
        message: `An API error occurred: ${error}`,
      });
    });
  }

  it('keeps the pace of a channel when told to', async (t) => {
    const { url, standIn } = await scene(t);
    standIn.enforcePace = true;
    const client = new WebClient(SLACK_TOKEN, { slackApiUrl: url, rejectRateLimitedCalls: true });
    await client.chat.postMessage({ channel: CHANNEL, text: 'one' });
    await assert.rejects(client.chat.postMessage({ channel: CHANNEL, text: 'two' }), { retryAfter: 1 });
  });
});
