import { statSync } from 'node:fs';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { SYNCED } from './database.ts';
import { WAL_PAGES } from './limits.ts';

/**
 * Passes over the WAL in a row: each has to write only what was committed during the one before. The one that finds nothing
 * newer at its end syncs the database; had none, that would take whoever commits 20 ms.
 */
const PASSES = 4;

/** Pages of a WAL that did not begin anew by itself, 32 MB, at which the connection that commits writes the rest back. */
const LONGEST = 8_000;

/** Pages, 160 MB, at which SQLite writes them back with a commit after all. */
const LAST_RESORT = 40_000;

/** Milliseconds after which it is tried again, when there was no thread for it, or a reader that still needs the old pages. */
const AGAIN = 1_000;

/**
 * The first SQLite in which this is right: before 3.51 it cannot count without writing, and up to 3.51.2 a WAL that is begun
 * anew while another connection writes it back may lose commits (https://www.sqlite.org/wal.html#walresetbug).
 */
const FIRST = '3.51.3';

/**
 * Carries what is in SQLite's WAL over into the database file (a checkpoint, as SQLite calls it), on a thread of its own that
 * starts when there is something to do. SQLite by itself does so with the commit that has made the WAL long: that one, and
 * all who wait for it, take ten milliseconds longer.
 */
export class WriteBack {
  readonly #path: string;
  readonly #file: string;
  readonly #count: StatementSync;
  readonly #passHere: StatementSync;
  #thread: Worker | undefined;
  /** Of the passes in a row, the one under way; 0 for none. */
  #pass = 0;
  #notBefore = 0;

  /** Whether the SQLite of this Node.js can. */
  static get isPossible(): boolean {
    return (process.versions.sqlite ?? '').localeCompare(FIRST, 'en', { numeric: true }) >= 0;
  }

  /** @param writer the connection that commits */
  constructor(writer: DatabaseSync) {
    this.#path = writer.location() ?? '';
    this.#file = fileAt(this.#path);
    this.#count = writer.prepare('PRAGMA wal_checkpoint(NOOP)');
    this.#passHere = writer.prepare('PRAGMA wal_checkpoint(PASSIVE)');
    writer.exec(`PRAGMA wal_autocheckpoint = ${LAST_RESORT}`);
  }

  /** For after each commit; takes a microsecond, and does not throw. */
  committed(): void {
    if (this.#pass === 0 && this.#wal().waiting >= WAL_PAGES && performance.now() >= this.#notBefore) this.#begin();
  }

  /** To be awaited before the connection that commits is closed: the last one to close does the rest. */
  async close(): Promise<void> {
    const thread = this.#thread;
    if (!thread) return;
    this.#thread = undefined;
    thread.removeAllListeners('message');
    thread.ref();
    const exited = new Promise((resolve) => thread.once('exit', resolve));
    thread.postMessage('close');
    await exited;
  }

  #begin(): void {
    try {
      this.#thread ??= this.#start();
      this.#thread.postMessage('pass');
      this.#pass += 1;
    } catch {
      this.#later();
    }
  }

  /** @throws Error when there is no room for a thread, or the file is no longer where it was */
  #start(): Worker {
    // Another file in its place would be a store of its own, whose first connection clears away the WAL that lies beside it.
    if (fileAt(this.#path) !== this.#file) throw new Error(`${this.#path} is not the file that was opened`);
    const url = `${pathToFileURL(this.#path)}?mode=rw`;
    const entry = new URL('./write-back-thread.js', import.meta.url);
    const thread = new Worker(entry, { workerData: { url, synced: SYNCED }, name: 'write-back' });
    thread.unref();
    thread.on('message', () => this.#ended());
    thread.on('error', () => {
      if (this.#thread === thread) this.#thread = undefined;
      this.#later();
    });
    return thread;
  }

  #ended(): void {
    const { pages, waiting } = this.#wal();
    if (waiting > 0 && this.#pass < PASSES) {
      this.#begin();
      return;
    }
    this.#pass = 0;
    if (waiting >= WAL_PAGES) this.#later();
    else if (pages >= LONGEST) this.#writeRest();
  }

  /** Then all of it is written back, and the next commit begins the WAL anew. */
  #writeRest(): void {
    try {
      this.#passHere.get();
    } catch {
      this.#later();
    }
  }

  /** What fails here loses nothing: it stays in the WAL, and SQLite tells whoever commits when that can grow no more. */
  #later(): void {
    this.#pass = 0;
    this.#notBefore = performance.now() + AGAIN;
  }

  /** The pages of the WAL, and how many of them wait. */
  #wal(): { pages: number; waiting: number } {
    try {
      const { log, checkpointed } = this.#count.get() as { log: number; checkpointed: number };
      return { pages: log, waiting: log - checkpointed };
    } catch {
      // Whoever commits next hears why it cannot be read.
      return { pages: 0, waiting: 0 };
    }
  }
}

/** Which file stands at a path. No file is opened for it: to close one would drop SQLite's locks. */
function fileAt(path: string): string {
  const { dev, ino } = statSync(path);
  return `${dev} ${ino}`;
}
