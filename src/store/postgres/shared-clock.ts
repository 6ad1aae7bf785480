import type { Database } from './database.ts';

/** Milliseconds by which the clocks of the relays may differ, or be set back, without anyone minding. */
const SLACK = 60_000;
/** Milliseconds after which the time is noted anew. */
const NOTE = 30_000;

/**
 * Notices that this process's wall clock was set back: behind the time that the store has written down, when the process
 * starts, and from then on behind its own earlier time alone. Another process's clock may be far ahead meanwhile.
 */
export class SharedClock {
  readonly #database: Database;
  #noted = Number.NEGATIVE_INFINITY;
  /** The latest time that this process goes by. */
  #latest = Number.NEGATIVE_INFINITY;
  #started = false;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Notes the time, now and then; while the clock is set back, nothing. */
  async note(): Promise<void> {
    const now = Date.now();
    this.#latest = Math.max(this.#latest, now);
    if (now < this.#noted + NOTE) return;
    await this.#database.write({ text: 'UPDATE clock SET last = $1 WHERE last < $1', values: [now] });
    this.#noted = now;
  }

  /** Takes over, once, what the store has written down. */
  async start(): Promise<void> {
    if (this.#started) return;
    const [row] = await this.#database.read<{ last: number }>({ text: 'SELECT last FROM clock' });
    this.#latest = Math.max(this.#latest, row?.last ?? 0);
    this.#started = true;
  }

  get isSetBack(): boolean {
    const now = Date.now();
    this.#latest = Math.max(this.#latest, now);
    return now < this.#latest - SLACK;
  }

  /** What went by the earlier time was put right. */
  async accept(): Promise<void> {
    const now = Date.now();
    await this.#database.write({ text: 'UPDATE clock SET last = $1', values: [now] });
    this.#noted = now;
    this.#latest = now;
  }
}
