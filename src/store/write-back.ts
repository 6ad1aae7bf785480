import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { Worker } from 'node:worker_threads';

/** Pages that wait in the log, at which they are written back: 16 MB, for the same pages of the indexes change with every event. */
const PAGES = 4_000;

/** Passes over the log in a row: each has to write only what was committed during the one before. */
const PASSES = 4;

/** Pages of a log that did not begin anew by itself: 32 MB, which a start after a crash has to read. */
const LONGEST = 8_000;

/** Pages at which SQLite writes them back with a commit after all: the thread does not get to it. */
const LAST_RESORT = 40_000;

/** Milliseconds after which a thread that failed is started once more. */
const AGAIN = 1_000;

/**
 * Carries what is in SQLite's log over into the database file (a checkpoint of the WAL, as SQLite calls it), on a thread of its
 * own. SQLite by itself does so with the commit that has made the log long: that one, and all who wait for it, take ten
 * milliseconds longer.
 */
export class WriteBack {
  readonly #path: string;
  readonly #state: StatementSync;
  readonly #rest: StatementSync;
  #thread: Worker | undefined;
  /** Of the passes in a row, the one under way; 0 for none. */
  #pass = 0;
  #notBefore = 0;

  /** @param writer the connection that commits */
  constructor(writer: DatabaseSync) {
    this.#path = writer.location() ?? '';
    this.#state = writer.prepare('PRAGMA wal_checkpoint(NOOP)');
    this.#rest = writer.prepare('PRAGMA wal_checkpoint(PASSIVE)');
    writer.exec(`PRAGMA wal_autocheckpoint = ${LAST_RESORT}`);
  }

  /** For after each commit; takes a microsecond, and does not throw. */
  committed(): void {
    if (this.#pass === 0 && this.#log().waiting >= PAGES && performance.now() >= this.#notBefore) this.#begin();
  }

  /** To be awaited before the connection that commits is closed: the last one to close does the rest. */
  async close(): Promise<void> {
    const thread = this.#thread;
    if (!thread) return;
    thread.removeAllListeners('message');
    thread.ref();
    const exited = new Promise((resolve) => thread.once('exit', resolve));
    thread.postMessage('close');
    await exited;
  }

  #begin(): void {
    this.#pass += 1;
    this.#thread ??= this.#start();
    this.#thread.postMessage('pass');
  }

  #start(): Worker {
    const entry = new URL('./write-back-thread.js', import.meta.url);
    const thread = new Worker(entry, { workerData: this.#path, name: 'write-back' });
    thread.unref();
    thread.on('message', () => this.#ended());
    // The disk is full, or fails: whoever commits hears of it.
    thread.on('error', () => {
      this.#thread = undefined;
      this.#pass = 0;
      this.#notBefore = performance.now() + AGAIN;
    });
    return thread;
  }

  #ended(): void {
    const { pages, waiting } = this.#log();
    if (waiting > 0 && this.#pass < PASSES) {
      this.#begin();
      return;
    }
    this.#pass = 0;
    if (pages < LONGEST) return;
    try {
      // When all of it is written back, the next commit begins the log anew. What is left is little.
      this.#rest.get();
    } catch {
      // Whoever commits hears of it.
    }
  }

  /** Its pages, and how many of them wait. */
  #log(): { pages: number; waiting: number } {
    try {
      const { log, checkpointed } = this.#state.get() as { log: number; checkpointed: number };
      return { pages: log, waiting: log - checkpointed };
    } catch {
      return { pages: 0, waiting: 0 };
    }
  }
}
