/** 0 is `A`, 26 is `AA`. */
export function columnName(index: number): string {
  const letter = String.fromCharCode(65 + (index % 26));
  return index < 26 ? letter : columnName(Math.floor(index / 26) - 1) + letter;
}

/** Cells of a tab, or the whole of it, as `'It''s ours'!A1:B2`: quoted always, since a name may look like a cell. */
export function inTab(tab: string, cells?: string): string {
  const name = `'${tab.replaceAll("'", "''")}'`;
  return cells === undefined ? name : `${name}!${cells}`;
}

/** One row's cells as `B7:F7`; the row counts from 1, the columns from 0. */
export function rowCells(row: number, first: number, last: number): string {
  return `${columnName(first)}${row}:${columnName(last)}${row}`;
}

/** Where an answer's range begins and ends: rows from 1, columns from 0. Undefined when it cannot be read. */
export function readCells(range: string) {
  const match = /(?:^|!)([A-Z]{1,3})(\d+)(?::([A-Z]{1,3})(\d+))?$/.exec(range);
  if (match === null) return undefined;
  const [, column = '', row = '', lastColumn = column, lastRow = row] = match;
  return {
    column: columnIndex(column),
    row: Number(row),
    lastColumn: columnIndex(lastColumn),
    lastRow: Number(lastRow),
  };
}

function columnIndex(name: string): number {
  return [...name].reduce((index, letter) => index * 26 + letter.charCodeAt(0) - 64, 0) - 1;
}
