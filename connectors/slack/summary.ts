import { clip, type InterviewView, type JsonObject } from 'versive-relay/connector';
import { clipMarkup, escapeMarkup, LIMIT } from './markup.ts';

/** What stands in the summary: more would be a wall that nobody reads. */
const MOST = { metadata: 6, value: 200, label: 60, quote: 400, notification: 300 } as const;

/**
 * The message that needs no template: study, who, when, how long, mode, metadata, quotes, and buttons. What an event
 * holds stands where Slack reads no markup (`plain_text`, `rich_text`), or holds nothing that could be markup.
 */
export function summary(view: InterviewView): { text: string; blocks: JsonObject[] } {
  const title = line(view.studyTitle, LIMIT.header) || 'Interview';
  const facts: Row[] = [
    ['Participant', view.participant],
    ['When', view.when],
    ['Duration', view.duration],
    ['Mode', view.mode],
  ];
  const metadata = view.metadata.map(([key, value]): Row => [labelOf(key), value]).filter(isFilled);
  const left = metadata.length - MOST.metadata;
  const rows = [...facts.filter(isFilled), ...metadata.slice(0, MOST.metadata)];
  const asides = [
    ...(view.isMock ? ['Test interview'] : []),
    ...(left > 0 ? [left === 1 ? '1 more metadata field' : `${left} more metadata fields`] : []),
  ];
  const quotes = view.quotes.map((quote) => line(quote, MOST.quote)).filter((quote) => quote !== '');
  const buttons = [
    ...button('Open recording', 'recording', view.recordingUrl),
    ...button('Open interview', 'interview', view.link),
  ];
  return {
    text: notification(title, view, quotes[0]),
    blocks: [
      { type: 'header', text: { type: 'plain_text', text: title, emoji: false } },
      ...(rows.length > 0 ? [table(rows)] : []),
      ...(asides.length > 0 ? [context(asides.join(' · '))] : []),
      ...quotes.map(
        (text): JsonObject => ({
          type: 'rich_text',
          elements: [{ type: 'rich_text_quote', elements: [{ type: 'text', text }] }],
        }),
      ),
      ...(buttons.length > 0 ? [{ type: 'actions', elements: buttons }] : []),
    ],
  };
}

type Row = [label: string, value: string];

function isFilled([label, value]: Row): boolean {
  return label !== '' && line(value, MOST.value) !== '';
}

/** Two columns of label over value, as many as a section takes. */
function table(rows: Row[]): JsonObject {
  return { type: 'section', fields: rows.slice(0, LIMIT.fields).map(field) };
}

function field([label, words]: Row): JsonObject {
  const value = line(words, MOST.value);
  // Whether a text of the event would be read as markup is not left to chance: such a one goes without a bold label.
  const isPlain = !/^>|[*~`]|(?:^|\W)_|_(?:\W|$)|:[^\s:]+:/u.test(value);
  return isPlain
    ? { type: 'mrkdwn', text: `*${label}*\n${escapeMarkup(value)}`, verbatim: true }
    : { type: 'plain_text', text: `${label}\n${value}`, emoji: false };
}

function context(text: string): JsonObject {
  return { type: 'context', elements: [{ type: 'plain_text', text, emoji: false }] };
}

function button(text: string, action_id: string, address: string | undefined): JsonObject[] {
  const url = address !== undefined && URL.canParse(address) ? new URL(address) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.href.length > LIMIT.url) return [];
  return [{ type: 'button', text: { type: 'plain_text', text, emoji: false }, action_id, url: url.href }];
}

/** What a phone shows: `Checkout research: participant-17, 9 m 29 s: “I was really confused …”`. */
function notification(title: string, view: InterviewView, quote: string | undefined): string {
  const who = [line(view.participant, MOST.label), view.duration].filter((part) => part !== '').join(', ');
  const text = [title, who, ...(quote === undefined ? [] : [`“${quote}”`])].filter((part) => part !== '').join(': ');
  return clipMarkup(escapeMarkup(text), MOST.notification);
}

/** Metadata keys are labels for people: `signup.planTier` is `Signup plan tier`, without what could be markup. */
function labelOf(key: string): string {
  const words = key
    .replace(/(\p{Ll})(\p{Lu})/gu, (_, before: string, after: string) => `${before} ${after.toLowerCase()}`)
    .replace(/[^\p{L}\p{M}\p{N}%+/(),’-]+/gu, ' ');
  const label = line(words, MOST.label);
  return label.charAt(0).toUpperCase() + label.slice(1);
}

/** Text of an event on one line: well-formed, without control characters or those that turn the direction of text. */
function line(text: string, limit: number): string {
  const clean = text
    .toWellFormed()
    .replace(/[\p{Cc}\u202a-\u202e\u2066-\u2069]+/gu, ' ')
    .replace(/\s+/g, ' ');
  return clip(clean.trim(), limit);
}
