/** A calendar date or a time of ISO 8601, as JSON has it: `2026-11-23`, `2026-11-23T14:04:09.123456+01:00`. */
const ISO_8601 = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?\s?(Z|z|[+-]\d\d(?::?\d\d)?)?)?$/;

/**
 * Epoch milliseconds of an ISO 8601 date or time; undefined for anything else. A time that names no zone is UTC, so that the
 * answer does not depend on the machine.
 */
export function parseTime(text: string): number | undefined {
  const found = text.length > 40 ? null : ISO_8601.exec(text.trim());
  if (found === null) return undefined;
  const [, day, minute = '00:00', second = '00', fraction = '', zone = 'Z'] = found;
  const offset = /\d/.test(zone) ? `${zone.slice(0, 3)}:${zone.slice(3).replace(':', '') || '00'}` : 'Z';
  const time = Date.parse(`${day}T${minute}:${second}.${fraction.slice(0, 3).padEnd(3, '0')}${offset}`);
  return Number.isNaN(time) ? undefined : time;
}
