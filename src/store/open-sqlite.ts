import { existsSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import type { CommitOptions } from './commit.ts';
import { isBusy, makeFile, openError, openReader, openWriter } from './database.ts';
import { migrate } from './migrate.ts';
import { notThere } from './not-there.ts';
import { SqliteStore } from './sqlite.ts';
import { WriteBack } from './write-back.ts';

/** How a store is opened. */
interface OpenOptions extends CommitOptions {
  /** False refuses to make a store that is not there. */
  create?: boolean;
  /** False refuses a store that is at an older schema. */
  upgrade?: boolean;
  /** Milliseconds to wait for another process that is making or changing the store; 10 s by default. */
  wait?: number;
  /** For a store with much to write: a thread writes its WAL back. */
  writeBack?: boolean;
}

const WAIT = 10_000;
/** Milliseconds between two tries. */
const POLL = 20;

/**
 * Opens the SQLite store in the file, and makes it (with its folder) when it is not there.
 *
 * @throws RelayError RELAY_STORE_OPEN, RELAY_STORE_NEWER, RELAY_STORE_OLDER
 */
export async function openSqlite(path: string, options: OpenOptions = {}): Promise<SqliteStore> {
  if (options.create === false && !existsSync(path)) throw notThere(path);
  const deadline = performance.now() + (options.wait ?? WAIT);
  try {
    await makeFile(path);
    for (;;) {
      try {
        return connect(path, options);
      } catch (error) {
        if (!isBusy(error) || performance.now() > deadline) throw error;
      }
      await wait(POLL);
    }
  } catch (error) {
    throw openError(path, error);
  }
}

function connect(path: string, { upgrade = true, writeBack = false, ...options }: OpenOptions): SqliteStore {
  const writer = openWriter(path);
  try {
    migrate(writer, path, { upgrade });
    // A file without the right to write opens all the same, and even begins a transaction: only a change shows it.
    writer.exec('BEGIN IMMEDIATE; UPDATE ping SET count = count + 1; ROLLBACK');
    const thread = writeBack && WriteBack.isPossible ? new WriteBack(writer) : undefined;
    return new SqliteStore(writer, openReader(path), options, thread);
  } catch (error) {
    writer.close();
    throw error;
  }
}
