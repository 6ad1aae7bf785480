import { invalid } from './errors.ts';

/** A rectangle of cells, counted from 0, ends included. Infinity: up to the end of the grid. */
export interface Box {
  top: number;
  left: number;
  bottom: number;
  right: number;
}

/** `Title!cells`, taken apart. A range without a tab's name has no title; one without cells is the whole tab. */
export interface Range {
  title: string | undefined;
  box: Box;
}

const CELLS = /^\$?([A-Za-z]{1,3})?\$?([1-9]\d{0,6})?(?::\$?([A-Za-z]{1,3})?\$?([1-9]\d{0,6})?)?$/;

/**
 * Reads A1 notation.
 * @param titles of the spreadsheet's tabs: a text that is one of them means that tab
 * @throws GoogleRefusal in Google's words when it cannot be read
 */
export function parseRange(text: string, titles: readonly string[]): Range {
  const quoted = /^'((?:[^']|'')+)'(?:!(.+))?$/s.exec(text);
  const plain = /^([^'!]+)!(.+)$/s.exec(text);
  const title = quoted ? quoted[1]?.replaceAll("''", "'") : plain?.[1];
  const cells = quoted ? quoted[2] : plain?.[2];
  if (title !== undefined) {
    if (!titles.some((known) => sameTitle(known, title))) throw unreadable(text);
    return { title, box: cells === undefined ? WHOLE : parseCells(cells, text) };
  }
  const named = titles.find((known) => sameTitle(known, text));
  if (named !== undefined) return { title: named, box: WHOLE };
  return { title: undefined, box: parseCells(text, text) };
}

const WHOLE: Box = { top: 0, left: 0, bottom: Number.POSITIVE_INFINITY, right: Number.POSITIVE_INFINITY };

function parseCells(cells: string, text: string): Box {
  const match = CELLS.exec(cells);
  const [, fromColumn, fromRow, toColumn, toRow] = match ?? [];
  const isPair = cells.includes(':');
  // A lone `A` or `7` is no range, nor is `A:` or `:B2`.
  const whole = isPair ? (fromColumn ?? fromRow) && (toColumn ?? toRow) : fromColumn && fromRow;
  if (match === null || !whole) throw unreadable(text);
  const left = fromColumn === undefined ? 0 : columnIndex(fromColumn);
  const top = fromRow === undefined ? 0 : Number(fromRow) - 1;
  if (!isPair) return { top, left, bottom: top, right: left };
  const right = toColumn === undefined ? Number.POSITIVE_INFINITY : columnIndex(toColumn);
  const bottom = toRow === undefined ? Number.POSITIVE_INFINITY : Number(toRow) - 1;
  return {
    top: Math.min(top, bottom),
    left: Math.min(left, right),
    bottom: Math.max(top, bottom),
    right: Math.max(left, right),
  };
}

function unreadable(text: string) {
  return invalid(`Unable to parse range: ${text}`);
}

/** Sheets tells tabs apart without regard to case. */
export function sameTitle(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

/** As Google prints ranges: quotes only where the title needs them, one cell without a colon. */
export function printRange(title: string, box: Box): string {
  const name = /^[A-Za-z_][A-Za-z0-9_]*$/.test(title) ? title : `'${title.replaceAll("'", "''")}'`;
  const from = `${columnName(box.left)}${box.top + 1}`;
  const to = `${columnName(box.right)}${box.bottom + 1}`;
  return from === to ? `${name}!${from}` : `${name}!${from}:${to}`;
}

/** 0 is `A`, 26 is `AA`. */
export function columnName(index: number): string {
  const letter = String.fromCharCode(65 + (index % 26));
  return index < 26 ? letter : columnName(Math.floor(index / 26) - 1) + letter;
}

function columnIndex(name: string): number {
  return [...name.toUpperCase()].reduce((index, letter) => index * 26 + letter.charCodeAt(0) - 64, 0) - 1;
}
