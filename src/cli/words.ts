/** Text that came from outside, fit for a terminal: without control characters, which could move its cursor or colour it. */
export function plain(text: string): string {
  return text.replace(/[\p{Cc}\p{Bidi_Control}]+/gu, ' ');
}

/** `1 route`, `2 routes`. */
export function count(number: number, one: string, more = `${one}s`): string {
  return `${number} ${number === 1 ? one : more}`;
}

/** The most that a sentence names. */
const NAMED = 8;

/** `d1, d2 and d3`, or the first of many and how many more there are. */
export function listed(names: string[]): string {
  const named = names.length > NAMED ? [...names.slice(0, NAMED), `${names.length - NAMED} more`] : names;
  return named.length < 2 ? named.join('') : `${named.slice(0, -1).join(', ')} and ${named.at(-1)}`;
}

export function isOrAre(number: number): string {
  return number === 1 ? 'is' : 'are';
}
