import pg from 'pg';
import type { Database } from './database.ts';
import { fromDatabase, toDatabase } from './text.ts';

const CHANNEL = 'versive_relay';
/** Milliseconds in which changes are gathered into one notice. */
const GATHER = 10;
/** Longest payload, bytes; PostgreSQL takes less than 8,000. */
const LONGEST = 7_900;
/** Milliseconds between two tries to listen again. */
const AGAIN = 500;

type Changed = (destinations?: readonly string[]) => void;

/**
 * What processes tell each other: which destinations were given deliveries, or that anything may have changed. Sent after
 * the commit that it is about, on its own: a transaction that notifies takes a lock of the whole database when it commits.
 */
export class Notices {
  readonly #config: pg.ClientConfig;
  readonly #database: Database;
  /** Tells our own notices from those of others. */
  readonly #sender: string;
  /** What is to be told: names, or with undefined that anything may have changed. */
  #names: Set<string> | undefined = new Set();
  #timer: NodeJS.Timeout | undefined;
  readonly #underWay = new Set<Promise<unknown>>();
  #listener: pg.Client | undefined;
  #changed: Changed | undefined;
  #closed = false;

  constructor(config: pg.ClientConfig, database: Database, sender: string) {
    this.#config = config;
    this.#database = database;
    this.#sender = sender;
  }

  /** Soon tells the others; without destinations, that anything may have changed. */
  tell(destinations?: Iterable<string>): void {
    if (destinations === undefined) this.#names = undefined;
    else if (this.#names) for (const name of destinations) this.#names.add(name);
    if (this.#names?.size === 0) return;
    this.#timer ??= setTimeout(() => this.#send(), GATHER);
  }

  #send(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const names = this.#names === undefined ? [] : [...this.#names];
    this.#names = new Set();
    const whole = JSON.stringify([this.#sender, ...names.map(toDatabase)]);
    const payload = Buffer.byteLength(whole) > LONGEST ? JSON.stringify([this.#sender]) : whole;
    const end = this.#database
      .write({ text: 'SELECT pg_notify($1, $2)', values: [CHANNEL, payload] })
      // Whoever does not hear of it finds it when they next look by themselves.
      .catch(() => {})
      .finally(() => this.#underWay.delete(end));
    this.#underWay.add(end);
  }

  /** Hears what other processes tell, until it is closed. */
  listen(changed: Changed): void {
    this.#changed = changed;
    void this.#connect(false);
  }

  async #connect(again: boolean): Promise<void> {
    const client = new pg.Client(this.#config);
    this.#listener = client;
    let lost = false;
    const lose = () => {
      if (lost) return;
      lost = true;
      if (!this.#closed) setTimeout(() => void this.#connect(true), AGAIN).unref();
    };
    client.on('error', lose);
    client.on('end', lose);
    client.on('notification', ({ payload }) => this.#hear(payload));
    try {
      await client.connect();
      await client.query(`LISTEN ${CHANNEL}`);
      if (this.#closed) await client.end();
      // What was told while nobody listened.
      else if (again) this.#changed?.();
    } catch {
      lose();
      await client.end().catch(() => {});
    }
  }

  #hear(payload = ''): void {
    const [sender, ...names] = parse(payload);
    if (sender === this.#sender) return;
    this.#changed?.(names.length === 0 ? undefined : names.map(fromDatabase));
  }

  /** Sends what is still to be told. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer) this.#send();
    await Promise.all(this.#underWay);
    await this.#listener?.end().catch(() => {});
  }
}

/** Anybody can send anything on the channel. */
function parse(payload: string): string[] {
  try {
    const list: unknown = JSON.parse(payload);
    return Array.isArray(list) && list.every((each) => typeof each === 'string') ? list : [];
  } catch {
    return [];
  }
}
