import { createHash, timingSafeEqual } from 'node:crypto';
import { inspect } from 'node:util';
import { z } from 'zod';
import type { Item } from './item.ts';
import type { JsonValue } from './model.ts';

/**
 * A value that must not be seen: it prints as `[secret]` wherever it is logged, serialised or inspected. Only
 * `reveal()` gives the text, to the one call that needs it.
 */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  reveal(): string {
    return this.#text;
  }

  /** Compares in constant time. */
  equals(text: string): boolean {
    const digest = (value: string) => createHash('sha256').update(value).digest();
    return timingSafeEqual(digest(this.#text), digest(text));
  }

  /** A short, stable name for the secret (16 hex digits of its SHA-256), for limit keys and comparisons. */
  fingerprint(): string {
    return createHash('sha256').update(this.#text).digest('hex').slice(0, 16);
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  [inspect.custom](): string {
    return '[secret]';
  }
}

/** A Liquid template of the config, compiled. */
export interface Template {
  /**
   * The rendered text; a field that is missing renders empty. Throws only TemplateRenderError, when a template meets its
   * limits: the relay then rejects the delivery.
   */
  (item: Item): string;
  /** Like the text, but a template that is one `{{ … }}` keeps its value's type (number, boolean, …). */
  value(item: Item): JsonValue;
  readonly source: string;
}

/** A YAML tree of the config whose strings are templates, compiled. */
export interface Structure {
  (item: Item): JsonValue;
  readonly source: JsonValue;
}

export interface TemplateOptions {
  /**
   * Applied to every value that a `{{ … }}` puts into the text, never to the template's own words: what an event holds
   * can so not become markup of the service.
   */
  escape?: (text: string) => string;
}

/** What stands in parsed options until the config loader has compiled it. */
export class Uncompiled {
  readonly kind: 'template' | 'structure';
  readonly source: JsonValue;
  readonly options: TemplateOptions;

  constructor(kind: 'template' | 'structure', source: JsonValue, options: TemplateOptions) {
    this.kind = kind;
    this.source = source;
    this.options = options;
  }
}

/**
 * An option that is a secret. It arrives as a `Secret`, and its text is cut out of every log line and error. The JSON
 * Schema keyword `writeOnly` marks it: no message about the option quotes what it found there.
 */
export function secret(): z.ZodType<Secret, string> {
  return z
    .string()
    .min(1, 'expected a secret, found an empty text')
    .transform((text) => new Secret(text))
    .meta({ writeOnly: true });
}

/** An option that is a Liquid template. It arrives compiled. */
export function template(options: TemplateOptions = {}): z.ZodType<Template, string> {
  return z
    .union([z.string(), z.number(), z.boolean()])
    .transform(
      (source) => new Uncompiled('template', String(source), options) as unknown as Template,
    ) as unknown as z.ZodType<Template, string>;
}

/** An option that is YAML of any shape whose strings are Liquid templates. It arrives compiled. */
export function structure(options: TemplateOptions = {}): z.ZodType<Structure, JsonValue> {
  return z
    .json()
    .transform((source) => new Uncompiled('structure', source, options) as unknown as Structure) as z.ZodType<
    Structure,
    JsonValue
  >;
}
