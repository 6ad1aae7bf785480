/** Text that came from outside, fit for a terminal: without control characters, which could move its cursor or colour it. */
export function plain(text: string): string {
  return text.replace(/[\p{Cc}\p{Bidi_Control}]+/gu, ' ');
}

/** `1 route`, `2 routes`. */
export function count(number: number, one: string, more = `${one}s`): string {
  return `${number} ${number === 1 ? one : more}`;
}
