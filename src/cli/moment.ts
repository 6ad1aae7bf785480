import { parseDuration } from '../config/durations.ts';
import { RelayError } from '../errors.ts';

/** A day, or a day and time, without an offset. */
const LOCAL = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?$/;
const WITH_OFFSET = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})$/i;

/**
 * Epoch milliseconds of what `--since` and `--until` take: a duration ago (`2h`), or an ISO 8601 time, which belongs to
 * the config's timezone when it has no offset.
 *
 * @throws RelayError RELAY_USAGE
 */
export function parseMoment(text: string, timezone: string, now = Date.now()): number {
  const ago = parseDuration(text);
  if (ago !== undefined) return now - ago;
  const time = LOCAL.test(text)
    ? inTimezone(Date.parse(`${text.length === 10 ? `${text}T00:00` : text}Z`), timezone)
    : Date.parse(WITH_OFFSET.test(text) ? text : '');
  if (Number.isNaN(time)) {
    throw new RelayError('RELAY_USAGE', `"${text}" is no time`, {
      fix: 'Write a duration ago, such as 30m, 2h or 3d, or a time such as 2026-11-23 or 2026-11-23T15:04.',
    });
  }
  return time;
}

/** The moment at which clocks in the timezone show what clocks in UTC show at `time`. */
function inTimezone(time: number, timezone: string): number {
  if (Number.isNaN(time)) return time;
  // The offset may change between the first guess and the moment itself: the second guess is on its right side.
  const guess = time - offset(time, timezone);
  return time - offset(guess, timezone);
}

/** Milliseconds that clocks in the timezone are ahead of UTC. */
function offset(time: number, timezone: string): number {
  const format = new Intl.DateTimeFormat('en-US', { timeZone: timezone, timeZoneName: 'longOffset' });
  const name = format.formatToParts(time).find(({ type }) => type === 'timeZoneName')?.value ?? '';
  const [, sign, hours, minutes, seconds] = /GMT([+-])(\d{2}):(\d{2})(?::(\d{2}))?/.exec(name) ?? [];
  const size = (Number(hours ?? 0) * 3600 + Number(minutes ?? 0) * 60 + Number(seconds ?? 0)) * 1000;
  return sign === '-' ? -size : size;
}

/** `23 Nov 2026, 15:04:05`, in the config's timezone. */
export function showMoment(time: number, timezone: string): string {
  return new Intl.DateTimeFormat('en-GB', {
    timeZone: timezone,
    dateStyle: 'medium',
    timeStyle: 'medium',
  }).format(time);
}
