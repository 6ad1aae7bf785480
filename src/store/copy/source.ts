import { existsSync } from 'node:fs';
import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import { RelayError } from '../../errors.ts';
import { openError, openReader, readError } from '../database.ts';
import { lockStore, type StoreLock } from '../lock.ts';
import { newestSchema, schemaVersion } from '../migrate.ts';
import { refuseNewer, refuseOlder } from '../migrations.ts';
import { type Row, TABLES, type Table } from './tables.ts';

/** The most bytes of bodies in a batch; at least one row. */
const MOST_BYTES = 8_000_000;

/** Key of a row, by which the next batch begins. */
export type Place = SQLInputValue[];

/**
 * The SQLite store that is copied from, as it was at one moment: no relay serves it meanwhile, and what verbs change is not
 * seen. Nothing is written to it.
 */
export class Source {
  readonly path: string;
  readonly #database: DatabaseSync;
  readonly #lock: StoreLock;
  /** Rows by table. */
  readonly counts: ReadonlyMap<string, number>;
  /** What its wall clock last showed, epoch milliseconds. */
  readonly clock: number;
  /** Another one once anything in the store has changed. */
  readonly fingerprint: string;

  private constructor(path: string, database: DatabaseSync, lock: StoreLock) {
    this.path = path;
    this.#database = database;
    this.#lock = lock;
    database.exec('BEGIN');
    this.counts = new Map(
      TABLES.map(({ name, from = name }) => [name, this.#number(`SELECT count(*) AS n FROM ${from}`)]),
    );
    this.clock = this.#number('SELECT last AS n FROM clock');
    // Each commit moves the clock on, but for those within a second of another one.
    const pings = this.#number('SELECT count AS n FROM ping');
    const last = [this.last('event'), this.last('delivery')];
    this.fingerprint = JSON.stringify([newestSchema(), this.clock, pings, last, [...this.counts.values()]]);
  }

  /** @throws RelayError RELAY_STORE_LOCKED while a relay serves it; RELAY_STORE_OPEN, RELAY_STORE_NEWER, RELAY_STORE_OLDER */
  static async open(path: string): Promise<Source> {
    if (!existsSync(path)) {
      throw new RelayError('RELAY_STORE_OPEN', `there is no store at ${path}`, {
        fix: 'Name the file that the relay has kept its events in with --from.',
      });
    }
    const lock = await lockStore(path, { wait: 0 }).catch((error: unknown) => {
      if (error instanceof RelayError && error.code === 'RELAY_STORE_LOCKED') throw served(path, error);
      throw error;
    });
    let database: DatabaseSync | undefined;
    try {
      database = openReader(path);
      const { version } = schemaVersion(database, path);
      refuseOlder({ version, worksWith: version }, newestSchema(), path);
      // What a newer version added would be left behind.
      refuseNewer({ version, worksWith: version }, newestSchema(), path);
      return new Source(path, database, lock);
    } catch (error) {
      database?.close();
      await lock.release();
      throw openError(path, error);
    }
  }

  /** The highest number that an event or a delivery has had, also one that is gone. */
  last(table: 'event' | 'delivery'): number {
    return this.#number(`SELECT max(seq) AS n FROM sqlite_sequence WHERE name = '${table}'`);
  }

  /** The next rows of a table; none at its end. @throws RelayError RELAY_STORE_OPEN when the disk fails */
  batch({ name, from = name, key, columns }: Table, after: Place | undefined, most: number): Row[] {
    const where = after ? `WHERE (${key.join()}) > (${key.map(() => '?').join()})` : '';
    const order = `ORDER BY ${key.join()} LIMIT ${most}`;
    const rows: Row[] = [];
    let bytes = 0;
    try {
      const statement = this.#database.prepare(`SELECT ${Object.keys(columns).join()} FROM ${from} ${where} ${order}`);
      for (const row of statement.iterate(...(after ?? []))) {
        for (const value of Object.values(row)) if (value instanceof Uint8Array) bytes += value.length;
        if (rows.length > 0 && bytes > MOST_BYTES) break;
        rows.push(row);
      }
    } catch (error) {
      throw readError(error);
    }
    return rows;
  }

  async close(): Promise<void> {
    this.#database.close();
    await this.#lock.release();
  }

  #number(sql: string): number {
    return Number(this.#database.prepare(sql).get()?.n ?? 0);
  }
}

function served(path: string, cause: RelayError): RelayError {
  return new RelayError('RELAY_STORE_LOCKED', `a relay is serving the store ${path}`, {
    fix: 'Stop it first: what it would receive and deliver from now on would be missing in the copy.',
    cause,
  });
}
