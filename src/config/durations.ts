/** Durations and sizes as people write them: `5s`, `5MB`. */
import { z } from 'zod';

export const DAY = 86_400_000;
const MILLISECONDS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: DAY };
/** Powers of ten, as disks and network people count. */
const BYTES: Record<string, number> = { B: 1, KB: 1e3, MB: 1e6, GB: 1e9 };

/** Longer than this a timer of Node (2^31 ms) cannot wait; no delivery should either. */
const LONGEST = 20 * DAY;

/** Milliseconds of `250ms`, `5s`, `2m`, `1h` or `3d`; undefined when the text is no duration. */
export function parseDuration(text: string): number | undefined {
  return parse(text, MILLISECONDS);
}

/** Bytes of `800KB`, `5MB` or `1GB`; undefined when the text is no size. */
function parseSize(text: string): number | undefined {
  return parse(text, BYTES);
}

function parse(text: string, units: Record<string, number>): number | undefined {
  const [, number, unit] = /^(\d+(?:\.\d+)?)([a-zA-Z]+)$/.exec(text) ?? [];
  const factor = unit !== undefined && Object.hasOwn(units, unit) ? units[unit] : undefined;
  return factor === undefined ? undefined : Math.round(Number(number) * factor);
}

/** Milliseconds as a config has them, in the largest unit that leaves no rest. */
export function spelledDuration(ms: number): string {
  const [unit, length] = Object.entries(MILLISECONDS).findLast(([, each]) => ms % each === 0) ?? ['ms', 1];
  return `${ms / length}${unit}`;
}

/**
 * An option that is a duration; it arrives as milliseconds.
 *
 * @param longest milliseconds
 * @param expected what to say of anything else
 */
export function duration(longest = LONGEST, expected = EXPECTED_DURATION): z.ZodType<number, string> {
  return z.string(expected).transform((text, context) => {
    const parsed = parseDuration(text);
    if (parsed !== undefined && parsed <= longest) return parsed;
    const message = parsed === undefined ? expected : `expected a duration of at most ${longest / DAY}d`;
    context.addIssue({ code: 'custom', message, input: text });
    return z.NEVER;
  });
}

/** An option that is a size; it arrives as bytes. */
export function size(): z.ZodType<number, string> {
  return z.string(EXPECTED_SIZE).transform((text, context) => {
    const parsed = parseSize(text);
    if (parsed !== undefined && parsed > 0) return parsed;
    context.addIssue({ code: 'custom', message: EXPECTED_SIZE, input: text });
    return z.NEVER;
  });
}

const EXPECTED_DURATION = 'expected a duration such as 250ms, 5s, 2m, 1h or 3d';
const EXPECTED_SIZE = 'expected a size such as 800KB or 5MB';
