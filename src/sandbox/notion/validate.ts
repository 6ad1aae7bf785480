import type { JsonObject, JsonValue } from '../../model.ts';
import { NotionError } from './errors.ts';
import { COMPUTED, type Property } from './schema.ts';

/** https://developers.notion.com/reference/request-limits, in characters (UTF-16 units), elements and bytes. */
export const LIMITS = {
  text: 2000,
  url: 2000,
  email: 200,
  phone: 200,
  option: 100,
  fileName: 100,
  array: 100,
  blocks: 1000,
  bytes: 500_000,
  nesting: 2,
} as const;

/** Blocks that hold rich text, and whether they take children. Headings do once they are toggles. */
const TEXT_BLOCKS: Record<string, { children: boolean; also: string[] }> = {
  paragraph: { children: true, also: [] },
  heading_1: { children: true, also: ['is_toggleable'] },
  heading_2: { children: true, also: ['is_toggleable'] },
  heading_3: { children: true, also: ['is_toggleable'] },
  callout: { children: true, also: ['icon'] },
  quote: { children: true, also: [] },
  toggle: { children: true, also: [] },
  bulleted_list_item: { children: true, also: [] },
  numbered_list_item: { children: true, also: [] },
  to_do: { children: true, also: ['checked'] },
};
const COLORS = /^(default|gray|brown|orange|yellow|green|blue|purple|pink|red)(_background)?$/;

export function invalid(path: string, should: string, instead: unknown): NotionError {
  const shown = typeof instead === 'string' ? `"${instead}"` : JSON.stringify(instead);
  const message = `body failed validation: ${path} should be ${should}, instead was \`${shown}\`.`;
  return new NotionError(400, 'validation_error', message);
}

export function object(value: unknown, path: string): JsonObject {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw invalid(path, value === undefined ? 'defined' : 'an object', value);
}

export function only(value: JsonObject, path: string, keys: readonly string[]): void {
  const extra = Object.keys(value).find((key) => !keys.includes(key));
  if (extra !== undefined) throw invalid(`${path}.${extra}`, 'not present', value[extra]);
}

export function list(value: unknown, path: string): JsonValue[] {
  if (!Array.isArray(value)) throw invalid(path, value === undefined ? 'defined' : 'an array', value);
  if (value.length > LIMITS.array) throw invalid(`${path}.length`, `≤ \`${LIMITS.array}\``, value.length);
  return value;
}

export function text(value: unknown, path: string, limit: number, least = 0): string {
  if (typeof value !== 'string') throw invalid(path, value === undefined ? 'defined' : 'a string', value);
  if (value.length < least) throw invalid(`${path}.length`, `≥ \`${least}\``, value.length);
  if (value.length > limit) throw invalid(`${path}.length`, `≤ \`${limit}\``, value.length);
  if (!value.isWellFormed() || value.includes('\0')) throw invalid(path, 'a string of valid Unicode', 'something else');
  return value;
}

/** Judges an array of rich text items of type `text`: the stand-in knows no mentions and equations. */
function richText(value: unknown, path: string): void {
  for (const [index, element] of list(value, path).entries()) {
    const at = `${path}[${index}]`;
    const item = object(element, at);
    only(item, at, ['type', 'text', 'annotations']);
    if (item.type !== undefined && item.type !== 'text') throw invalid(`${at}.type`, '`"text"`', item.type);
    const inner = object(item.text, `${at}.text`);
    only(inner, `${at}.text`, ['content', 'link']);
    text(inner.content, `${at}.text.content`, LIMITS.text);
    if (inner.link != null) {
      const link = object(inner.link, `${at}.text.link`);
      only(link, `${at}.text.link`, ['url', 'type']);
      webAddress(link.url, `${at}.text.link.url`);
    }
    if (item.annotations !== undefined) annotations(object(item.annotations, `${at}.annotations`), `${at}.annotations`);
  }
}

function annotations(value: JsonObject, path: string): void {
  const flags = ['bold', 'italic', 'strikethrough', 'underline', 'code'];
  only(value, path, [...flags, 'color']);
  for (const flag of flags) {
    const set = value[flag];
    if (set !== undefined && typeof set !== 'boolean') throw invalid(`${path}.${flag}`, 'a boolean', set);
  }
  color(value.color, `${path}.color`);
}

function color(value: unknown, path: string): void {
  if (value !== undefined && !(typeof value === 'string' && COLORS.test(value))) throw invalid(path, 'a color', value);
}

function webAddress(value: unknown, path: string): void {
  const url = text(value, path, LIMITS.url, 1);
  if (!/^(https?|mailto|tel|notion):/i.test(url) || !URL.canParse(url)) {
    throw new NotionError(400, 'validation_error', 'Invalid URL for link.');
  }
}

/** Judges `children` and everything below them; gives how many blocks they are. */
export function children(value: unknown, path: string, level = 0): number {
  if (level > LIMITS.nesting) throw invalid(path, 'not present', '…');
  let count = 0;
  for (const [index, element] of list(value, path).entries()) {
    count += 1 + block(object(element, `${path}[${index}]`), `${path}[${index}]`, level);
  }
  if (level === 0 && count > LIMITS.blocks)
    throw invalid(`${path}, with all that they hold, `, `≤ \`${LIMITS.blocks}\``, count);
  return count;
}

