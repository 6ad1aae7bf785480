import { Socket } from 'node:net';
import pg from 'pg';
import { RelayError } from '../../errors.ts';
import { closedError, type Statement } from './database.ts';
import { surroundings, writeError } from './failure.ts';

/** Milliseconds between two beats. */
const BEAT = 1_000;
/** Milliseconds after which nothing is sure that was not answered since. */
const SURE = 3_000;
/** Milliseconds after which a statement that was not answered is given up, and the connection with it. */
const DEAF = 8_000;
/** Longest wait before the next try to connect, milliseconds. */
const LONGEST_PAUSE = 1_000;
/** The most statements of one transaction. */
const MOST = 100;

/**
 * The server ends the session of a process that was stopped or cut off: after four seconds without a statement, within a
 * transaction or without; so it does with an answer that nobody takes. Its locks go with it.
 */
export const LANE_SETTINGS = {
  idle_session_timeout: 4000,
  idle_in_transaction_session_timeout: 4000,
  statement_timeout: 5000,
  tcp_user_timeout: 4000,
  tcp_keepalives_idle: 2,
  tcp_keepalives_interval: 1,
  tcp_keepalives_count: 2,
  // Its few statements go by keys alone, whatever the planner knows of the tables: it is asked once.
  plan_cache_mode: 'force_generic_plan',
  enable_seqscan: 'off',
  enable_bitmapscan: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
  jit: 'off',
} as const;

type Rows = Record<string, unknown>[];

/** When a statement was sent, by both clocks: one stands still while the machine sleeps. */
interface Sent {
  steady: number;
  wall: number;
}

interface Work {
  statement: Statement;
  /** In no transaction with others. */
  alone: boolean;
  resolve(rows: Rows): void;
  reject(error: unknown): void;
}

interface Hooks {
  /** Checks a new connection, before anything else goes over it. */
  prepare(client: pg.Client): Promise<void>;
  /** The statement of a beat. */
  beat(): Statement;
  /** There is a connection, again: what this runs goes over it before anything else. */
  made(): void;
  /** All that was the connection's is lost. */
  lost(): void;
}

/**
 * The one connection that holds the locks of this process's lanes, and over which their deliveries are claimed and
 * recorded: what is lost with it, locks and the right to write, is lost together. What one turn of the event loop queues
 * shares a transaction. It comes back by itself, with nothing.
 */
export class LaneConnection {
  readonly #config: pg.ClientConfig;
  readonly #hooks: Hooks;
  #client: pg.Client | undefined;
  #socket: Socket | undefined;
  #queue: Work[] = [];
  #running: Promise<void> | undefined;
  /** When the last statement that was answered had been sent. */
  #sure: Sent = { steady: Number.NEGATIVE_INFINITY, wall: 0 };
  /** The statements that have not ended yet. */
  readonly #unanswered = new Set<Sent>();
  #beating: NodeJS.Timeout | undefined;
  #beats = false;
  #pause = 0;
  #closed = false;

  constructor(config: pg.ClientConfig, hooks: Hooks) {
    this.#config = config;
    this.#hooks = hooks;
  }

  /** Which connection it is: another object after each loss, undefined while there is none. */
  get current(): object | undefined {
    return this.#client;
  }

  /** A statement that was sent within the last three seconds has been answered. */
  get isSure(): boolean {
    const { steady, wall } = this.#sure;
    return this.#client !== undefined && performance.now() - steady < SURE && Date.now() - wall < SURE;
  }

  /** Connects for the first time. @throws whatever keeps it from that */
  async open(): Promise<void> {
    await this.#connect();
    this.#beating = setInterval(() => this.#beat(), BEAT).unref();
  }

