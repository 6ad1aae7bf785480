import { isMap, isScalar, isSeq, type Node, YAMLSeq } from 'yaml';
import { type Composed, compose } from './compose.ts';

/** UTF-16 units of a text that is read at once. */
const SHORT = 50_000;
/** UTF-16 units of the entries that are read together, about. */
const PIECE = 2_000;

/** A top-level list by indentation. */
interface List {
  /** Offset of its key. */
  key: number;
  /** Offsets of the lines at which its entries begin, and of the line after it. */
  starts: number[];
  end: number;
}

/**
 * Reads a long list of a text, as a table of many routes is, some entries at a time. What the parser makes of an entry is
 * then gone before the next one is read, which spares time and memory; and when the text is repaired, only what changed is
 * read again.
 */
export class LongComposer {
  /** What was read, by its offset. */
  readonly #pieces = new Map<number, { text: string; entries: Node[] }>();

  /**
   * Gives what `compose` gives. Where anything is unclear, or wrong, the whole text is read at once: a quote or a bracket
   * that is open at the end of a piece is an error there.
   */
  compose(text: string): Composed {
    const list = text.length > SHORT ? longestList(text) : undefined;
    return (list && this.#inPieces(text, list)) ?? compose(text);
  }

  /** Reads what stands above the list, its entries, and what stands below it. */
  #inPieces(text: string, { key, starts, end }: List): Composed | undefined {
    const above = compose(text.slice(0, starts[0]));
    const below = compose(text.slice(end), end);
    const sections = mapOf(above);
    const pair = sections?.items.at(-1);
    const isIts = isScalar(pair?.key) && pair.key.range?.[0] === key;
    if (!sections || !isIts || !isScalar(pair.value) || pair.value.value !== null) return undefined;
    const others = mapOf(below);
    if (!others && (below.issues.length > 0 || below.document?.contents)) return undefined;
    const list = new YAMLSeq<Node>();
    for (let at = 0; at < starts.length; ) {
      const start = starts[at] ?? end;
      let next = at + 1;
      while (next < starts.length && (starts[next] ?? end) - start < PIECE) next += 1;
      const entries = this.#entries(text.slice(start, starts[next] ?? end), start);
      // An entry that begins unlike the others, with nothing after its hyphen.
      if (entries?.length !== next - at) return undefined;
      list.items.push(...entries);
      at = next;
    }
    const first = text.indexOf('-', starts[0]);
    list.range = [first, end, end];
    Object.assign(pair, { value: list });
    sections.items.push(...(others?.items ?? []));
    return above;
  }

  #entries(text: string, offset: number): Node[] | undefined {
    const known = this.#pieces.get(offset);
    if (known?.text === text) return known.entries;
    const { document, issues } = compose(text, offset);
    if (issues.length > 0 || !isSeq(document?.contents)) return undefined;
    const entries = document.contents.items as Node[];
    this.#pieces.set(offset, { text, entries });
    return entries;
  }
}

/** The map that a text is, by indentation and without errors. */
function mapOf({ document, issues }: Composed) {
  const map = issues.length === 0 && isMap(document?.contents) ? document.contents : undefined;
  return map?.flow ? undefined : map;
}

function longestList(text: string): List | undefined {
  // Marks of documents would count for each piece.
  if (/^(?:---|\.\.\.|%)/m.test(text)) return undefined;
  let longest: List | undefined;
  for (const { index, 0: line } of text.matchAll(/^[A-Za-z][\w-]*:[ \t]*(?:#.*)?\r?\n/gm)) {
    const list = listAt(text, index, index + line.length);
    if (list.starts.length > (longest?.starts.length ?? 1)) longest = list;
  }
  return longest;
}

/** The entries below a key: all begin in one column. The list ends before the next line that has a text in column 0. */
function listAt(text: string, key: number, from: number): List {
  const before = /(?:[ \t]*(?:#.*)?\r?\n)*(?<indent> *)(?=- )/y;
  before.lastIndex = from;
  const indent = before.exec(text)?.groups?.indent;
  const starts: number[] = [];
  let end = from;
  for (let at = from; indent !== undefined && at < text.length; at = end) {
    if (text.startsWith(`${indent}- `, at)) starts.push(at);
    else if (!/[\s#]/.test(text.charAt(at))) break;
    const next = text.indexOf('\n', at);
    end = next === -1 ? text.length : next + 1;
  }
  return { key, starts, end };
}
