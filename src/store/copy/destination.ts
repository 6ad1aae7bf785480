import type { Client } from 'pg';
import { RelayError } from '../../errors.ts';
import { sqlState, surroundings } from '../postgres/failure.ts';
import { isHalfCopied, MARKER } from '../postgres/half-copied.ts';
import { inspect } from '../postgres/inspect.ts';
import { migrate } from '../postgres/migrate.ts';
import { withClient } from '../postgres/open.ts';
import { openError } from '../postgres/open-error.ts';
import { SERVED } from '../postgres/replicas.ts';
import type { Place, Source } from './source.ts';
import { converted, type Row, TABLES, type Table, type Total, TYPES, totalStatement } from './tables.ts';

/** One copy at a time goes into a store: an advisory lock of two numbers, apart from those of one that lanes are. */
const LOCK = '0x56524c59, 1';
/** Milliseconds that another copy may take to end: the server notices that one was killed. */
const WAIT = 15_000;

/** How far the copy of a table has come: the key of its last row, and all rows so far. */
export interface Reached extends Total {
  after: Place | undefined;
}

/** Of each table that was begun. */
export type Progress = Map<string, Reached>;

/** The marker's row. */
interface Marker {
  origin: string;
  fingerprint: string;
  progress: string;
}

/**
 * Opens a PostgreSQL store to copy into, which nobody else opens until that has come to its end.
 *
 * @throws RelayError RELAY_STORE_OPEN, RELAY_STORE_NEWER; RELAY_STORE_LOCKED while it is served or copied into; RELAY_STORE_BUSY
 *   when the database fails on the way; RELAY_STATE when it holds something else
 */
export function openDestination<T>(location: string, run: (destination: Destination) => Promise<T>): Promise<T> {
  return withClient(location, async (client, { shown }) => {
    await inspect(client, shown);
    // Nothing is promised before the end, which waits for the disk, and so for all before it.
    await client.query(`SET statement_timeout = 0; SET synchronous_commit = off; SET lock_timeout = ${WAIT}`);
    try {
      await client.query(`SELECT pg_advisory_lock(${LOCK})`);
      await client.query('RESET lock_timeout');
      await migrate(client, shown);
      await refuseServed(client, shown);
      return await run(new Destination(client, shown));
    } catch (error) {
      throw failure(error, shown);
    }
  });
}

export class Destination {
  readonly #client: Client;
  readonly #shown: string;

  constructor(client: Client, shown: string) {
    this.#client = client;
    this.#shown = shown;
  }

