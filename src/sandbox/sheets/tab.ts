import { invalid } from './errors.ts';
import { type Box, columnName, printRange } from './range.ts';

/** A formula was evaluated: what USER_ENTERED does to text that begins with `=`. Text that came RAW is never one. */
interface Formula {
  formula: string;
}
export type CellValue = string | number | boolean;
type Cell = CellValue | Formula | undefined;

export type ValueInputOption = 'RAW' | 'USER_ENTERED';
export type ValueRenderOption = 'FORMATTED_VALUE' | 'UNFORMATTED_VALUE' | 'FORMULA';

/** Characters of one cell; more are refused. */
const MOST_CHARACTERS = 50_000;
/** What a formula shows here, where nothing can calculate it. */
const EVALUATED = '#N/A';

/** One tab: a grid of cells that begins at A1. */
export class Tab {
  readonly id: number;
  title: string;
  rowCount: number;
  columnCount: number;
  frozenRowCount: number;
  #rows: Cell[][] = [];

  constructor(options: {
    id: number;
    title: string;
    rowCount?: number;
    columnCount?: number;
    frozenRowCount?: number;
  }) {
    this.id = options.id;
    this.title = options.title;
    this.rowCount = options.rowCount ?? 1000;
    this.columnCount = options.columnCount ?? 26;
    this.frozenRowCount = options.frozenRowCount ?? 0;
  }

  /** The values up to the last row and, in each row, the last cell that holds something; blank cells are null. */
  rows(): (CellValue | null)[][] {
    const whole = { top: 0, left: 0, bottom: Number.POSITIVE_INFINITY, right: Number.POSITIVE_INFINITY };
    return this.read(whole, 'UNFORMATTED_VALUE').map((row) => row.map((value) => (value === '' ? null : value)));
  }

