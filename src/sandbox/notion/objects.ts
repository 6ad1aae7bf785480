import { randomUUID } from 'node:crypto';
import type { JsonObject } from '../../model.ts';
import { emptyValue, propertyConfig } from './schema.ts';
import {
  type NotionBlock,
  type NotionDatabase,
  type NotionDataSource,
  type NotionPage,
  type NotionWorkspace,
  USERS,
} from './workspace.ts';

/** The stand-in's answers, in the shapes of Notion's API. */

export function listObject(type: string, results: JsonObject[], next: string | undefined): JsonObject {
  return {
    object: 'list',
    results,
    next_cursor: next ?? null,
    has_more: next !== undefined,
    type,
    [type]: {},
    request_id: randomUUID(),
  };
}

export function databaseObject(workspace: NotionWorkspace, database: NotionDatabase): JsonObject {
  const sources = database.dataSources
    .map((id) => workspace.dataSources.get(id))
    .filter((source) => source !== undefined);
  return {
    object: 'database',
    id: database.id,
    title: plain(database.title),
    description: [],
    parent: { type: 'workspace', workspace: true },
    is_inline: false,
    in_trash: false,
    is_locked: false,
    data_sources: sources.map(({ id, title }) => ({ id, name: title })),
    icon: null,
    cover: null,
    url: `https://www.notion.so/${database.id.replaceAll('-', '')}`,
    public_url: null,
    request_id: randomUUID(),
  };
}

export function dataSourceObject(workspace: NotionWorkspace, source: NotionDataSource): JsonObject {
  const database = workspace.databases.get(source.database);
  return {
    object: 'data_source',
    id: source.id,
    title: plain(source.title),
    description: [],
    parent: { type: 'database_id', database_id: source.database },
    database_parent: { type: 'workspace', workspace: true },
    is_inline: false,
    in_trash: false,
    properties: Object.fromEntries(
      [...source.properties.values()].map((property) => [property.name, propertyConfig(property)]),
    ),
    icon: null,
    cover: null,
    url: `https://www.notion.so/${(database?.id ?? source.id).replaceAll('-', '')}`,
    public_url: null,
    request_id: randomUUID(),
  };
}

export function pageObject(workspace: NotionWorkspace, page: NotionPage): JsonObject {
  const source = workspace.dataSources.get(page.dataSource);
  const computed: JsonObject = { created_time: page.createdTime, last_edited_time: page.editedTime };
  const properties = [...(source?.properties.values() ?? [])].map(({ id, name, type }) => {
    const value = computed[type] ?? page.values.get(name) ?? emptyValue(type);
    return [name, { id, type, [type]: value }];
  });
  return {
    object: 'page',
    id: page.id,
    created_time: page.createdTime,
    last_edited_time: page.editedTime,
    created_by: { object: 'user', id: USERS[page.author] },
    last_edited_by: { object: 'user', id: USERS.bot },
    cover: null,
    icon: null,
    parent: { type: 'data_source_id', data_source_id: page.dataSource, database_id: source?.database ?? null },
    in_trash: page.inTrash,
    is_archived: false,
    is_locked: false,
    properties: Object.fromEntries(properties),
    url: page.url,
    public_url: null,
    request_id: randomUUID(),
  };
}

export function blockObject(block: NotionBlock): JsonObject {
  const author = { object: 'user', id: USERS[block.author] };
  return {
    object: 'block',
    id: block.id,
    parent: { type: block.parent.type, [block.parent.type]: block.parent.id },
    created_time: block.createdTime,
    last_edited_time: block.editedTime,
    created_by: author,
    last_edited_by: author,
    has_children: block.children.length > 0,
    in_trash: block.inTrash,
    type: block.type,
    [block.type]: block.content,
  };
}

function plain(content: string): JsonObject[] {
  return [{ type: 'text', text: { content, link: null }, plain_text: content, href: null }];
}
