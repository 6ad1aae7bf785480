import { type Context, type Liquid, toValue } from 'liquidjs';
import type { InterviewView, Item, Turn } from '../connector.ts';
import type { JsonValue, Payload } from '../model.ts';
import { clip } from '../text.ts';
import { interviewSeconds, interviewView, readSeconds } from './interview.ts';
import { flattenMetadata } from './metadata.ts';
import { printDuration, printMoment, readMoment } from './moment.ts';
import { jsonText, printLabel } from './shape.ts';
import { listed } from './value.ts';

/** Where a template's scope holds the item itself, for filters that need more than what a template may name. */
export const ITEM = Symbol('item');

/** UTF-16 units that `clip` leaves when it is given no number: a few lines of a message. */
const CLIPPED = 280;

/**
 * Adds the filters that people need of interviews to Liquid's own. None of them throws for what an event holds: what it
 * cannot read renders empty (a date: as it is).
 *
 * - `minutes`: seconds, or an interview, as whole minutes; a number
 * - `duration`: seconds, or an interview, as `9 m 29 s`
 * - `date`: a time as `23 Nov 2026, 15:04`, or by a strftime format, in the config's timezone or the one that is named
 * - `quotes`: the most telling sentences of an interview, one a line; `quotes: 1` for the first only
 * - `turns`: its conversation as a list of `role`, `speaker` and `text`; printed, `Speaker: text`
 * - `participant_words`: all that its participant said
 * - `pairs`: an object such as metadata as lines `key: value`
 * - `label`: `TEXT_AND_VOICE` as `Text and voice`
 * - `clip`: text cut at a word, with an ellipsis
 * - `json`: any value as JSON; `json: 2` indents
 */
export function addFilters(engine: Liquid, timezone: string): void {
  const strftime = engine.filters.date;

  engine.registerFilter('minutes', (value: JsonValue | undefined) => {
    const seconds = secondsOf(value);
    return seconds === undefined ? null : Math.round(seconds / 60);
  });
  engine.registerFilter('duration', (value: JsonValue | undefined) => {
    const seconds = secondsOf(value);
    return seconds === undefined ? '' : printDuration(seconds);
  });
  engine.registerFilter('date', function (input: unknown, format: unknown, zone: unknown) {
    const value = toValue(input) as JsonValue | undefined;
    const date = value === 'now' || value === 'today' ? new Date() : readMoment(value);
    if (date === undefined) return typeof value === 'object' ? '' : value;
    if (typeof format !== 'string' || typeof strftime !== 'function') return printMoment(date, timezone);
    return strftime.call(this, date.toISOString(), format, typeof zone === 'string' ? zone : timezone);
  });

  engine.registerFilter('quotes', function (value: unknown, count: unknown) {
    const quotes = viewOf(value, this.context, timezone).quotes.slice(0, typeof count === 'number' ? count : undefined);
    return listed(quotes, quotes.join('\n'));
  });
  engine.registerFilter('turns', function (value: unknown) {
    const turns = viewOf(value, this.context, timezone).turns.map((turn) => ({ ...turn }));
    return listed(turns, printTurns(turns));
  });
  engine.registerFilter('participant_words', function (value: unknown) {
    return viewOf(value, this.context, timezone).participantWords;
  });

  engine.registerFilter('pairs', (value: JsonValue | undefined) => {
    const lines = flattenMetadata(value).map(([key, text]) => `${key}: ${text}`);
    return listed(lines, lines.join('\n'));
  });
  engine.registerFilter('label', (value: unknown) => (typeof value === 'string' ? printLabel(value) : value));
  engine.registerFilter('clip', (value: unknown, limit: unknown) =>
    typeof value === 'string' ? clip(value, typeof limit === 'number' ? limit : CLIPPED) : value,
  );
  engine.registerFilter('json', (value: unknown, indent: unknown) =>
    jsonText((toValue(value) ?? null) as JsonValue, typeof indent === 'number' ? indent : undefined),
  );
  // Liquid's own `raw` switches the escaping off. Whether a service's markup is safe is not for a template to say.
  engine.registerFilter('raw', (value: unknown) => value);
}

/** An interview's view: the item's own, or one of whatever a template hands over (a conversation, a transcript). */
function viewOf(value: unknown, context: Context, timezone: string): InterviewView {
  const item = Reflect.get(context.environments, ITEM) as Item | undefined;
  if (item !== undefined && value === item.payload.interview) return item.view;
  return interviewView({ interview: asInterview(value) } as unknown as Payload, timezone);
}

function asInterview(value: unknown): unknown {
  if (typeof value === 'string') return { transcript: value };
  return Array.isArray(value) ? { parsed_conversation_json: value } : value;
}

function secondsOf(value: JsonValue | undefined): number | undefined {
  return typeof value === 'object' ? interviewSeconds(value) : readSeconds(value);
}

function printTurns(turns: Turn[]): string {
  return turns.map(({ speaker, text }) => `${speaker}: ${text}`).join('\n\n');
}