  /** Cells that a formula took, as `B2`. */
  formulas(): string[] {
    return this.#rows.flatMap((row, r) =>
      row.flatMap((cell, c) => (isFormula(cell) ? [`${columnName(c)}${r + 1}`] : [])),
    );
  }

  /** The range with its open ends at the grid's. @throws GoogleRefusal when it begins outside of the grid */
  within(box: Box): Box {
    const bottom = Math.min(box.bottom, this.rowCount - 1);
    const right = Math.min(box.right, this.columnCount - 1);
    const outside = (end: number, last: number) => Number.isFinite(end) && end > last;
    if (outside(box.bottom, bottom) || outside(box.right, right) || box.top > bottom || box.left > right) {
      const range = printRange(this.title, {
        ...box,
        bottom: Number.isFinite(box.bottom) ? box.bottom : bottom,
        right: Number.isFinite(box.right) ? box.right : right,
      });
      throw invalid(
        `Range (${range}) exceeds grid limits. Max rows: ${this.rowCount}, max columns: ${this.columnCount}`,
      );
    }
    return { ...box, bottom, right };
  }

  /** The values of a range without the empty rows and cells at its ends, as values.get gives them. */
  read(box: Box, render: ValueRenderOption): CellValue[][] {
    const { top, left, bottom, right } = this.within(box);
    const rows = this.#rows.slice(top, bottom + 1).map((row) => {
      const cells = Array.from(row.slice(left, right + 1), (cell) => shown(cell, render));
      return cells.slice(0, cells.findLastIndex((value) => value !== '') + 1);
    });
    return rows.slice(0, rows.findLastIndex((row) => row.length > 0) + 1);
  }

  /**
   * Writes values from a cell on: null leaves a cell as it is, `""` empties it.
   * @returns how many cells were given a value
   */
  write(top: number, left: number, values: unknown[][], input: ValueInputOption): number {
    const cells = values.map((row, r) => row.map((value, c) => entered(value, input, [r, c])));
    let written = 0;
    for (const [r, row] of cells.entries()) {
      const target = rowAt(this.#rows, top + r);
      for (const [c, cell] of row.entries()) {
        if (cell === undefined) continue;
        target[left + c] = cell === '' ? undefined : cell;
        written += 1;
      }
    }
    return written;
  }

  /** Makes the grid reach to a row and a column, as an append does. */
  grow(rows: number, columns: number): void {
    this.rowCount = Math.max(this.rowCount, rows);
    this.columnCount = Math.max(this.columnCount, columns);
  }

  insertRows(at: number, count: number): void {
    if (at < this.#rows.length) this.#rows.splice(at, 0, ...Array.from({ length: count }, () => []));
    this.rowCount += count;
  }

  /** As a person does in the browser: everything right of it moves. */
  insertColumn(at: number): void {
    for (const row of this.#rows) {
      // A short row has no cell to move; splicing it would put the new cell too far to the left.
      if (row.length > at) row.splice(at, 0, undefined);
    }
    this.columnCount += 1;
  }

  deleteRow(at: number): void {
    this.#rows.splice(at, 1);
    this.rowCount -= 1;
  }

  moveRow(from: number, to: number): void {
    const [row] = this.#rows.splice(from, 1);
    this.#rows.splice(to, 0, row ?? []);
  }

  /**
   * The table that an append to a range goes to, as the guide to appending values tells it: of the cells in the range that
   * hold something the last decides, and its table is the rectangle around it that blank cells surround. Undefined when
   * the range touches no table: the values then begin at the range itself, whatever is beside or below it.
   */
  findTable(box: Box): Box | undefined {
    const bottom = Math.min(box.bottom, this.#rows.length - 1);
    for (let r = bottom; r >= box.top; r--) {
      const row = this.#rows[r] ?? [];
      for (let c = Math.min(box.right, row.length - 1); c >= box.left; c--) {
        if (row[c] !== undefined) return this.#around({ top: r, left: c, bottom: r, right: c });
      }
    }
    // A blank cell may still lie in the rectangle of a table beside it.
    const near = this.#anyIn(grown(box));
    const table = near && this.#around(near);
    return table && overlaps(table, box) ? table : undefined;
  }

  /** Grows a rectangle until nothing but blank cells is around it. */
  #around(start: Box): Box {
    const box = { ...start };
    for (;;) {
      const before = { ...box };
      while (this.#anyIn({ ...grown(box), top: box.bottom + 1 })) box.bottom += 1;
      while (this.#anyIn({ ...grown(box), left: box.right + 1 })) box.right += 1;
      while (box.top > 0 && this.#anyIn({ ...grown(box), bottom: box.top - 1 })) box.top -= 1;
      while (box.left > 0 && this.#anyIn({ ...grown(box), right: box.left - 1 })) box.left -= 1;
      if (before.top + before.left === box.top + box.left && before.bottom + before.right === box.bottom + box.right) {
        return box;
      }
    }
  }

  #anyIn(box: Box): Box | undefined {
    for (let r = box.top; r <= Math.min(box.bottom, this.#rows.length - 1); r++) {
      const row = this.#rows[r] ?? [];
      for (let c = box.left; c <= Math.min(box.right, row.length - 1); c++) {
        if (row[c] !== undefined) return { top: r, left: c, bottom: r, right: c };
      }
    }
    return undefined;
  }
}

function isFormula(cell: Cell): cell is Formula {
  return typeof cell === 'object';
}

function shown(cell: Cell, render: ValueRenderOption): CellValue {
  if (cell === undefined) return '';
  if (isFormula(cell)) return render === 'FORMULA' ? cell.formula : EVALUATED;
  if (render !== 'FORMATTED_VALUE' || typeof cell === 'string') return cell;
  return typeof cell === 'boolean' ? String(cell).toUpperCase() : String(cell);
}

/** What a value becomes in a cell; undefined leaves the cell alone. */
function entered(
  value: unknown,
  input: ValueInputOption,
  [row, column]: [number, number],
): CellValue | Formula | undefined {
  if (value === null || value === undefined) return undefined;
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') {
    const kind = Array.isArray(value) ? 'list_value' : 'struct_value';
    throw invalid(`Invalid values[${row}][${column}]: ${kind} ${JSON.stringify(value)}`);
  }
  if (typeof value === 'string' && value.length > MOST_CHARACTERS) {
    throw invalid('Your input contains more than the maximum of 50000 characters in a single cell.');
  }
  if (input === 'RAW' || typeof value !== 'string') return value;
  if (value.startsWith('=')) return { formula: value };
  if (/^(true|false)$/i.test(value)) return value.toLowerCase() === 'true';
  if (/^\s*-?\d+(\.\d+)?\s*$/.test(value)) return Number(value);
  return value;
}

function rowAt(rows: Cell[][], index: number): Cell[] {
  while (rows.length <= index) rows.push([]);
  return rows[index] ?? [];
}

function grown(box: Box): Box {
  return {
    top: Math.max(0, box.top - 1),
    left: Math.max(0, box.left - 1),
    bottom: box.bottom + 1,
    right: box.right + 1,
  };
}

function overlaps(a: Box, b: Box): boolean {
  return a.top <= b.bottom && b.top <= a.bottom && a.left <= b.right && b.left <= a.right;
}
