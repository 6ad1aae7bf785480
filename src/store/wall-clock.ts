import type { DatabaseSync, StatementSync } from 'node:sqlite';

/** Milliseconds that the wall clock may be set back without anyone minding, and after which the store notes it anew. */
const SLACK = 1_000;

/** Notices, also after a restart, that the wall clock was set back behind times which the store has written down. */
export class WallClock {
  readonly #read: StatementSync;
  readonly #write: StatementSync;

  constructor(database: DatabaseSync) {
    this.#read = database.prepare('SELECT last FROM clock');
    this.#write = database.prepare('UPDATE clock SET last = ?');
  }

  get isSetBack(): boolean {
    return Date.now() < this.#last - SLACK;
  }

  /** Notes the time, about once a second, within a transaction; while the clock is set back, nothing. */
  note(): void {
    const now = Date.now();
    if (now > this.#last + SLACK) this.#write.run(now);
  }

  /** What went by the earlier time was put right. */
  accept(): void {
    this.#write.run(Date.now());
  }

  get #last(): number {
    return Number(this.#read.get()?.last);
  }
}
