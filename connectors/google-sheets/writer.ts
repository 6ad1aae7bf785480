import { delivered, type Item, type Log, type Outcome, retry } from 'versive-relay/connector';
import { columnName, inTab, readCells, rowCells } from './a1.ts';
import type { SheetsClient } from './client.ts';
import type { Cell } from './columns.ts';
import { sheetsOutcome } from './errors.ts';
import type { Layout } from './tab.ts';

/**
 * Rows of one call, and bytes. Google recommends 2 MB at most (https://developers.google.com/sheets/api/limits); 200 rows
 * are what a relay can hold in memory at once when each comes of a long transcript.
 */
export const BATCH = { rows: 200, bytes: 2_000_000 };

/** An item on its way into a row. */
export interface Row {
  item: Item;
  /** The text in its key column. */
  key: string;
  values: Map<string, Exclude<Cell, null>>;
  /** The row that it has already, counted from 1. */
  at?: number | undefined;
}

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

  /** Sends rows in one call. One that Google refuses for a row's sake is halved until that row stands alone. */
  async #send(rows: Row[], layout: Layout): Promise<Outcome[]> {
    try {
      const places = rows[0]?.at === undefined ? await this.#append(rows, layout) : rows.map(({ at }) => at ?? 0);
      if (rows[0]?.at !== undefined) await this.#put(rows, places, layout);
      return rows.map((row, index) => this.#delivered(row, layout, places[index] ?? 0));
    } catch (error) {
      const outcome = sheetsOutcome(error, 'write', this.#client.email);
      if (outcome.kind !== 'reject' || rows.length === 1) return rows.map(() => outcome);
      const half = Math.ceil(rows.length / 2);
      return [...(await this.#send(rows.slice(0, half), layout)), ...(await this.#send(rows.slice(half), layout))];
    }
  }

  /** @returns the rows, counted from 1, that they became */
  async #append(rows: Row[], layout: Layout): Promise<number[]> {
    const { tab } = this.#place;
    const begin = inTab(tab, `${columnName(layout.first)}1`);
    const values = rows.map((row) => cellsOf(row, layout));
    const range = await this.#client.append(begin, values);
    const written = readCells(range);
    if (written === undefined || written.lastRow - written.row + 1 !== rows.length) {
      throw new Error(`${rows.length} rows were sent, and Google says that it wrote ${range}`);
    }
    const places = rows.map((_, index) => written.row + index);
    if (written.column !== layout.first) {
      this.#log.warn({ tab, range }, 'rows were written beside their columns, and are put right');
      await this.#put(rows, places, layout, written).catch(() => {
        // Whatever the reason, these rows did land: another append would double them.
        throw new Error(`rows landed in ${range}, beside their columns, and could not be put right`);
      });
    }
    return places;
  }

  /** Writes rows where they belong, and empties what `stray` covers beside that. */
  async #put(rows: Row[], places: number[], layout: Layout, stray?: { column: number; lastColumn: number }) {
    const first = Math.min(layout.first, stray?.column ?? layout.first);
    const last = Math.max(layout.last, stray?.lastColumn ?? layout.last);
    await this.#client.write(
      rows.map((row, index) => ({
        range: inTab(this.#place.tab, rowCells(places[index] ?? 0, first, last)),
        values: [cellsOf(row, { ...layout, first, last }, stray && '')],
      })),
    );
  }

  #delivered({ key }: Row, layout: Layout, row: number): Outcome {
    const { spreadsheet, tab } = this.#place;
    const range = rowCells(row, layout.first, layout.last);
    const url = `https://docs.google.com/spreadsheets/d/${spreadsheet}/edit#gid=${layout.gid}&range=${range}`;
    return delivered({ spreadsheet, tab, key, range, url });
  }
}

/** The cells of a row from the layout's first column to its last; columns of the team get `blank`. */
function cellsOf({ values }: Row, { positions, first, last }: Layout, blank: Cell = null): Cell[] {
  const cells: Cell[] = Array.from({ length: last - first + 1 }, () => blank);
  for (const [name, value] of values) cells[(positions.get(name) ?? 0) - first] = value;
  return cells;
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
