import pg from 'pg';
import type { PostgresAddress } from '../../address.ts';
import { RelayError } from '../../errors.ts';
import { clientConfig, type Settings } from './connect.ts';
import { readError, sqlState, writeError } from './failure.ts';

/** A statement; with a name, it is prepared once a connection. */
export interface Statement {
  name?: string;
  text: string;
  values?: unknown[];
  /** Milliseconds after which its connection is given up when no answer came. */
  query_timeout?: number;
}

/** Milliseconds that an answer may come later than the database's own limit: then the network has lost it. */
const LATE = 5_000;
/** How often a statement is begun that others were in the way of. */
const TRIES = 4;

/**
 * The pool of connections that any statement may go over: receiving, lists and verbs. It makes new ones by itself when
 * the database comes back.
 */
export class Database {
  readonly #pool: pg.Pool;
  #closed: Promise<void> | undefined;

  constructor(address: PostgresAddress, settings: Settings) {
    this.#pool = new pg.Pool({
      ...clientConfig(address, settings),
      query_timeout: address.statementTimeout + LATE,
      max: address.poolSize,
    });
    // A connection that is lost while nobody uses it is replaced; a statement that is lost rejects.
    this.#pool.on('error', () => {});
    this.#pool.on('connect', (client) => client.on('error', () => {}));
  }

  /** @throws RelayError RELAY_STORE_OPEN when the database cannot answer */
  async read<Row extends pg.QueryResultRow>(statement: Statement): Promise<Row[]> {
    try {
      return (await this.#pool.query<Row>(statement)).rows;
    } catch (error) {
      throw readError(error);
    }
  }

  /** @throws RelayError RELAY_STORE_BUSY when the database cannot commit */
  async write<Row extends pg.QueryResultRow>(statement: Statement): Promise<Row[]> {
    for (let tries = 1; ; tries += 1) {
      if (this.#closed) throw closedError();
      try {
        return (await this.#pool.query<Row>(statement)).rows;
      } catch (error) {
        // Two that held rows of each other: one was undone whole.
        if (sqlState(error)?.startsWith('40') !== true || tries === TRIES) throw writeError(error);
      }
    }
  }

  /** Runs several statements in one transaction. @throws RelayError RELAY_STORE_BUSY when the database cannot commit */
  async transaction<T>(run: (client: pg.ClientBase) => Promise<T>): Promise<T> {
    return this.session(async (client) => {
      await client.query('BEGIN');
      const result = await run(client);
      await client.query('COMMIT');
      return result;
    });
  }

  /** Runs several statements over one connection, which is dropped when one of them fails. */
  async session<T>(run: (client: pg.ClientBase) => Promise<T>): Promise<T> {
    if (this.#closed) throw closedError();
    let client: pg.PoolClient;
    try {
      client = await this.#pool.connect();
    } catch (error) {
      throw writeError(error);
    }
    try {
      const result = await run(client);
      client.release();
      return result;
    } catch (error) {
      client.release(true);
      throw writeError(error);
    }
  }

  /** Lets statements under way end. */
  close(): Promise<void> {
    this.#closed ??= this.#pool.end();
    return this.#closed;
  }
}

export function closedError(): RelayError {
  return new RelayError('RELAY_STORE_BUSY', 'the store is closed');
}
