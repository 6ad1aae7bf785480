import type { PageObjectResponse, QueryDataSourceParameters } from '@notionhq/client';
import { type Item, pieces } from 'versive-relay/connector';
import { bare } from './blocks.ts';
import { makeProperties, type PropertyOptions } from './properties.ts';
import { LIMITS } from './rich-text.ts';
import type { Schema } from './schema.ts';

/** How Notion is asked for the pages of an interview. */
export interface Question {
  filter: NonNullable<QueryDataSourceParameters['filter']>;
  /** Whether a page holds the very value: Notion's own comparison may be a looser one. */
  holds(page: PageObjectResponse): boolean;
}

/** Types of properties that can hold a subject, and be asked for it. */
export const KEY_TYPES: ReadonlySet<string> = new Set([
  'rich_text',
  'title',
  'url',
  'email',
  'phone_number',
  'select',
  'number',
]);

const IF_TWICE = 'Should the interview be in Notion twice, delete one of the two pages.';

/**
 * The question for the page of an item, by the value that a delivery writes into the key property; or why it cannot be
 * asked, or that nobody can have written the value yet.
 * @throws Ended when the properties cannot be made, as a delivery would
 */
export function questionOf(
  item: Item,
  schema: Schema,
  options: PropertyOptions,
): Question | { cannot: string; fix: string } | { nobody: true } {
  const { key } = options;
  const property = schema.properties.get(key);
  if (!property) {
    return cannot(`the data source has no property "${key}"`, `add a text property "${key}" to the database in Notion`);
  }
  const { type } = property;
  if (!KEY_TYPES.has(type)) {
    return cannot(
      `the property "${key}" is of type ${type}, by which no page can be found`,
      `change the type of "${key}" to text in Notion`,
    );
  }
  const wanted = heldBy(type, makeProperties(item, schema, options)[key]);
  if (wanted === '' || wanted === undefined) {
    return cannot(
      `the property "${key}" (${type}) cannot hold this interview's id`,
      `give "${key}" a template under \`properties:\` that fits its type, or change its type to text in Notion`,
    );
  }
  if (!bare(String(wanted)).includes(bare(item.identity.subject))) {
    return cannot(
      `what "${key}" holds is not made of the interview's id, and another interview's page could hold it too`,
      `put \`{{ interview.id }}\` into the template of "${key}"`,
    );
  }
  // Asked for an option that it does not know, Notion answers 400.
  if (type === 'select' && !property.options.includes(String(wanted))) return { nobody: true };
  const condition = typeof wanted === 'string' ? conditionOf(type, wanted) : { equals: wanted };
  return {
    filter: { property: key, [type]: condition } as Question['filter'],
    holds: ({ properties }) => bare(String(heldBy(type, properties[key]) ?? '')) === bare(String(wanted)),
  };
}

function cannot(problem: string, remedy: string): { cannot: string; fix: string } {
  return {
    cannot: `whether an earlier try of unknown end made the page could not be seen: ${problem}`,
    fix: `${IF_TWICE} So that the relay can look by itself, ${remedy}, or name another property with \`key:\`.`,
  };
}

/** A text of several rich text items is asked for by its first. */
function conditionOf(type: string, wanted: string): { equals: string } | { starts_with: string } {
  const [first = '', ...more] = type === 'select' ? [wanted] : pieces(wanted, LIMITS.text);
  return more.length === 0 ? { equals: first } : { starts_with: first };
}

/** The value of a property: as it is sent, or as Notion gives it back. */
function heldBy(type: string, property: object | undefined): string | number | undefined {
  const value = (property as Record<string, unknown> | undefined)?.[type];
  if (typeof value === 'string' || typeof value === 'number') return value;
  if (Array.isArray(value)) return value.map((item) => item.plain_text ?? item.text?.content ?? '').join('');
  const { name } = (value ?? {}) as { name?: string };
  return name;
}
