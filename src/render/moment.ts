import type { JsonValue } from '../model.ts';
import { parseTime } from '../time.ts';

/** Numbers from here on (the year 1973 in milliseconds, 5138 in seconds) count milliseconds, smaller ones seconds. */
const MILLISECONDS_FROM = 1e11;

/** The time that a field holds: ISO 8601 text, or epoch seconds or milliseconds. Undefined when it holds none. */
export function readMoment(value: JsonValue | undefined): Date | undefined {
  const time =
    typeof value === 'string'
      ? parseTime(value)
      : typeof value === 'number' && value > 0
        ? value >= MILLISECONDS_FROM
          ? value
          : value * 1000
        : undefined;
  if (time === undefined) return undefined;
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

/** Formatters by timezone. Timezones come from configs only, so that no event can make this grow. */
const formatters = new Map<string, Intl.DateTimeFormat>();

/**
 * The day and time as `23 Nov 2026, 15:04`.
 * @param timezone IANA name, checked when the config was read
 */
export function printMoment(date: Date, timezone: string): string {
  let formatter = formatters.get(timezone);
  if (formatter === undefined) {
    formatter = new Intl.DateTimeFormat('en-US', {
      timeZone: timezone,
      day: 'numeric',
      month: 'short',
      year: 'numeric',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    });
    formatters.set(timezone, formatter);
  }
  const parts = new Map(formatter.formatToParts(date).map(({ type, value }) => [type, value]));
  const day = `${parts.get('day')} ${parts.get('month')} ${parts.get('year')}`;
  return `${day}, ${parts.get('hour')}:${parts.get('minute')}`;
}

/** Seconds as people say them: `45 s`, `9 m 29 s`, `1 h 5 m`. */
export function printDuration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const [minutes, rest] = [Math.floor(whole / 60), whole % 60];
  if (minutes < 60) return rest === 0 ? `${minutes} m` : `${minutes} m ${rest} s`;
  const left = minutes % 60;
  return left === 0 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 60)} h ${left} m`;
}
