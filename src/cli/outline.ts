/** Draws JSON for a person: names before values, indented, without braces; long texts and lists clipped. */
import type { Drawn } from '../connector.ts';
import type { JsonValue } from '../model.ts';
import { clip, pieces } from '../text.ts';

const WIDTH = 76;
/** Characters that are shown of a text, and entries of a list. */
const SHOWN = 240;
const ENTRIES = 4;

/** What is left out is counted; `--json` has it. */
export function outline(value: JsonValue): Drawn[][] {
  return draw(value, '');
}

function draw(value: JsonValue, indent: string): Drawn[][] {
  if (typeof value !== 'object' || value === null) return texts(value, indent.length).map((text) => [indent, text]);
  return Array.isArray(value) ? drawList(value, indent) : drawMap(Object.entries(value), indent);
}

function drawMap(entries: [string, JsonValue][], indent: string): Drawn[][] {
  const short = entries.filter(([, value]) => !isDeep(value)).map(([name]) => name.length);
  const width = Math.min(24, Math.max(0, ...short));
  return entries.flatMap(([name, value]): Drawn[][] => {
    if (isDeep(value)) return [[indent, { bold: clip(name, WIDTH) }], ...draw(value, `${indent}  `)];
    return texts(value, indent.length + width + 2).map((text, index) => {
      const label = index === 0 ? clip(name, 60) : '';
      return [indent, { bold: label.padEnd(width + 2) }, label.length > width ? `  ${text}` : text];
    });
  });
}

function drawList(list: JsonValue[], indent: string): Drawn[][] {
  const left = list.length - ENTRIES;
  const drawn = list.slice(0, ENTRIES).flatMap((entry) => {
    const lines = draw(entry, `${indent}  `);
    return lines.map((line, index): Drawn[] => (index === 0 ? [`${indent}- `, ...line.slice(1)] : line));
  });
  return left > 0 ? [...drawn, [indent, { dim: `… and ${left} more` }]] : drawn;
}

/** Whether it stands on lines of its own, below its name. */
function isDeep(value: JsonValue): value is JsonValue[] | { [key: string]: JsonValue } {
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0;
}

function texts(value: JsonValue, before: number): string[] {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  // A link stays one.
  if (/^https?:\S+$/.test(text)) return [text];
  const lines = clip(text, SHOWN).split('\n');
  return lines.flatMap((line) => pieces(line, Math.max(20, WIDTH - before)).map((piece) => piece.trimEnd()));
}
