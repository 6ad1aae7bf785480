/**
 * PostgreSQL keeps every text but those with a NUL. This sign, of Unicode's private use, stands for it: followed by 0 it is
 * a NUL, followed by 1 the sign itself. All other texts are kept as they are.
 */
const SIGN = '\ue000';

/** A text as the database keeps it. No two texts become one. */
export function toDatabase(text: string): string {
  return /[\0\ue000]/.test(text) ? text.replace(/[\0\ue000]/g, (found) => `${SIGN}${found === '\0' ? 0 : 1}`) : text;
}

/** The text that `toDatabase` was given. */
export function fromDatabase(text: string): string {
  return text.includes(SIGN) ? text.replace(/\ue000([01])/g, (_, code) => (code === '0' ? '\0' : SIGN)) : text;
}
