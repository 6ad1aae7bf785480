import type { CreatePageParameters } from '@notionhq/client';
import { clip, halt, type Item, type JsonValue, nearest, reject, type Template } from 'versive-relay/connector';
import { Ended } from './errors.ts';
import { knownValue } from './known.ts';
import { bytesOf, clean, LIMITS, richText, webAddress } from './rich-text.ts';
import type { Property, Schema } from './schema.ts';

export type Properties = NonNullable<CreatePageParameters['properties']>;
type Value = Properties[string];

/** Types that {@link convert} makes. All others are computed by Notion, or need more than a value. */
const WRITABLE: ReadonlySet<string> = new Set([
  'title',
  'rich_text',
  'number',
  'select',
  'multi_select',
  'status',
  'date',
  'url',
  'checkbox',
  'email',
  'phone_number',
  'people',
  'relation',
  'files',
]);

export interface PropertyOptions {
  /** What the config says; without it, properties are filled by their names. */
  templates: Record<string, Template> | undefined;
  /** The property that holds the subject. */
  key: string;
  timezone: string;
}

/** Texts of a property may be so long; a quarter of a request's bytes is left to the first blocks of the body. */
const PROPERTIES_BYTES = LIMITS.bytes * 0.75;

/**
 * The properties of an item's page, in the types that the schema has. An empty value leaves its property as it is.
 * @throws Ended when the config names what is not there, or a value cannot become its property's type
 */
export function makeProperties(item: Item, schema: Schema, options: PropertyOptions): Properties {
  const values = options.templates ? configured(item, schema, options.templates) : known(item, schema, options.key);
  const key = schema.properties.get(options.key);
  const converted = new Map<string, Value>();
  // The longest texts give way first, until the request is small enough.
  for (let limit = LIMITS.text * LIMITS.array; ; limit = Math.floor(limit / 2)) {
    for (const [property, value] of values) {
      const found = convert(property, value, { limit, timezone: options.timezone });
      if (found.value) converted.set(property.name, found.value);
      else if (found.problem !== undefined && options.templates) throw unfit(property, found.problem);
    }
    if (key && !converted.has(key.name)) {
      const { value } = convert(key, item.identity.subject, { limit, timezone: options.timezone });
      if (value) converted.set(key.name, value);
    }
    const properties = Object.fromEntries(converted);
    if (limit < LIMITS.text || bytesOf(properties) <= PROPERTIES_BYTES) return properties;
  }
}

function configured(item: Item, schema: Schema, templates: Record<string, Template>): [Property, JsonValue][] {
  return Object.entries(templates).map(([name, template]) => {
    const problem = propertyProblem(schema, name);
    if (problem) throw new Ended(halt('invalid', problem.message, problem.fix));
    return [schema.properties.get(name) as Property, template.value(item)];
  });
}

/** What properties hold by their names. The key holds the subject, whatever its name says. */
function known(item: Item, schema: Schema, key: string): [Property, JsonValue][] {
  return [...schema.properties.values()].flatMap((property) => {
    const fillable = WRITABLE.has(property.type) && property.name !== key;
    const value = fillable ? knownValue(item, property) : undefined;
    return value === undefined ? [] : [[property, value]];
  });
}

/** Why no value can be written to the property of that name, if so. */
export function propertyProblem(schema: Schema, name: string): { message: string; fix: string } | undefined {
  const property = schema.properties.get(name);
  if (!property) {
    const near = nearest(name, schema.properties.keys());
    const fix = near === undefined ? `Add it to the database in Notion` : `Write it as Notion does, "${near}"`;
    return {
      message: `the data source has no property "${name}"`,
      fix: `${fix}, or take it out of \`properties:\`.`,
    };
  }
  if (WRITABLE.has(property.type)) return undefined;
  return {
    message: `the property "${name}" is of type ${property.type}, which cannot be written`,
    fix: `Take "${name}" out of \`properties:\`, or change its type in Notion.`,
  };
}

function fold(name: string): string {
  return name.trim().toLowerCase().replace(/\s+/g, ' ');
}

/** Names the property, its type and the kind of the value; never the value, which can be a participant's words. */
function unfit({ name, type }: Property, problem: string): Ended {
  return new Ended(
    reject(
      'invalid',
      `the property "${name}" (${type}) cannot take ${problem}`,
      `Change the template of "${name}" under \`properties:\`, or the property’s type in Notion; the event is kept.`,
    ),
  );
}

/** A value, a problem (`a text that is no number`), or neither: nothing to write. */
type Converted = { value?: Value; problem?: string };

