import type { JsonValue } from '../model.ts';

/** An object's own field; undefined for whatever is no object or has no such field. */
export function field(value: JsonValue | undefined, key: string): JsonValue | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return Object.hasOwn(value, key) ? value[key] : undefined;
}

/** The first of the fields that holds words or a number, in one line; empty when none does. */
export function words(value: JsonValue | undefined, ...keys: string[]): string {
  for (const key of keys) {
    const found = field(value, key);
    const text = typeof found === 'string' ? found.replace(/\s+/g, ' ').trim() : '';
    if (text !== '') return text;
    if (typeof found === 'number') return String(found);
  }
  return '';
}

/** JSON text of a value. A value nested so deeply that it cannot be written is `…`. */
export function jsonText(value: JsonValue, indent?: number): string {
  try {
    return JSON.stringify(value, undefined, indent);
  } catch {
    return '…';
  }
}

/** `TEXT_AND_VOICE` as `Text and voice`. */
export function printLabel(constant: string): string {
  const text = constant.replaceAll('_', ' ').toLowerCase();
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
