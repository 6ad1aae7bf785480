import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { RelayError } from '../errors.ts';
import { commitError, isBusy } from './database.ts';
import { cannotKeepUp, LOCK_WAIT, WAITING, WAITING_BYTES } from './limits.ts';

interface Waiting {
  work: () => unknown;
  bytes: number;
  resolve: (result: unknown) => void;
  reject: (error: unknown) => void;
}

/** How it ended, known to its caller only once the commit is on disk. */
type Ended = { result: unknown } | { error: unknown };

export interface CommitOptions {
  /** The most writes that wait; the next is rejected at once. A turn rarely queues more than its open requests. */
  maxWaiting?: number;
  /** The most bytes that waiting writes hold. */
  maxBytes?: number;
  /** Milliseconds that writes wait for another process's lock. */
  lockWait?: number;
}

/** The most writes of one commit: while they are synced, whoever waited for the last ones comes with the next. */
const GROUP = 32;

/** Milliseconds between two looks whether another process has freed the write lock. */
const LOCK_POLL = 10;

/**
 * Group commit: the writes that one turn of the event loop queues share a transaction and a sync of the disk, up to 32 of
 * them. Should one fail, they run once more, each in a savepoint, so that it takes nothing with it.
 */
export class GroupCommit {
  readonly #database: DatabaseSync;
  readonly #maxWaiting: number;
  readonly #maxBytes: number;
  readonly #lockWait: number;
  readonly #begin: StatementSync;
  readonly #save: StatementSync;
  readonly #undo: StatementSync;
  readonly #keep: StatementSync;
  readonly #commit: StatementSync;
  readonly #first: () => void;
  readonly #committed: () => void;
  #waiting: Waiting[] = [];
  #bytes = 0;
  #closed = false;

  /**
   * @param first runs at the beginning of every transaction
   * @param committed runs after every commit, and does not throw
   */
  constructor(
    database: DatabaseSync,
    options: CommitOptions = {},
    { first = () => {}, committed = () => {} }: { first?: () => void; committed?: () => void } = {},
  ) {
    this.#database = database;
    this.#first = first;
    this.#committed = committed;
    this.#maxWaiting = options.maxWaiting ?? WAITING;
    this.#maxBytes = options.maxBytes ?? WAITING_BYTES;
    this.#lockWait = options.lockWait ?? LOCK_WAIT;
    this.#begin = database.prepare('BEGIN IMMEDIATE');
    this.#save = database.prepare('SAVEPOINT work');
    this.#undo = database.prepare('ROLLBACK TO work');
    this.#keep = database.prepare('RELEASE work');
    this.#commit = database.prepare('COMMIT');
  }

  /**
   * Runs the work in the next transaction, and resolves with its result once that is on disk.
   *
   * @param work changes the database and nothing else: it runs a second time when another one of its group fails
   * @param bytes what the write holds in memory while it waits
   * @throws RelayError RELAY_STORE_BUSY when it cannot commit, or too much waits already; else what the work throws. Nothing was changed then.
   */
  write<T>(work: () => T, bytes = 0): Promise<T> {
    if (this.#closed) return Promise.reject(new RelayError('RELAY_STORE_BUSY', 'the store is closed'));
    if (this.#waiting.length >= this.#maxWaiting || this.#bytes + bytes > this.#maxBytes) {
      const fix = 'Look at the disk that holds the store: it is slow, or another program holds it.';
      return Promise.reject(cannotKeepUp(this.#waiting.length, fix));
    }
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ work, bytes, resolve: resolve as Waiting['resolve'], reject });
      this.#bytes += bytes;
      if (this.#waiting.length === 1) this.#flushSoon();
    });
  }

  /** Ends the writes that wait, and takes no more. */
  async close(): Promise<void> {
    const last = this.#closed ? undefined : this.write(() => undefined);
    this.#closed = true;
    // Whether that empty write can commit is of no matter: all before it have ended.
    await Promise.allSettled([last]);
  }

  #flushSoon(): void {
    const deadline = performance.now() + this.#lockWait;
    setImmediate(() => this.#flush(deadline));
  }

  #flush(deadline: number): void {
    try {
      this.#begin.run();
    } catch (error) {
      if (isBusy(error) && performance.now() < deadline) {
        setTimeout(() => this.#flush(deadline), LOCK_POLL);
        return;
      }
      for (const { reject } of this.#take(this.#waiting.length)) reject(commitError(error));
      return;
    }
    const group = this.#take();
    let ended: Ended[];
    try {
      ended = this.#together(group) ?? this.#apart(group);
      this.#commit.run();
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      for (const { reject } of group) reject(commitError(error));
      return;
    }
    group.forEach(({ resolve, reject }, index) => {
      const end = ended[index] as Ended;
      if ('error' in end) reject(commitError(end.error));
      else resolve(end.result);
    });
    this.#committed();
  }

  #take(count = GROUP): Waiting[] {
    const group = this.#waiting.splice(0, count);
    for (const { bytes } of group) this.#bytes -= bytes;
    if (this.#waiting.length > 0) this.#flushSoon();
    return group;
  }

  /** Without savepoints, which cost more than many a write. Undefined, with nothing changed, when one of them failed. */
  #together(group: Waiting[]): Ended[] | undefined {
    try {
      this.#first();
      return group.map(({ work }) => ({ result: work() }));
    } catch {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      return undefined;
    }
  }

  #apart(group: Waiting[]): Ended[] {
    this.#begin.run();
    this.#run(this.#first);
    return group.map(({ work }) => this.#run(work));
  }

  #run(work: () => unknown): Ended {
    this.#save.run();
    try {
      const result = work();
      this.#keep.run();
      return { result };
    } catch (error) {
      // A full disk may make SQLite roll the whole transaction back: then nobody's write is left.
      if (!this.#database.isTransaction) throw error;
      this.#undo.run();
      this.#keep.run();
      return { error };
    }
  }
}