/** @param limit the most characters of a text */
export function convert(property: Property, given: JsonValue, options: { limit: number; timezone: string }): Converted {
  const text = clean(print(given)).trim();
  if (given === null || text === '')
    return property.type === 'checkbox' && given !== null ? { value: { checkbox: false } } : {};
  switch (property.type) {
    case 'title':
      return { value: { title: richText(clip(text, options.limit)) } };
    case 'rich_text':
      return { value: { rich_text: richText(clip(text, options.limit)) } };
    case 'number': {
      const number = typeof given === 'boolean' || Array.isArray(given) ? Number.NaN : Number(text);
      return Number.isFinite(number) ? { value: { number } } : { problem: `${kind(given)} that is no number` };
    }
    case 'select':
      return { value: { select: { name: optionName(text) } } };
    case 'multi_select': {
      const names = listOf(given, ',').map(optionName);
      return { value: { multi_select: [...new Set(names)].slice(0, LIMITS.array).map((name) => ({ name })) } };
    }
    case 'status':
      return status(property, text, given);
    case 'date':
      return date(text, given, options.timezone);
    case 'url': {
      const url = webAddress(text);
      return url === undefined
        ? { problem: `${kind(given)} that is no web address of at most 2,000 characters` }
        : { value: { url } };
    }
    case 'checkbox':
      return checkbox(text, given);
    case 'email':
      if (!/^[^\s@]+@[^\s@]+$/.test(text) || text.length > LIMITS.contact)
        return { problem: `${kind(given)} that is no email address` };
      return { value: { email: text } };
    case 'phone_number':
      if (text.length > LIMITS.contact) return { problem: `${kind(given)} that is too long for a phone number` };
      return { value: { phone_number: text } };
    case 'people':
    case 'relation':
      return ids(property.type, given);
    case 'files':
      return files(given);
    default:
      return { problem: 'any value' };
  }
}

function print(value: JsonValue): string {
  if (value === null) return '';
  if (Array.isArray(value)) return value.map(print).join(', ');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function kind(value: JsonValue): string {
  if (Array.isArray(value)) return 'a list';
  if (value !== null && typeof value === 'object') return 'a map';
  return { string: 'a text', number: 'a number', boolean: 'true or false' }[typeof value as string] ?? 'nothing';
}

/** Elements of a list, or the parts of a text. */
function listOf(value: JsonValue, separator: string | RegExp): string[] {
  const elements = Array.isArray(value) ? value.map(print) : print(value).split(separator);
  return elements.map((element) => clean(element).trim()).filter((element) => element !== '');
}

/** Notion takes no commas in the names of options. */
function optionName(text: string): string {
  return clip(text.replaceAll(',', ';').replaceAll('\n', ' '), LIMITS.name);
}

/** The API cannot add options to a status, so the value must be one of them. */
function status({ options }: Property, text: string, given: JsonValue): Converted {
  const name = options.find((option) => option === text) ?? options.find((option) => fold(option) === fold(text));
  if (name !== undefined) return { value: { status: { name } } };
  return { problem: `${kind(given)} that is none of its options: ${options.join(', ')}` };
}

const DAY = /^\d{4}-\d{2}-\d{2}$/;
const MOMENT = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?) ?(Z|[+-]\d{2}(?::?\d{2})?)?$/i;

function date(text: string, given: JsonValue, timezone: string): Converted {
  const problem = { problem: `${kind(given)} that is no ISO 8601 date, such as 2026-11-23 or 2026-11-23T15:04:00Z` };
  if (DAY.test(text)) return Number.isNaN(Date.parse(text)) ? problem : { value: { date: { start: text } } };
  const [, day, time, offset] = MOMENT.exec(text) ?? [];
  if (day === undefined) return problem;
  const zone = offset === undefined || offset.length > 3 || /z/i.test(offset) ? (offset ?? '') : `${offset}:00`;
  const parsed = new Date(`${day}T${time}${zone || 'Z'}`);
  if (Number.isNaN(parsed.getTime())) return problem;
  if (zone !== '') return { value: { date: { start: parsed.toISOString() } } };
  const time_zone = timezone as NonNullable<Extract<Value, { date: unknown }>['date']>['time_zone'] & string;
  return { value: { date: { start: parsed.toISOString().slice(0, -1), time_zone } } };
}

function checkbox(text: string, given: JsonValue): Converted {
  if (/^(true|yes|y|on|1)$/i.test(text)) return { value: { checkbox: true } };
  if (/^(false|no|n|off|0)$/i.test(text)) return { value: { checkbox: false } };
  return { problem: `${kind(given)} that is neither yes nor no` };
}

function ids(type: 'people' | 'relation', given: JsonValue): Converted {
  const found = listOf(given, /[\s,]+/);
  if (!found.every((id) => /^[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$/i.test(id))) {
    return { problem: `${kind(given)} that is no Notion id (of a ${type === 'people' ? 'user' : 'page'})` };
  }
  const list = found.slice(0, LIMITS.array).map((id) => ({ id }));
  return { value: type === 'people' ? { people: list } : { relation: list } };
}

function files(given: JsonValue): Converted {
  const addresses = listOf(given, /\s+/).map(webAddress);
  if (addresses.some((url) => url === undefined)) return { problem: `${kind(given)} that is no web address of a file` };
  const external = addresses.filter((url) => url !== undefined).slice(0, LIMITS.array);
  return { value: { files: external.map((url) => ({ name: fileName(url), external: { url } })) } };
}

function fileName(url: string): string {
  const { hostname, pathname } = new URL(url);
  return clip(pathname.split('/').filter(Boolean).at(-1) ?? hostname, LIMITS.name);
}
