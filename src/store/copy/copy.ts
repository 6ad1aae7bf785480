import { isPostgres } from '../../address.ts';
import { RelayError } from '../../errors.ts';
import { type Destination, openDestination, type Progress, type Reached } from './destination.ts';
import { type Place, Source } from './source.ts';
import { TABLES, type Table, totalOf } from './tables.ts';

/** The most rows of a batch. */
const MOST = 1_000;

export interface CopyOptions {
  /** The most rows of a transaction; 1,000 by default. */
  most?: number;
  /** Hears how the copy began, and how many rows were there already. */
  began?: (how: Copied['how'], rows: number) => void;
  /** Hears of rows that were copied. */
  wrote?: (rows: number) => void;
}

export interface Copied {
  /** For the first time, on from where an earlier one stopped, or anew since the source has changed since that. */
  how: 'new' | 'on' | 'anew';
  /** Rows by table. */
  rows: Map<string, number>;
}

/**
 * Copies the store of a relay that was stopped: all events with their bodies, deliveries and receipts, under the numbers that
 * they have. It reads a batch at a time, and compares counts and checksums at the end. Until then nobody can open the
 * destination, and a copy that was interrupted goes on where it stopped.
 *
 * @param from the path of an SQLite file
 * @param to the address of a PostgreSQL database
 * @throws RelayError RELAY_USAGE for stores of other kinds; else as Source and Destination do; RELAY_STATE when the copy differs
 */
export async function copyStore(from: string, to: string, options: CopyOptions = {}): Promise<Copied> {
  refuseKinds(from, to);
  const source = await Source.open(from);
  try {
    return await openDestination(to, async (destination) => {
      const { how, progress } = await destination.begin(source);
      const there = [...progress.values()].reduce((sum, { rows }) => sum + rows, 0);
      options.began?.(how, there);
      for (const table of TABLES) await copyTable(table, { source, destination, progress, options });
      await compare(source, destination, progress);
      await destination.finish(source);
      return { how, rows: new Map([...progress].map(([name, { rows }]) => [name, rows])) };
    });
  } finally {
    await source.close();
  }
}

interface Copying {
  source: Source;
  destination: Destination;
  progress: Progress;
  options: CopyOptions;
}

async function copyTable(table: Table, { source, destination, progress, options }: Copying): Promise<void> {
  let reached: Reached = progress.get(table.name) ?? { after: undefined, rows: 0, sum: 0n };
  for (;;) {
    progress.set(table.name, reached);
    const batch = source.batch(table, reached.after, options.most ?? MOST);
    const last = batch.at(-1);
    if (last === undefined) return;
    const { rows, sum } = totalOf(table, batch);
    const after = table.key.map((name) => last[name]) as Place;
    reached = { after, rows: reached.rows + rows, sum: reached.sum + sum };
    progress.set(table.name, reached);
    await destination.write(table, batch, progress);
    options.wrote?.(rows);
  }
}

/** @throws RelayError RELAY_STATE when the two stores are not the same */
async function compare(source: Source, destination: Destination, progress: Progress): Promise<void> {
  const wrong: string[] = [];
  for (const table of TABLES) {
    const { name } = table;
    const [read, found] = [progress.get(name), await destination.total(table)];
    const count = source.counts.get(name);
    if (found.rows !== count || read?.rows !== count) wrong.push(`${name} has ${found.rows} rows of ${count}`);
    else if (found.sum !== read?.sum) wrong.push(`the checksums of ${name} differ`);
  }
  if (wrong.length === 0) return;
  await destination.spoil();
  throw new RelayError('RELAY_STATE', `the copy is not what it was made from: ${wrong.join('; ')}`, {
    fix: 'Something has changed one of the two meanwhile. Run the same command again: it begins anew.',
  });
}

function refuseKinds(from: string, to: string): void {
  if (!isPostgres(from) && isPostgres(to)) return;
  const usage = (message: string, fix: string) => new RelayError('RELAY_USAGE', message, { fix });
  if (isPostgres(from) && isPostgres(to)) {
    throw usage('Both stores are PostgreSQL databases.', 'Use pg_dump and pg_restore, with the relays stopped.');
  }
  if (isPostgres(from)) {
    const fix = 'Should config.yaml name the database already, name the file with --from.';
    throw usage('A copy goes from an SQLite file to a PostgreSQL database, and not back.', fix);
  }
  const fix = 'Stop the relay and copy the file, or use `sqlite3 relay.db ".backup copy.db"`: see docs/operations.md.';
  throw usage('Both stores are SQLite files.', fix);
}
