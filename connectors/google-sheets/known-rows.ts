import type { Receipt } from 'versive-relay/connector';
import { readCells } from './a1.ts';
import type { Layout } from './layout.ts';
import { holdsSubject, type Row } from './row.ts';

/** Where a row stands. */
export interface Place {
  /** Counted from 1. */
  at: number;
  /** The text in its key column, or that belongs there. */
  key: string;
  /** The column that it begins in, counted from 0, when its append landed beside the columns. */
  stray?: number;
}

/**
 * The rows of a tab, as one read of the key column shows them. The key says which row is whose; the range in a receipt only
 * tells rows of one key apart, since people sort rows, insert some and delete others.
 */
export class KnownRows {
  readonly #layout: Layout;
  readonly #cells: string[][];
  /** Rows by the text in their key column. */
  readonly #byKey = new Map<string, number[]>();
  /** Rows that are an item's already: no two get the same. */
  readonly #taken = new Set<number>();

  /** @param cells of all rows, the header among them, in the columns that `columnsToRead` names */
  constructor(cells: unknown[][], layout: Layout) {
    this.#layout = layout;
    this.#cells = cells.map((row) => row.map((value) => String(value ?? '')));
    for (const [index, row] of this.#cells.entries()) {
      const key = row[layout.first] ?? '';
      const same = this.#byKey.get(key);
      if (same) same.push(index + 1);
      else if (index > 0 && key !== '') this.#byKey.set(key, [index + 1]);
    }
  }

  /**
   * Which columns must be read, counted from 0: the key column, and those to the left of it that an append which lands
   * beside the columns can put the key into. It lands to their left, at most by as much as the header is blank there.
   */
  static columnsToRead({ key, first }: Layout): [first: number, last: number] {
    return [key - first, key];
  }

  /**
   * Finds the rows of items.
   * @returns by item's row: its place, or `unclear` when rows have its key and nobody can tell whether one is its own. An
   * item that has no row is not in it.
   */
  places(rows: Row[]): Map<Row, Place | 'unclear'> {
    const places = new Map<Row, Place | 'unclear'>();
    const settle = (row: Row, place: Place | 'unclear' | undefined) => {
      if (place !== undefined) places.set(row, place);
    };
    // Whose receipt still holds comes first, so that nobody else is given its row.
    for (const row of rows) settle(row, this.#named(row));
    const others = rows.filter((row) => !places.has(row));
    for (const row of others) {
      const alone = others.every(({ key, item }) => item === row.item || key !== row.key);
      settle(row, row.item.receipt === undefined ? this.#ofFirstTry(row, alone) : this.#ofReceipt(row));
    }
    return places;
  }

  /** The row that an item's receipt names, while it has the item's key. */
  #named(row: Row): Place | undefined {
    const at = rowOf(row.item.receipt);
    return at !== undefined && this.#with(row).includes(at) ? this.#take(at) : undefined;
  }

  /**
   * The row of an item that was delivered, and that is no longer where it was. Where only rows of earlier generations seem
   * to be left, rows were moved up: one of those is taken, since a new row would be one too many.
   */
  #ofReceipt(row: Row): Place | undefined {
    const rows = this.#with(row);
    const earlier = row.item.earlier.map(rowOf);
    const at = rows.findLast((each) => !earlier.includes(each)) ?? rows.at(-1);
    return this.#stray(row) ?? (at === undefined ? undefined : this.#take(at));
  }

  /** The row that an append of unknown end may have made: one that no earlier generation can have left. */
  #ofFirstTry(row: Row, alone: boolean): Place | 'unclear' | undefined {
    const rows = this.#with(row);
    const earlier = new Set(row.item.earlier.filter(({ key }) => key === row.key).map(rowOf));
    const left = rows.filter((at) => !earlier.has(at));
    // Those that are not where they were may be any of the rows, or gone.
    const moved = earlier.size - (rows.length - left.length);
    const at = left.at(-1);
    if (at !== undefined && left.length > moved && alone) return this.#take(at);
    return this.#stray(row) ?? (at === undefined ? undefined : 'unclear');
  }

  /** Rows with the key of an item, or with the key that its receipt has, which nobody was given yet. */
  #with(row: Row): number[] {
    const { receipt } = row.item;
    // The update that changed the key may have landed without an answer.
    const keys = new Set(receipt === undefined || holdsSubject(row) ? [row.key] : []);
    if (receipt !== undefined) keys.add(String(receipt.key ?? row.key));
    return [...keys].flatMap((key) => this.#byKey.get(key) ?? []).filter((at) => !this.#taken.has(at));
  }

  /** The row in which an item's cells stand too far to the left, as far as can be seen from the columns that were read. */
  #stray(row: Row): Place | undefined {
    const { positions, first, key } = this.#layout;
    const values = new Map([...row.values].map(([name, value]) => [positions.get(name), String(value)]));
    for (let off = 1; off <= first; off++) {
      const expected = Array.from({ length: off + 1 }, (_, index) => values.get(key + index) ?? '');
      const index = this.#cells.findIndex(
        (cells, each) =>
          each > 0 &&
          !this.#taken.has(each + 1) &&
          expected.every((text, position) => (cells[first - off + position] ?? '') === text),
      );
      if (index > 0) return { ...this.#take(index + 1), key: row.key, stray: first - off };
    }
    return undefined;
  }

  #take(at: number): Place {
    this.#taken.add(at);
    return { at, key: this.#cells[at - 1]?.[this.#layout.first] ?? '' };
  }
}

/** The row that a receipt names, counted from 1. */
function rowOf(receipt: Receipt | undefined): number | undefined {
  return readCells(String(receipt?.range ?? ''))?.row;
}
