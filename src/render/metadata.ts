import type { JsonValue } from '../model.ts';
import { clip } from '../text.ts';
import { jsonText } from './shape.ts';

/** Metadata is shown to people: beyond these bounds it is shortened, whatever an event brings. */
const BOUNDS = { entries: 500, depth: 8, key: 200 };

/**
 * Metadata in one level, in its order: `{a: {b: 1}}` is `['a.b', '1']`. Lists of plain values are joined by commas. Nothing
 * stands for what is null or empty.
 */
export function flattenMetadata(metadata: JsonValue | undefined): [key: string, value: string][] {
  const flat: [string, string][] = [];
  const walk = (value: JsonValue, path: string, depth: number): void => {
    if (value === null || value === '') return;
    if (typeof value !== 'object') flat.push([path, String(value)]);
    else if (Array.isArray(value)) {
      if (value.length > 0) flat.push([path, printList(value)]);
    } else if (depth >= BOUNDS.depth) flat.push([path, jsonText(value)]);
    else {
      for (const key of Object.keys(value)) {
        if (flat.length >= BOUNDS.entries) return;
        walk(value[key] ?? null, clip(path === '' ? key : `${path}.${key}`, BOUNDS.key), depth + 1);
      }
    }
  };
  if (typeof metadata === 'object' && !Array.isArray(metadata)) walk(metadata, '', 0);
  return flat;
}

/** A list as people read it: `a, b`; JSON when there is more structure in it. */
export function printList(list: readonly JsonValue[]): string {
  const plain = list.every((value) => typeof value !== 'object' || value === null);
  return plain ? list.filter((value) => value !== null).join(', ') : jsonText([...list]);
}