  /**
   * Runs a statement; it is committed when the promise resolves.
   *
   * @param options.alone in a transaction of its own: for what a rollback does not take back
   * @throws RelayError RELAY_STORE_BUSY when the connection is lost or the database cannot commit
   */
  run(statement: Statement, { alone = false } = {}): Promise<Rows> {
    if (this.#closed) return Promise.reject(closedError());
    if (!this.#client) return Promise.reject(lostError());
    return new Promise((resolve, reject) => {
      this.#queue.push({ statement, alone, resolve, reject });
      if (this.#queue.length === 1) setImmediate(() => this.#work());
    });
  }

  /** Lets what waits end. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#beating);
    this.#work();
    await this.#running;
    const client = this.#client;
    this.#client = undefined;
    await client?.end().catch(() => {});
  }

  #work(): void {
    this.#running ??= this.#runAll().finally(() => {
      this.#running = undefined;
    });
  }

  /** Sends what waits, until nothing does. */
  async #runAll(): Promise<void> {
    while (this.#client && this.#queue.length > 0) {
      const until = this.#queue.slice(0, MOST).findIndex(({ alone }) => alone);
      const count = until === -1 ? MOST : Math.max(1, until);
      await this.#runGroup(this.#client, this.#queue.splice(0, count));
    }
  }

  /** Never rejects: tells each how it ended. */
  async #runGroup(client: pg.Client, group: Work[]): Promise<void> {
    const only = group.length === 1 ? group[0] : undefined;
    const statements: (Statement | string)[] = group.map(({ statement }) => statement);
    const all = only ? statements : ['BEGIN', ...statements, 'COMMIT'];
    const ends = await Promise.allSettled(all.map((statement) => this.#send(client, statement)));
    const failed = ends.find((end) => end.status === 'rejected')?.reason as unknown;
    const last = ends.at(-1);
    const committed =
      failed === undefined && (only || (last?.status === 'fulfilled' && last.value.command === 'COMMIT'));
    if (committed) {
      for (const [index, { resolve }] of group.entries()) {
        const end = ends[only ? index : index + 1];
        if (end?.status === 'fulfilled') resolve(end.value.rows);
      }
    } else if (only || this.#client !== client) {
      for (const { reject } of group) reject(this.#client === client ? writeError(failed) : lostError(failed));
    } else {
      // One that fails takes no other with it.
      for (const work of group) await this.#runGroup(client, [work]);
    }
  }

  async #send(client: pg.Client, statement: Statement | string): Promise<pg.QueryResult> {
    const sent = { steady: performance.now(), wall: Date.now() };
    this.#unanswered.add(sent);
    try {
      const result = await client.query(statement);
      this.#answered(client, sent);
      return result;
    } catch (error) {
      // Also a refusal is an answer.
      if (error instanceof pg.DatabaseError) this.#answered(client, sent);
      throw error;
    } finally {
      this.#unanswered.delete(sent);
    }
  }

  #answered(client: pg.Client, sent: Sent): void {
    if (client === this.#client) this.#sure = sent;
  }

  #beat(): void {
    const [oldest] = this.#unanswered;
    if (oldest && performance.now() - oldest.steady > DEAF) this.#socket?.destroy();
    if (!this.#client || this.#beats) return;
    this.#beats = true;
    this.run(this.#hooks.beat())
      .catch(() => {})
      .finally(() => {
        this.#beats = false;
      });
  }

  async #connect(): Promise<void> {
    const socket = new Socket();
    const client = new pg.Client({ ...this.#config, pipeline: true, stream: () => socket });
    let isOver = false;
    const over = () => {
      isOver = true;
      this.#lose(client);
    };
    // Both: a connection that was ended tells only one of them.
    client.on('error', over);
    client.on('end', over);
    let deaf: NodeJS.Timeout | undefined;
    try {
      await client.connect();
      deaf = setTimeout(() => socket.destroy(), DEAF).unref();
      await this.#hooks.prepare(client);
      // Whoever loses it later is told: what was over before would never be lost.
      if (this.#closed || isOver || socket.destroyed) throw lostError();
    } catch (error) {
      socket.destroy();
      await client.end().catch(() => {});
      throw error;
    } finally {
      clearTimeout(deaf);
    }
    this.#client = client;
    this.#socket = socket;
    this.#pause = 0;
    this.#unanswered.clear();
    this.#hooks.made();
    await this.run(this.#hooks.beat()).catch(() => {});
  }

  #lose(client: pg.Client | undefined): void {
    if (!client || this.#client !== client) return;
    this.#client = undefined;
    for (const { reject } of this.#queue.splice(0)) reject(lostError());
    this.#hooks.lost();
    this.#socket?.destroy();
    if (!this.#closed) this.#reconnectSoon();
  }

  #reconnectSoon(): void {
    this.#pause = Math.min(LONGEST_PAUSE, this.#pause * 2 + 50);
    setTimeout(() => {
      if (this.#closed) return;
      this.#connect().catch(() => this.#reconnectSoon());
    }, this.#pause).unref();
  }
}

function lostError(cause?: unknown): RelayError {
  const why = surroundings(cause) ?? 'the connection of its lanes is lost';
  return new RelayError('RELAY_STORE_BUSY', `the store cannot commit: ${why}`, {
    fix: 'Look at the database: is it up, and can this machine reach it? The relay connects again by itself.',
    cause,
  });
}
