import { randomUUID } from 'node:crypto';
import type { JsonObject, JsonValue } from '../../model.ts';

/** The property types that the stand-in knows. The last four are computed by Notion: the API cannot write them. */
export type PropertyType =
  | 'title'
  | 'rich_text'
  | 'number'
  | 'select'
  | 'multi_select'
  | 'status'
  | 'date'
  | 'url'
  | 'checkbox'
  | 'email'
  | 'phone_number'
  | 'people'
  | 'files'
  | 'relation'
  | 'formula'
  | 'created_time'
  | 'last_edited_time'
  | 'unique_id';

export const COMPUTED: ReadonlySet<PropertyType> = new Set([
  'formula',
  'created_time',
  'last_edited_time',
  'unique_id',
]);

export interface Option {
  id: string;
  name: string;
  color: string;
}

/** One column of a data source. `options` belong to select, multi_select and status. */
export interface Property {
  id: string;
  name: string;
  type: PropertyType;
  options: Option[];
}

/** A property by its type alone, or with the names of its options. */
export type PropertySpec = PropertyType | { type: PropertyType; options: string[] };

const COLORS = ['blue', 'green', 'orange', 'purple', 'pink', 'yellow', 'red', 'brown', 'gray', 'default'];

export function makeProperty(name: string, spec: PropertySpec): Property {
  const { type, options } = typeof spec === 'string' ? { type: spec, options: [] } : spec;
  const property: Property = { id: type === 'title' ? 'title' : randomUUID().slice(0, 4), name, type, options: [] };
  for (const option of options) addOption(property, option);
  return property;
}

/** The option of that name, made when it is not there, as Notion does for select and multi_select. */
export function addOption(property: Property, name: string): Option {
  const known = property.options.find((option) => option.name === name);
  if (known) return known;
  const color = COLORS[property.options.length % COLORS.length] ?? 'default';
  const option = { id: randomUUID(), name, color };
  property.options.push(option);
  return option;
}

/** A property as a data source's `properties` show it. */
export function propertyConfig(property: Property): JsonObject {
  const { id, name, type, options } = property;
  const listed = options.map((option) => ({ ...option, description: null }));
  const config: JsonObject =
    type === 'select' || type === 'multi_select'
      ? { options: listed }
      : type === 'status'
        ? {
            options: listed,
            groups: [{ id: 'todo', name: 'To-do', color: 'gray', option_ids: options.map((o) => o.id) }],
          }
        : type === 'number'
          ? { format: 'number' }
          : {};
  return { id, name, type, description: null, [type]: config };
}

/** What an untouched property of a page holds. */
export function emptyValue(type: PropertyType): JsonValue {
  if (type === 'checkbox') return false;
  const lists: PropertyType[] = ['title', 'rich_text', 'multi_select', 'people', 'files', 'relation'];
  return lists.includes(type) ? [] : null;
}

/** The data source that every stand-in starts with. Its properties fit what an interview brings along. */
export const INTERVIEW_LIBRARY = {
  title: 'Interview library',
  database: '2f6c1c52-8d3e-4b7a-9c10-5e2a7d90b341',
  dataSource: '2f6c1c52-1a64-4f0e-8b55-c07d3e9a6f28',
  properties: {
    Name: 'title',
    'Interview ID': 'rich_text',
    Plan: { type: 'select', options: ['enterprise', 'team', 'free'] },
    Study: 'select',
    Participant: 'rich_text',
    Duration: 'number',
    Completed: 'date',
    Recording: 'url',
    Mode: 'select',
    Status: { type: 'status', options: ['Not started', 'In review', 'Done'] },
    Tags: 'multi_select',
    Mock: 'checkbox',
    Quotes: 'rich_text',
    'Contact email': 'email',
    'Contact phone': 'phone_number',
    Owner: 'people',
    Attachments: 'files',
    'Created at': 'created_time',
  } satisfies Record<string, PropertySpec>,
};
