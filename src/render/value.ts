import { toValue } from 'liquidjs';
import type { JsonValue } from '../model.ts';
import { printList } from './metadata.ts';
import { jsonText } from './shape.ts';

/** What a list prints as, where commas would not do. */
const printed = new WeakMap<object, string>();

/** The list, which as text is `text`. */
export function listed<Entry>(list: Entry[], text: string): Entry[] {
  printed.set(list, text);
  return list;
}

/** A value as a template writes it: nothing for null, lists by commas, objects as JSON. */
export function printValue(raw: unknown): string {
  const value: unknown = toValue(raw);
  if (typeof value === 'string') return value;
  if (value === null || value === undefined) return '';
  if (typeof value !== 'object') return String(value);
  return printed.get(value) ?? (Array.isArray(value) ? printList(value) : jsonText(value as JsonValue));
}

/** A value with its type kept: what JSON can hold stays, and everything else is text. A missing value is null. */
export function typedValue(raw: unknown): JsonValue {
  const value: unknown = toValue(raw);
  if (value === null || value === undefined) return null;
  const keeps =
    typeof value === 'boolean' ||
    (typeof value === 'number' && Number.isFinite(value)) ||
    (typeof value === 'object' && !printed.has(value));
  return keeps ? (value as JsonValue) : printValue(value);
}
