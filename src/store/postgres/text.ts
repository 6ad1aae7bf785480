import { createHash } from 'node:crypto';

/**
 * PostgreSQL keeps every text but those with a NUL. This sign, of Unicode's private use, stands for it: followed by 0 it is
 * a NUL, followed by 1 the sign itself. All other texts are kept as they are.
 */
const SIGN = '\ue000';

/** The most bytes of a text that stands in an index: three of them must fit into its 2,700. */
const LONGEST_KEY = 800;
/** Characters that are kept of a longer one. */
const HEAD = 200;

/** A text as the database keeps it. No two texts become one, but those that are no Unicode: half a character is lost. */
export function toDatabase(text: string): string {
  const whole = text.toWellFormed();
  return /[\0\ue000]/.test(whole) ? whole.replace(/[\0\ue000]/g, (found) => `${SIGN}${found === '\0' ? 0 : 1}`) : whole;
}

/** The text that `toDatabase` was given. */
export function fromDatabase(text: string): string {
  return text.includes(SIGN) ? text.replace(/\ue000([01])/g, (_, code) => (code === '0' ? '\0' : SIGN)) : text;
}

/** A text that stands in an index. Of one that is longer than any id of a service, the beginning and a hash are kept. */
export function toKey(text: string): string {
  const kept = toDatabase(text);
  if (Buffer.byteLength(kept) <= LONGEST_KEY) return kept;
  const hash = createHash('sha256').update(text).digest('hex');
  return `${toDatabase(text.slice(0, HEAD))}…${hash}`;
}
