import type { Client } from '@notionhq/client';
import type { CheckFinding, Item, Outcome } from 'versive-relay/connector';
import { call, Ended } from './errors.ts';
import { convert, type PropertyOptions, propertyProblem } from './properties.ts';
import { KEY_TYPES } from './question.ts';
import type { Schema, SchemaReader } from './schema.ts';

/** Types of {@link KEY_TYPES} that hold an interview's id only in a form that a template gives it. */
const FORMED: readonly string[] = ['number', 'url', 'email'];

/**
 * Asks Notion whether deliveries would work. Writes nothing.
 *
 * @param example of an interview: what its templates give is held against the types of the properties
 */
export async function checkNotion(
  client: Client,
  reader: SchemaReader,
  options: PropertyOptions,
  example: Item | undefined,
): Promise<CheckFinding[]> {
  try {
    await call('read', () => client.users.me({}));
    const schema = await reader.read();
    return [...checkProperties(schema, options, example), ...checkKey(schema, options)];
  } catch (error) {
    if (error instanceof Ended) return [finding(error.outcome)];
    throw error;
  }
}

function checkProperties(
  schema: Schema,
  { templates = {}, timezone }: PropertyOptions,
  example: Item | undefined,
): CheckFinding[] {
  return Object.entries(templates).flatMap(([name, template]): CheckFinding[] => {
    const problem = propertyProblem(schema, name);
    if (problem) return [{ level: 'error', ...problem }];
    const property = schema.properties.get(name);
    // A template without Liquid gives the same for every interview.
    const isFixed = !/\{[{%]/.test(template.source);
    if (!property || (!isFixed && !example)) return [];
    const value = isFixed || !example ? template.source : template.value(example);
    const found = convert(property, value, { limit: Number.POSITIVE_INFINITY, timezone });
    if (found.problem === undefined) return [];
    return [
      {
        level: isFixed ? 'error' : 'warning',
        message: `the property "${name}" (${property.type}) cannot take ${found.problem}${isFixed ? '' : ', as its template gives for a sample interview'}`,
        fix:
          property.type === 'status'
            ? `Add the option to "${name}" in Notion, or write one that is there.`
            : `Change the template of "${name}" under \`properties:\`, or the property’s type in Notion.`,
      },
    ];
  });
}

function checkKey(schema: Schema, { key, templates }: PropertyOptions): CheckFinding[] {
  const property = schema.properties.get(key);
  if (!property) {
    return [
      {
        level: 'warning',
        message: `the data source has no property "${key}", so a page cannot be recognised by its interview`,
        fix: `Add a text property "${key}" to the database in Notion, or name another one with \`key:\`.`,
      },
    ];
  }
  const template = templates?.[key];
  if (template && KEY_TYPES.has(property.type)) {
    if (/\binterview\s*(\.\s*id\b|\[)/.test(template.source)) return [];
    return [
      {
        level: 'warning',
        message: `the template of "${key}" does not hold \`{{ interview.id }}\`, so a page cannot be recognised by its interview`,
        fix: `Put \`{{ interview.id }}\` into the template of "${key}", or name another property with \`key:\`.`,
      },
    ];
  }
  if (KEY_TYPES.has(property.type) && !FORMED.includes(property.type)) return [];
  return [
    {
      level: 'warning',
      message: `the property "${key}" is of type ${property.type}, which cannot hold an interview's id as it is`,
      fix: `Change the type of "${key}" to text in Notion, or name another property with \`key:\`.`,
    },
  ];
}

function finding(outcome: Outcome): CheckFinding {
  if (outcome.kind === 'halt' || outcome.kind === 'reject') {
    return { level: 'error', message: outcome.detail, fix: outcome.fix };
  }
  const detail = outcome.kind === 'delivered' ? 'an unexpected answer' : outcome.detail;
  return {
    level: 'error',
    message: `Notion could not be asked: ${detail}`,
    fix: 'Check `api_url` and the way to the internet from here, see notion-status.com, and try again.',
  };
}
