import {
  delivered,
  type Failure,
  type Item,
  type Log,
  type Outcome,
  type Receipt,
  retry,
  unknown,
} from 'versive-relay/connector';
import { columnName, inTab, readCells, rowCells } from './a1.ts';
import type { SheetsClient } from './client.ts';
import type { Cell } from './columns.ts';
import { sheetsOutcome } from './errors.ts';
import type { Layout } from './layout.ts';
import type { Row } from './row.ts';

/**
 * Rows of one call, and bytes. Google recommends 2 MB at most (https://developers.google.com/sheets/api/limits); 200 rows
 * are what a relay can hold in memory at once when each comes of a long transcript.
 */
export const BATCH = { rows: 200, bytes: 2_000_000 };

/**
 * Writes rows into a tab: known ones in place, new ones at the end.
 *
 * New rows go through the API's append and not to a row that the relay chose, since only the service can find the end of
 * the table and write there in one step, with people typing in the sheet meanwhile. It finds the table around the cell that it
 * is given; that is the first named cell of the header, since a blank cell would be taken for the place to write to.
 * Where a person's cells beside the header make the table wider than it, the answer's range tells, and the rows are put right.
 */
export class RowWriter {
  readonly #client: SheetsClient;
  readonly #place: { spreadsheet: string; tab: string };
  readonly #log: Log;

  constructor(client: SheetsClient, place: { spreadsheet: string; tab: string }, log: Log) {
    this.#client = client;
    this.#place = place;
    this.#log = log;
  }

  /** Sends rows in as few calls as Google's limits allow. After a call that shows that none would land now, the rest stays. */
  async write(rows: Row[], layout: Layout): Promise<Map<Item, Outcome>> {
    const outcomes = new Map<Item, Outcome>();
    const known = rows.filter(({ at }) => at !== undefined);
    const fresh = rows.filter(({ at }) => at === undefined);
    let stopped: Outcome | undefined;
    for (const batch of [...inBatches(known), ...inBatches(fresh)]) {
      const rest = stopped;
      const settled = rest ? batch.map(() => rest) : await this.#send(batch, layout);
      for (const [index, { item }] of batch.entries()) {
        const outcome = settled[index];
        if (outcome !== undefined) outcomes.set(item, outcome);
      }
      stopped ??= leftover(settled);
    }
    return outcomes;
  }

  /**
   * What the ledger keeps of a row.
   * @param at counted from 1
   */
  receipt(key: string, at: number, layout: Layout): Receipt {
    const { spreadsheet, tab } = this.#place;
    const range = rowCells(at, layout.first, layout.last);
    const url = `https://docs.google.com/spreadsheets/d/${spreadsheet}/edit#gid=${layout.gid}&range=${range}`;
    return { spreadsheet, tab, key, range, url };
  }

  /** Sends rows in one call. One that Google refuses for a row's sake is halved until that row stands alone. */
  async #send(rows: Row[], layout: Layout): Promise<Outcome[]> {
    const step = rows[0]?.at === undefined ? 'append' : 'update';
    let failure: Failure | undefined;
    try {
      failure = step === 'append' ? await this.#append(rows, layout) : await this.#put(rows, layout);
    } catch (error) {
      failure = sheetsOutcome(error, step, this.#client.email);
    }
    if (failure === undefined) return rows.map((row) => delivered(this.receipt(row.key, row.at ?? 0, layout)));
    const outcome = failure;
    if (outcome.kind !== 'reject' || rows.length === 1) return rows.map(() => outcome);
    const [one, other] = [rows.slice(0, rows.length / 2), rows.slice(rows.length / 2)];
    const settled = await this.#send(one, layout);
    const rest = leftover(settled);
    return [...settled, ...(rest ? other.map(() => rest) : await this.#send(other, layout))];
  }

  /**
   * Adds rows at the end, and notes where they are.
   * @returns what went wrong with rows that did land
   */
  async #append(rows: Row[], layout: Layout): Promise<Failure | undefined> {
    const { tab } = this.#place;
    const begin = inTab(tab, `${columnName(layout.first)}1`);
    const values = rows.map((row) => cellsOf(row, layout).cells);
    const range = await this.#client.append(begin, values);
    const written = readCells(range);
    if (written === undefined || written.lastRow - written.row + 1 !== rows.length) {
      throw new Error(`${rows.length} rows were sent, and Google says that it wrote ${range}`);
    }
    for (const [index, row] of rows.entries()) row.at = written.row + index;
    if (written.column === layout.first) return undefined;
    this.#log.warn({ tab, range }, 'rows were written beside their columns, and are put right');
    for (const row of rows) row.stray = written.column;
    try {
      return await this.#put(rows, layout);
    } catch (error) {
      const { reason, detail } = sheetsOutcome(error, 'update', this.#client.email);
      // Whatever the reason, these rows did land: the next try must look for them, and puts them right.
      return unknown(reason, `rows landed in ${range}, beside their columns, and could not be put right: ${detail}`);
    }
  }

  /** Writes rows over what is there. */
  async #put(rows: Row[], layout: Layout): Promise<undefined> {
    await this.#client.write(
      rows.map((row) => {
        const { cells, from } = cellsOf(row, layout);
        const range = rowCells(row.at ?? 0, from, from + cells.length - 1);
        return { range: inTab(this.#place.tab, range), values: [cells] };
      }),
    );
  }
}

/**
 * The cells of a row, from a column on. Columns of the team are left as they are, and what a stray append put beside its
 * columns is emptied.
 */
function cellsOf({ values, stray }: Row, { positions, first, last }: Layout): { cells: Cell[]; from: number } {
  const off = (stray ?? first) - first;
  const from = Math.min(first, first + off);
  const cells: Cell[] = Array.from({ length: Math.max(last, last + off) - from + 1 }, () => null);
  const put = (name: string, value: Cell, by = 0) => {
    cells[(positions.get(name) ?? 0) + by - from] = value;
  };
  if (off !== 0) for (const name of values.keys()) put(name, '', off);
  for (const [name, value] of values) put(name, value);
  return { cells, from };
}

function inBatches(rows: Row[]): Row[][] {
  const batches: Row[][] = [];
  let bytes = 0;
  for (const row of rows) {
    const size = Buffer.byteLength(JSON.stringify([...row.values.values()]));
    const last = batches.at(-1);
    if (last === undefined || last.length >= BATCH.rows || bytes + size > BATCH.bytes) {
      batches.push([row]);
      bytes = size;
    } else {
      last.push(row);
      bytes += size;
    }
  }
  return batches;
}

/** What becomes of rows that are not sent, because a call before theirs showed that none would land now. */
function leftover(settled: Outcome[]): Outcome | undefined {
  const failed = settled.find(({ kind }) => kind !== 'delivered' && kind !== 'reject');
  return failed?.kind === 'unknown' ? retry(failed.reason, failed.detail) : failed;
}
