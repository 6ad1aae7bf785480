import { createHash } from 'node:crypto';
import { toDatabase, toKey } from '../postgres/text.ts';

/** How the values of a column are carried from SQLite to PostgreSQL. */
type Kind =
  | 'number'
  /** May hold a NUL, which PostgreSQL keeps in another form. */
  | 'text'
  /** Such a text in an index, which PostgreSQL keeps short. */
  | 'key'
  /** A JSON text, which both keep as it is. */
  | 'json'
  /** A list of texts. */
  | 'names'
  | 'flag'
  /** A token, which ends with a UUID: PostgreSQL keeps that alone. */
  | 'token'
  | 'bytes';

/** A table of the store that is copied, in the order of its key. */
export interface Table {
  name: string;
  /** What SQLite has in place of a table of that name. */
  from?: string;
  key: readonly string[];
  columns: Readonly<Record<string, Kind>>;
}

/** A row, or a part of one, as SQLite gives it. */
export type Row = Record<string, unknown>;

/** All that a store knows. Not copied: what is counted from it (`backlog`), and what is only written to see whether it can be. */
export const TABLES: readonly Table[] = [
  {
    name: 'event',
    key: ['id'],
    columns: {
      id: 'number',
      source: 'text',
      svix_id: 'key',
      event_type: 'text',
      subject: 'key',
      study: 'key',
      state: 'text',
      reason: 'text',
      received_at: 'number',
      routes: 'names',
      size: 'number',
      removed_at: 'number',
    },
  },
  { name: 'body', key: ['event'], columns: { event: 'number', zstd: 'bytes' } },
  {
    name: 'delivery',
    key: ['id'],
    columns: {
      id: 'number',
      event: 'number',
      destination: 'text',
      subject: 'key',
      state: 'text',
      attempts: 'number',
      strikes: 'number',
      due_at: 'number',
      // One that is left from a relay which was killed is found by the first to serve the copy, as it would be here.
      token: 'token',
      renew: 'flag',
      wish: 'text',
      reason: 'text',
      detail: 'text',
      fix: 'text',
      url: 'text',
    },
  },
  {
    name: 'ledger',
    key: ['subject', 'destination', 'target', 'generation'],
    columns: {
      destination: 'text',
      target: 'key',
      subject: 'key',
      generation: 'number',
      origin: 'text',
      receipt: 'json',
      event: 'number',
      doubt: 'number',
      doubt_event: 'number',
    },
  },
  {
    name: 'target',
    from: '(SELECT DISTINCT destination, target AS name FROM ledger)',
    key: ['destination', 'name'],
    columns: { destination: 'text', name: 'key' },
  },
  {
    name: 'lane',
    key: ['destination'],
    columns: {
      destination: 'text',
      paused: 'flag',
      halt_reason: 'text',
      halt_detail: 'text',
      halt_fix: 'text',
      halt_since: 'number',
    },
  },
  { name: 'paused_key', key: ['key'], columns: { key: 'text', until: 'number', length: 'number' } },
];

/** Signs of a UUID. */
const UUID = 36;

/** A value as PostgreSQL is given it. */
export function converted(kind: Kind, value: unknown): unknown {
  if (value === null) return null;
  if (kind === 'text') return toDatabase(String(value));
  if (kind === 'key') return toKey(String(value));
  if (kind === 'names') return (JSON.parse(String(value)) as string[]).map(toDatabase);
  if (kind === 'token') return String(value).slice(-UUID);
  return kind === 'flag' ? value === 1 : value;
}

/** The type that PostgreSQL is told of a value in JSON. Bytes do not go in JSON. */
export const TYPES: Record<Exclude<Kind, 'bytes'>, string> = {
  number: 'bigint',
  text: 'text',
  key: 'text',
  json: 'text',
  names: 'jsonb',
  flag: 'boolean',
  token: 'uuid',
};

/** Signs that stand between columns, between names, and for NULL, where rows are summed up. */
const [COLUMN, NAME, NULL] = ['\u001f', '\u001d', '\u001e'];

/** How many rows there are, and a sum over their hashes in which their order is of no matter. */
export interface Total {
  rows: number;
  sum: bigint;
}

/** Of rows as SQLite has them. @see totalStatement */
export function totalOf({ columns }: Table, rows: readonly Row[]): Total {
  let sum = 0n;
  for (const row of rows) {
    const texts = Object.entries(columns).map(([name, kind]) => printed(kind, row[name]));
    sum += BigInt(`0x${hex(texts.join(COLUMN)).slice(0, 15)}`);
  }
  return { rows: rows.length, sum };
}

function printed(kind: Kind, value: unknown): string {
  if (value === null) return NULL;
  if (kind === 'bytes') return hex(value as Uint8Array);
  const given = converted(kind, value);
  return Array.isArray(given) ? given.join(NAME) : String(given);
}

function hex(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

/** The same total, of the rows as PostgreSQL has them. */
export function totalStatement({ name, columns }: Table): string {
  const texts = Object.entries(columns).map(([column, kind]) => `coalesce(${print(kind, column)}, U&'\\001e')`);
  const digest = `encode(sha256(convert_to(concat_ws(U&'\\001f', ${texts.join(', ')}), 'UTF8')), 'hex')`;
  return `
    SELECT count(*) AS rows, coalesce(sum(('x' || substr(${digest}, 1, 15))::bit(60)::bigint), 0)::text AS sum FROM ${name}`;
}

function print(kind: Kind, column: string): string {
  if (kind === 'bytes') return `encode(sha256(${column}), 'hex')`;
  if (kind !== 'names') return `${column}::text`;
  const names = `jsonb_array_elements_text(${column}) WITH ORDINALITY AS name (text, n)`;
  return `coalesce((SELECT string_agg(text, U&'\\001d' ORDER BY n) FROM ${names}), '')`;
}
