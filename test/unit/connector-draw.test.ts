import assert from 'node:assert/strict';
import { test } from 'node:test';
import notion from '../../connectors/notion.ts';
import slack from '../../connectors/slack.ts';
import type { Drawn, JsonObject } from '../../src/connector.ts';
import { openDestination } from '../support/destination.ts';
import { makeItem } from '../support/item.ts';

/** Lines as they are read; what stands out in `*…*`. */
function read(lines: Drawn[][] | undefined): string[] {
  const words = (piece: Drawn) => {
    if (typeof piece === 'string') return piece;
    return 'dim' in piece ? piece.dim : piece.bold.trim() && `*${piece.bold}*`;
  };
  return (lines ?? []).map((line) => line.map(words).join('').trimEnd());
}

const drawSlack = (options: JsonObject = {}) =>
  read(openDestination(slack, { token: 'xoxb-1', channel: 'C0123456789', ...options }).draw?.(makeItem()));

test('slack draws its summary: header, two columns, quotes with a bar, buttons', () => {
  const lines = drawSlack();
  assert.equal(lines[0], '*Checkout research*');
  assert.equal(lines[2], `*${'Participant'.padEnd(38)}**When*`);
  assert.equal(lines[3], `${'participant-17'.padEnd(38)}23 Nov 2026, 14:04`);
  const quote = lines.indexOf('┃ But I was really confused by the shipping step because the price changed');
  assert.deepEqual(lines.slice(quote + 1, quote + 3), ['┃ after I entered my address.', '']);
  assert.equal(lines.at(-1), '*[ Open recording ]* https://recordings.example.com/int_0001.mp4');
});

test("slack draws messages and blocks of the config's own", () => {
  assert.deepEqual(drawSlack({ message: '*{{ study.title }}* & <https://a.example|the page>' }), [
    '*Checkout research* & the page',
  ]);
  const blocks = [
    { type: 'section', text: { type: 'mrkdwn', text: 'One\n*two*' } },
    { type: 'divider' },
    { type: 'context', elements: [{ type: 'mrkdwn', text: 'small' }] },
    { type: 'video', title: { type: 'plain_text', text: 'A film' } },
  ];
  assert.deepEqual(drawSlack({ blocks }), ['One', '*two*', '', '─'.repeat(76), '', 'small', '', '(video) A film']);
  assert.match(drawSlack({ message: '{{ interview.nothing }}' }).join(), /^\*It would be rejected: \*.*empty/);
});

test('notion draws its properties, and the first blocks of the page', () => {
  const options = {
    token: 'ntn_1',
    data_source: '0'.repeat(32),
    properties: { Plan: '{{ interview.metadata.plan }}' },
  };
  const lines = read(openDestination(notion, options).draw?.(makeItem()));
  assert.deepEqual(lines.slice(0, 4), [
    '*Interview ID  *int_0001',
    '*Plan          *enterprise',
    '',
    'Study: Checkout research',
  ]);
  assert.ok(lines.includes('*▸ Transcript · 6 turns*'), lines.join('\n'));
  assert.equal(lines.at(-1), '  … and 2 more blocks');
});
