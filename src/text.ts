const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/**
 * The text cut to at most `limit` UTF-16 units, at a word where one ends in the last fifth, with an ellipsis. Characters
 * that people see as one are never cut in two.
 */
export function clip(text: string, limit: number): string {
  if (text.length <= limit) return text;
  if (limit < 1) return '';
  const head = text.slice(0, boundary(text, limit - 1));
  const space = head.search(/\s\S*$/);
  const kept = space >= head.length * 0.8 ? head.slice(0, space) : head;
  return `${kept.trimEnd()}…`;
}

/**
 * The text in pieces of at most `limit` UTF-16 units, cut after a paragraph, sentence or word where there is one. The
 * pieces joined are the text. A character that is itself longer than the limit is cut between its code points.
 */
export function pieces(text: string, limit: number): string[] {
  const found: string[] = [];
  let rest = text;
  while (rest.length > limit) {
    const window = rest.slice(0, boundary(rest, limit) || codePointBoundary(rest, limit));
    const cut = [/^[\s\S]*\n/, /^[\s\S]*[.!?…]["'”’)]?\s/, /^[\s\S]*\s/]
      .map((pattern) => pattern.exec(window)?.[0].length ?? 0)
      .find((length) => length > window.length / 2);
    const end = cut ?? window.length;
    found.push(rest.slice(0, end));
    rest = rest.slice(end);
  }
  if (rest !== '' || found.length === 0) found.push(rest);
  return found;
}

/** The end of the last whole grapheme within `limit`; 0 when the first one is longer. */
function boundary(text: string, limit: number): number {
  if (text.length <= limit) return text.length;
  // Where a flag or a family begins cannot be told from its middle: the segmenter begins where a boundary is sure.
  let start = limit;
  while (start > 0 && !(standsAlone(text.charCodeAt(start - 1)) && standsAlone(text.charCodeAt(start)))) start -= 1;
  if (start === limit) return limit;
  const window = text.slice(start, limit + 64);
  return start + (graphemes.segment(window).containing(limit - start)?.index ?? limit - start);
}

/**
 * Whether a UTF-16 unit joins no other of its kind: between two of them is always a boundary (Unicode Standard Annex 29).
 * Latin without the half of a line break, Cyrillic, kana, ideographs, and syllables of Hangul; not complete, for speed only.
 */
function standsAlone(unit: number): boolean {
  if (unit < 0x300) return unit !== 0x0d;
  return (
    (unit >= 0x400 && unit <= 0x481) ||
    (unit >= 0x3041 && unit <= 0x3096) ||
    (unit >= 0x30a1 && unit <= 0x30fa) ||
    (unit >= 0x4e00 && unit <= 0x9fff) ||
    (unit >= 0xac00 && unit <= 0xd7a3)
  );
}

/** The end of the last whole code point within `limit`. */
function codePointBoundary(text: string, limit: number): number {
  const lastUnit = text.charCodeAt(limit - 1);
  const splitsPair = lastUnit >= 0xd800 && lastUnit <= 0xdbff;
  return splitsPair && limit > 1 ? limit - 1 : limit;
}