  /**
   * Begins a copy, or goes on with one that was interrupted. What came from the same file before that has changed is
   * dropped.
   *
   * @throws RelayError RELAY_STATE when anything else is there
   */
  async begin({ path, fingerprint }: Source): Promise<{ how: 'new' | 'on' | 'anew'; progress: Progress }> {
    if (!(await isHalfCopied(this.#client))) {
      await this.#refuseFilled();
      await this.#client.query(`BEGIN; CREATE TABLE ${MARKER} (origin text, fingerprint text, progress text)`);
      await this.#client.query(`INSERT INTO ${MARKER} VALUES ($1, $2, '[]')`, [path, fingerprint]);
      await this.#client.query('COMMIT');
      return { how: 'new', progress: new Map() };
    }
    const { rows } = await this.#client.query<Marker>(`SELECT * FROM ${MARKER}`);
    const marker = rows[0] as Marker;
    if (marker.fingerprint === fingerprint) return { how: 'on', progress: readProgress(marker.progress) };
    if (marker.origin !== path) throw otherCopy(this.#shown, marker.origin);
    const names = [...TABLES.map(({ name }) => name), 'backlog'];
    await this.#client.query(`BEGIN; TRUNCATE ${names.join()}`);
    await this.#client.query(`UPDATE ${MARKER} SET fingerprint = $1, progress = '[]'`, [fingerprint]);
    await this.#client.query('COMMIT');
    return { how: 'anew', progress: new Map() };
  }

  /** Writes rows of a table, and how far that is, in one transaction. */
  async write(table: Table, rows: readonly Row[], progress: Progress): Promise<void> {
    const buffers: Uint8Array[] = [];
    let at = 0;
    const given = rows.map((row) => {
      const shape: Row = {};
      for (const [name, kind] of Object.entries(table.columns)) {
        if (kind === 'bytes') {
          const bytes = row[name] as Uint8Array;
          buffers.push(bytes);
          Object.assign(shape, { at, length: bytes.length });
          at += bytes.length;
        } else shape[name] = converted(kind, row[name]);
      }
      return shape;
    });
    const values = [
      JSON.stringify(given),
      printProgress(progress),
      ...(buffers.length > 0 ? [Buffer.concat(buffers)] : []),
    ];
    await this.#client.query({ name: table.name, text: insertion(table), values });
  }

  /** Counts, and sums up, what is there. */
  async total(table: Table): Promise<Total> {
    const { rows } = await this.#client.query<{ rows: number; sum: string }>(totalStatement(table));
    return { rows: rows[0]?.rows ?? 0, sum: BigInt(rows[0]?.sum ?? 0) };
  }

  /** Lets the next try begin anew. */
  async spoil(): Promise<void> {
    await this.#client.query(`UPDATE ${MARKER} SET fingerprint = ''`);
  }

  /** Lets relays and verbs open the store: numbers go on after the highest, and the clock from where it was. */
  async finish(source: Source): Promise<void> {
    // The planner knows nothing of the rows yet.
    await this.#client.query(`ANALYZE ${TABLES.map(({ name }) => name).join()}`);
    await this.#client.query('BEGIN; SET LOCAL synchronous_commit = on');
    await refuseServed(this.#client, this.#shown);
    for (const table of ['event', 'delivery'] as const) {
      const sequence = `${table}_id_seq`;
      const text = `SELECT setval('${sequence}', greatest($1, last_value)) FROM ${sequence} WHERE $1 > 0`;
      await this.#client.query(text, [source.last(table)]);
    }
    await this.#client.query('UPDATE clock SET last = greatest(last, $1)', [source.clock]);
    await this.#client.query(`DROP TABLE ${MARKER}`);
    await this.#client.query('COMMIT');
  }

  async #refuseFilled(): Promise<void> {
    const filled: string[] = [];
    for (const { name } of TABLES) {
      const { rows } = await this.#client.query(`SELECT 1 FROM ${name} LIMIT 1`);
      if (rows.length > 0) filled.push(name.replace('_', ' '));
    }
    if (filled.length === 0) return;
    throw new RelayError('RELAY_STATE', `the store ${this.#shown} is not empty: it has rows of ${filled.join(', ')}`, {
      fix: 'Copy into an empty database (CREATE DATABASE …): two histories cannot be joined into one.',
    });
  }
}

function insertion({ name, columns }: Table): string {
  const types = Object.entries(columns).flatMap(([column, kind]) =>
    kind === 'bytes' ? [] : `${column} ${TYPES[kind]}`,
  );
  if (Object.values(columns).includes('bytes')) types.push('at integer', 'length integer');
  const values = Object.entries(columns).map(([column, kind]) =>
    kind === 'bytes' ? 'substring($3::bytea FROM at + 1 FOR length)' : column,
  );
  return `
    WITH written AS (
      INSERT INTO ${name} (${Object.keys(columns).join()})
      SELECT ${values.join()} FROM json_to_recordset($1) AS given (${types.join()}))
    UPDATE ${MARKER} SET progress = $2`;
}

function printProgress(progress: Progress): string {
  return JSON.stringify([...progress].map(([name, { after, rows, sum }]) => [name, after, rows, String(sum)]));
}

function readProgress(text: string): Progress {
  const entries = JSON.parse(text) as [name: string, after: Place, rows: number, sum: string][];
  return new Map(entries.map(([name, after, rows, sum]) => [name, { after, rows, sum: BigInt(sum) }]));
}

async function refuseServed(client: Client, shown: string): Promise<void> {
  if ((await client.query<{ served: boolean }>(SERVED)).rows[0]?.served !== true) return;
  throw new RelayError('RELAY_STORE_LOCKED', `a relay is serving the store ${shown}`, {
    fix: 'Stop it first; `versive-relay replicas` says which ones do.',
  });
}

function otherCopy(shown: string, origin: string): RelayError {
  return new RelayError('RELAY_STATE', `the store ${shown} has a part of a copy from ${origin}`, {
    fix: `Go on with it: --from ${origin}. Or copy into another, empty database.`,
  });
}

function failure(error: unknown, shown: string): unknown {
  if (sqlState(error) === '55P03') {
    const fix = 'Wait until it has ended.';
    return new RelayError('RELAY_STORE_LOCKED', `another copy into the store ${shown} is under way`, {
      fix,
      cause: error,
    });
  }
  // Of a right that is missing it is known what to do.
  if (sqlState(error) === '42501') return openError(shown, error);
  const why = surroundings(error);
  if (why === undefined) return error;
  return new RelayError('RELAY_STORE_BUSY', `the copy into ${shown} stopped: ${why}`, {
    fix: 'Look at the database, then run the same command again: it goes on where it stopped.',
    cause: error,
  });
}
