import type { Database } from './database.ts';

/** Milliseconds by which the clocks of the relays may differ, or be set back, without anyone minding. */
const SLACK = 60_000;
/** Milliseconds after which the time is noted anew. */
const NOTE = 30_000;

/** Notices, also after a restart, that the wall clock was set back behind times which the store has written down. */
export class SharedClock {
  readonly #database: Database;
  #noted = Number.NEGATIVE_INFINITY;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Notes the time, now and then; while the clock is set back, nothing. */
  async note(): Promise<void> {
    const now = Date.now();
    if (now < this.#noted + NOTE) return;
    await this.#database.write({ text: 'UPDATE clock SET last = $1 WHERE last < $1', values: [now] });
    this.#noted = now;
  }

  async isSetBack(): Promise<boolean> {
    const [row] = await this.#database.read<{ last: number }>({ text: 'SELECT last FROM clock' });
    return row !== undefined && Date.now() < row.last - SLACK;
  }

  /** What went by the earlier time was put right. */
  async accept(): Promise<void> {
    const now = Date.now();
    await this.#database.write({ text: 'UPDATE clock SET last = $1', values: [now] });
    this.#noted = now;
  }
}
