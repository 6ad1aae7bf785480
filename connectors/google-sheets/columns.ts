import { clip, type Item, type JsonValue, type Template } from 'versive-relay/connector';

/** What a cell can be given; null leaves it as it is. */
export type Cell = string | number | boolean | null;
export type Column = (item: Item) => JsonValue;

/** UTF-16 units of a cell. Sheets takes 50,000 characters and refuses the whole call for one more. */
const MOST_CHARACTERS = 50_000;

/**
 * The columns of a destination in their order. The key comes first when `columns:` has none of its name: it is what an
 * interview's row is found by.
 */
export function columnsOf(
  templates: Record<string, Template> | undefined,
  key: string,
  timezone: string,
): Map<string, Column> {
  const named: [string, Column][] =
    templates === undefined
      ? defaultColumns(timezone)
      : Object.entries(templates).map(([name, template]) => [name.trim(), typed(template)]);
  const subject: Column = (item) => item.identity.subject;
  const columns = new Map(named);
  return columns.has(key) ? columns : new Map([[key, subject], ...columns]);
}

/** A number, boolean or nothing as it is, everything else in the template's own words. */
function typed(template: Template): Column {
  return (item) => {
    const value = template.value(item);
    return typeof value === 'object' && value !== null ? template(item) : value;
  };
}

/** What most teams want in their tracker. Times are text that sorts. */
function defaultColumns(timezone: string): [string, Column][] {
  const clock = new Intl.DateTimeFormat('sv-SE', { timeZone: timezone, dateStyle: 'short', timeStyle: 'short' });
  return [
    ['Completed', ({ view, event }) => clock.format(view.endedAt ?? view.startedAt ?? event.receivedAt)],
    ['Study', ({ view }) => view.studyTitle],
    ['Participant', ({ view }) => view.participant],
    ['Minutes', ({ view }) => (view.seconds === undefined ? null : Math.round(view.seconds / 60))],
    ['Mode', ({ view }) => view.mode],
    ['Quotes', ({ view }) => view.quotes.map((quote) => `“${quote}”`).join('\n')],
    ['Metadata', ({ view }) => view.metadata.map(([name, value]) => `${name}: ${value}`).join('\n')],
    ['Recording', ({ view }) => view.recordingUrl ?? null],
  ];
}

/** A value as Sheets takes it. Nothing becomes an empty text, so that an update also empties a cell. */
export function cellOf(value: JsonValue): Exclude<Cell, null> {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (value === null) return '';
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  // Half a surrogate pair is no text that JSON services agree on.
  return clip(text.toWellFormed(), MOST_CHARACTERS);
}
