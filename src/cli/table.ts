import { styleText } from 'node:util';
import { clip } from '../text.ts';
import { plain } from './words.ts';

type Style = Parameters<typeof styleText>[0];

/** A piece of text with the colour that it has on a terminal. */
export interface Cell {
  text: string;
  style?: Style;
  /** Never cut: a link must stay one. For the last column. */
  whole?: true;
}

/** A line, in pieces that have colours of their own. */
export type Line = (Cell | string)[];

/** One row of a table, and the lines under it that explain it. */
export interface Row {
  cells: (Cell | string)[];
  notes?: Cell[];
}

/** The most that a cell shows. A note is shown whole: a person needs all of a fix. */
const CELL = 48;

/** Writes lines, in colour where the stream is a terminal that wants it. */
export function printLines(lines: Line[], stream: NodeJS.WriteStream): void {
  for (const line of lines) {
    const pieces = line.map((piece) => (typeof piece === 'string' ? { text: piece } : piece));
    stream.write(`${pieces.map((piece) => paint({ ...piece, text: plain(piece.text) }, stream)).join('')}\n`);
  }
}

/** A line as plain text. */
export function textOfLine(line: Line): string {
  return plain(line.map((piece) => (typeof piece === 'string' ? piece : piece.text)).join(''));
}

/** Writes rows under their heads, in aligned columns; in colour where the stream is a terminal that wants it. */
export function printTable(heads: string[], rows: Row[], stream: NodeJS.WriteStream): void {
  printRows([{ cells: heads.map((text) => ({ text, style: 'dim', whole: true })) }, ...rows], stream);
}

/** Writes rows without heads, in aligned columns. */
export function printRows(rows: Row[], stream: NodeJS.WriteStream, indent = ''): void {
  const lines = rows.map(({ cells }) => cells.map(fit));
  const widths = (lines[0] ?? []).map((_, column) =>
    Math.max(...lines.map((cells) => cells[column]?.text.length ?? 0)),
  );
  rows.forEach(({ notes = [] }, index) => {
    const cells = lines[index] ?? [];
    const line = cells.map(
      (cell, column) => paint(cell, stream) + ' '.repeat((widths[column] ?? 0) - cell.text.length),
    );
    stream.write(`${indent}${line.join('  ').trimEnd()}\n`);
    printNotes(notes, stream, `${indent}    `);
  });
}

/** Writes lines of text, each in its colour. */
export function printNotes(notes: Cell[], stream: NodeJS.WriteStream, indent = ''): void {
  for (const { text, style } of notes) {
    stream.write(`${indent}${paint({ text: plain(text), ...(style !== undefined && { style }) }, stream)}\n`);
  }
}

function paint({ text, style }: Cell, stream: NodeJS.WriteStream): string {
  return style === undefined ? text : styleText(style, text, { stream });
}

/** Writes names and values, one a line. Values that are not there are left out. */
export function printFacts(facts: [name: string, value: string | undefined][], stream: NodeJS.WriteStream): void {
  const known = facts.filter(([, value]) => value !== undefined && value !== '');
  const width = Math.max(...known.map(([name]) => name.length));
  for (const [name, value] of known) {
    stream.write(`  ${styleText('dim', name.padEnd(width), { stream })}  ${plain(value ?? '')}\n`);
  }
}

function fit(cell: Cell | string): Cell {
  const given: Cell = typeof cell === 'string' ? { text: cell } : cell;
  const text = plain(given.text);
  return { ...given, text: given.whole ? text : clip(text, CELL) };
}