function block(value: JsonObject, path: string, level: number): number {
  const type = typeof value.type === 'string' ? value.type : Object.keys(value).find((key) => key !== 'object');
  if (type === undefined) throw invalid(path, 'a block', value);
  only(value, path, ['object', 'type', type]);
  const at = `${path}.${type}`;
  const content = object(value[type], at);
  if (type === 'divider') {
    only(content, at, []);
    return 0;
  }
  if (type === 'bookmark' || type === 'embed') {
    only(content, at, ['url', 'caption']);
    webAddress(content.url, `${at}.url`);
    if (content.caption !== undefined) richText(content.caption, `${at}.caption`);
    return 0;
  }
  const kind = TEXT_BLOCKS[type];
  if (!kind) throw invalid(`${path}.type`, 'a type of block that can be created', type);
  only(content, at, ['rich_text', 'color', 'children', ...kind.also]);
  richText(content.rich_text, `${at}.rich_text`);
  color(content.color, `${at}.color`);
  if (content.icon !== undefined) {
    const icon = object(content.icon, `${at}.icon`);
    only(icon, `${at}.icon`, ['type', 'emoji']);
    text(icon.emoji, `${at}.icon.emoji`, 16, 1);
  }
  if (content.children === undefined) return 0;
  if (type.startsWith('heading') && content.is_toggleable !== true) throw invalid(`${at}.children`, 'not present', '…');
  return children(content.children, `${at}.children`, level + 1);
}

/** Judges the value that a request gives to a property. Neither makes nor changes anything. */
export function propertyValue(property: Property, given: JsonValue): void {
  const { name, type } = property;
  const path = `body.properties.${name}`;
  const value = object(given, path);
  if (COMPUTED.has(type)) {
    throw new NotionError(
      400,
      'validation_error',
      `${name} is a ${type} property, which cannot be set through the API.`,
    );
  }
  if (!Object.hasOwn(value, type)) throw expected(property);
  only(value, path, ['type', 'id', type]);
  if (value.type !== undefined && value.type !== type) throw expected(property);
  const inner = value[type];
  const at = `${path}.${type}`;
  switch (type) {
    case 'title':
    case 'rich_text':
      richText(inner, at);
      return;
    case 'checkbox':
      if (typeof inner !== 'boolean') throw expected(property);
      return;
    case 'multi_select':
      for (const [index, element] of list(inner, at).entries()) option(property, element, `${at}[${index}]`);
      return;
    case 'people':
    case 'relation':
      for (const [index, element] of list(inner, at).entries()) {
        const id = object(element, `${at}[${index}]`).id;
        if (typeof id !== 'string' || !/^[0-9a-f-]{32,36}$/i.test(id))
          throw invalid(`${at}[${index}].id`, 'a valid uuid', id);
      }
      return;
    case 'files':
      files(inner, at);
      return;
    default:
      if (inner !== null) single(property, inner as JsonValue, at);
  }
}

function single(property: Property, value: JsonValue, path: string): void {
  switch (property.type) {
    case 'number':
      if (typeof value !== 'number') throw expected(property);
      return;
    case 'select':
    case 'status':
      option(property, value, path);
      return;
    case 'url':
      if (typeof value !== 'string') throw expected(property);
      text(value, path, LIMITS.url, 1);
      return;
    case 'email':
    case 'phone_number':
      if (typeof value !== 'string') throw expected(property);
      text(value, path, LIMITS[property.type === 'email' ? 'email' : 'phone'], 1);
      return;
    case 'date':
      date(object(value, path), path);
  }
}

function option({ name, type, options }: Property, value: JsonValue, path: string): void {
  const given = object(value, path);
  only(given, path, ['id', 'name', 'color', 'description']);
  const label = text(given.name, `${path}.name`, LIMITS.option, 1);
  if (label.includes(',')) throw invalid(`${path}.name`, 'free of commas', label);
  if (type === 'status' && !options.some((known) => known.name === label)) {
    const message = `Invalid status option. Status option "${label}" does not exist".`;
    throw new NotionError(400, 'validation_error', message, { property: name });
  }
}

const ISO_8601 = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$/;

function date(value: JsonObject, path: string): void {
  only(value, path, ['start', 'end', 'time_zone']);
  for (const key of ['start', 'end']) {
    const moment = value[key];
    if (key === 'end' && moment == null) continue;
    if (typeof moment !== 'string' || !ISO_8601.test(moment) || Number.isNaN(Date.parse(moment))) {
      throw invalid(`${path}.${key}`, 'a valid ISO 8601 date string', moment);
    }
    if (value.time_zone != null && /(Z|[+-]\d{2}:?\d{2})$/.test(moment.slice(10))) {
      throw invalid(`${path}.${key}`, 'without an offset when time_zone is given', moment);
    }
  }
}

function files(value: unknown, path: string): void {
  for (const [index, element] of list(value, path).entries()) {
    const at = `${path}[${index}]`;
    const file = object(element, at);
    only(file, at, ['type', 'name', 'external']);
    text(file.name, `${at}.name`, LIMITS.fileName, 1);
    webAddress(object(file.external, `${at}.external`).url, `${at}.external.url`);
  }
}

function expected({ name, type }: Property): NotionError {
  return new NotionError(400, 'validation_error', `${name} is expected to be ${type}.`);
}
