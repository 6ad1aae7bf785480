import type { JsonValue } from '../model.ts';
import { parseTime } from '../time.ts';

/** A plain (unquoted) YAML number or boolean with the text that it was written as: `0123` is 123, and `0123`. */
export class PlainScalar {
  readonly value: number | boolean | bigint;
  readonly text: string;

  constructor(value: number | boolean | bigint, text: string) {
    this.value = value;
    this.text = text;
  }
}

/** What a filter compares with: as YAML has it, or as plain JSON. */
export type Scalar = PlainScalar | string | number | bigint | boolean;

export function isScalar(value: unknown): value is Scalar {
  return value instanceof PlainScalar || ['string', 'number', 'bigint', 'boolean'].includes(typeof value);
}

/**
 * Every text that a scalar of the config may print as. An unquoted number also equals by its source text (`0123`, `1.10`),
 * and one with more digits than JSON numbers keep by what is left of it there.
 */
export function formsOf(scalar: Scalar): string[] {
  const value = scalar instanceof PlainScalar ? scalar.value : scalar;
  const forms = new Set([String(value)]);
  if (typeof value === 'bigint') forms.add(String(Number(value)));
  if (scalar instanceof PlainScalar) forms.add(scalar.text);
  return [...forms];
}

/** How a value of an event prints; undefined for lists, objects and what is missing, which equal no scalar. */
export function printed(value: JsonValue | undefined): string | undefined {
  return typeof value === 'object' || value === undefined ? undefined : String(value);
}

/** A scalar as people read it in an explanation: `"enterprise"`, `120`, `true`. */
export function quoted(scalar: Scalar): string {
  if (scalar instanceof PlainScalar) return scalar.text;
  return typeof scalar === 'string' ? JSON.stringify(scalar) : String(scalar);
}

/** What `gt`, `gte`, `lt` and `lte` compare: numbers with numbers, times (epoch milliseconds) with times. */
export interface Magnitude {
  kind: 'number' | 'time';
  value: number;
}

/** Text is read as a number within this length: more is no number that anybody wrote. */
const LONGEST_NUMBER = 64;

/** The magnitude of a number, of numeric text, or of an ISO 8601 time; undefined for anything else. */
export function magnitudeOf(value: unknown): Magnitude | undefined {
  if (typeof value === 'number' || typeof value === 'bigint') return { kind: 'number', value: Number(value) };
  if (typeof value !== 'string' || value.length > LONGEST_NUMBER) return undefined;
  if (/^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?\s*$/i.test(value)) return { kind: 'number', value: Number(value) };
  const time = parseTime(value);
  return time === undefined ? undefined : { kind: 'time', value: time };
}
