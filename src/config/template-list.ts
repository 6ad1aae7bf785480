import type { JsonValue } from '../model.ts';
import type { Structure, Template } from '../options.ts';
import { type Located, nearestAt } from './locate.ts';
import type { OptionPath } from './option-schema.ts';

/** A template of a destination that the config itself has, and not the connector. */
export interface OwnTemplate {
  /** From the destination, or its defaults. */
  path: OptionPath;
  source: string;
}

/** A template, or what is perhaps meant to be one. */
const LIKE_A_TEMPLATE = /\{[{%]|\{\s*(?:interview|study)\./;

/** The templates in a destination's parsed options that stand in the config as they are, also within YAML of any shape. */
export function templatesOf(options: unknown, located: Located): OwnTemplate[] {
  const found: OwnTemplate[] = [];
  visit(options, []);
  return found;

  function visit(value: unknown, path: OptionPath): void {
    if (isCompiled(value)) texts(value.source, path);
    else if (Array.isArray(value)) for (const [index, inner] of value.entries()) visit(inner, [...path, index]);
    else if (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype) {
      for (const [key, inner] of Object.entries(value)) visit(inner, [...path, key]);
    }
  }

  function texts(source: JsonValue, path: OptionPath): void {
    if (typeof source === 'object' && source !== null) {
      for (const [key, inner] of Object.entries(source))
        texts(inner, [...path, Array.isArray(source) ? Number(key) : key]);
    }
    if (typeof source !== 'string' || !LIKE_A_TEMPLATE.test(source)) return;
    const { located: at, exact } = nearestAt(located, path);
    // Of a text that came from outside no part may be shown.
    if (exact && !at.substituted?.whole) found.push({ path, source });
  }
}

function isCompiled(value: unknown): value is Template | Structure {
  return typeof value === 'function' && 'source' in value;
}
