import { randomUUID } from 'node:crypto';
import type { JsonObject, JsonValue } from '../../model.ts';
import { addOption, emptyValue, makeProperty, type Property, type PropertySpec } from './schema.ts';

export interface NotionDataSource {
  id: string;
  database: string;
  title: string;
  /** By name, in the order of the columns. */
  properties: Map<string, Property>;
}

export interface NotionDatabase {
  id: string;
  title: string;
  dataSources: string[];
  /** Whether it was shared with the connection: ••• → Connections. */
  shared: boolean;
}

/** Who makes pages and blocks: the connection, a person by hand, or another connection. */
export type Author = keyof typeof USERS;

export interface NotionPage {
  id: string;
  dataSource: string;
  author: Author;
  url: string;
  createdTime: string;
  editedTime: string;
  inTrash: boolean;
  /** Property values by name, in the shape of the API: `{ title: […] }`'s inner part. */
  values: Map<string, JsonValue>;
  children: string[];
}

export interface NotionBlock {
  id: string;
  type: string;
  /** What stands under its type, without children. */
  content: JsonObject;
  parent: { type: 'page_id' | 'block_id'; id: string };
  page: string;
  createdTime: string;
  editedTime: string;
  author: Author;
  inTrash: boolean;
  children: string[];
}

export const USERS = {
  bot: '7d4f2b1e-0c3a-4a52-9f61-3b8f0e5d6a01',
  person: '1b9e5c70-6a2d-4c8b-8e34-90d7f2a4c502',
  otherBot: '5c1d8a36-2f7e-4b90-a6c4-e13b7d9f0803',
};

/** Databases, data sources, pages and blocks: what a workspace holds, without HTTP. Judges nothing. */
export class NotionWorkspace {
  readonly databases = new Map<string, NotionDatabase>();
  readonly dataSources = new Map<string, NotionDataSource>();
  readonly pages = new Map<string, NotionPage>();
  readonly blocks = new Map<string, NotionBlock>();

  addDatabase(title: string, id: string = randomUUID()): NotionDatabase {
    const database = { id, title, dataSources: [], shared: true };
    this.databases.set(id, database);
    return database;
  }

  addDataSource(
    database: NotionDatabase,
    title: string,
    properties: Record<string, PropertySpec>,
    id: string = randomUUID(),
  ): NotionDataSource {
    const columns = Object.entries(properties).map(([name, spec]) => [name, makeProperty(name, spec)] as const);
    const source = { id, database: database.id, title, properties: new Map(columns) };
    this.dataSources.set(id, source);
    database.dataSources.push(id);
    return source;
  }

  addPage(source: NotionDataSource, author: Author = 'bot'): NotionPage {
    const id = randomUUID();
    const page: NotionPage = {
      id,
      dataSource: source.id,
      author,
      url: `https://www.notion.so/${id.replaceAll('-', '')}`,
      ...now(),
      inTrash: false,
      values: new Map(),
      children: [],
    };
    this.pages.set(id, page);
    return page;
  }

  /** Sets values that were judged before. Options of select and multi_select come into being with their first use. */
  setValues(page: NotionPage, source: NotionDataSource, given: JsonObject): void {
    for (const [name, value] of Object.entries(given)) {
      const property = source.properties.get(name);
      if (property) page.values.set(name, stored(property, (value as JsonObject)[property.type] ?? null));
    }
    page.editedTime = now().editedTime;
  }

  /** Adds blocks, with all that they hold, after `after` or at an end. Gives the new blocks of the first level. */
  addBlocks(
    parent: NotionPage | NotionBlock,
    given: JsonValue[],
    place: { after?: string; atStart?: boolean; author?: Author } = {},
  ): NotionBlock[] {
    const page = 'values' in parent ? parent : this.pages.get(parent.page);
    if (!page) throw new Error(`block ${parent.id} has no page`);
    const author = place.author ?? 'bot';
    const made = given.map((element) => {
      const { type, content, children } = taken(element as JsonObject);
      const block: NotionBlock = {
        id: randomUUID(),
        type,
        content,
        parent: { type: 'values' in parent ? 'page_id' : 'block_id', id: parent.id },
        page: page.id,
        ...now(),
        author,
        inTrash: false,
        children: [],
      };
      this.blocks.set(block.id, block);
      this.addBlocks(block, children, { author });
      return block;
    });
    const index = place.after === undefined ? parent.children.length : parent.children.indexOf(place.after) + 1;
    parent.children.splice(place.atStart ? 0 : index, 0, ...made.map((block) => block.id));
    page.editedTime = now().editedTime;
    return made;
  }

  updateBlock(block: NotionBlock, { rich_text, ...content }: JsonObject): void {
    Object.assign(block.content, content);
    if (Array.isArray(rich_text)) block.content.rich_text = rich_text.map(answeredText);
    block.editedTime = now().editedTime;
  }

  /** The block and all that it holds go to the trash. */
  removeBlock(block: NotionBlock): void {
    block.inTrash = true;
    const parent = this.pages.get(block.parent.id) ?? this.blocks.get(block.parent.id);
    if (parent) parent.children = parent.children.filter((id) => id !== block.id);
    for (const child of this.childrenOf(block)) this.removeBlock(child);
  }

  childrenOf(parent: NotionPage | NotionBlock): NotionBlock[] {
    return parent.children.map((id) => this.blocks.get(id)).filter((block) => block !== undefined);
  }

  pagesOf(dataSource: string): NotionPage[] {
    return [...this.pages.values()].filter((page) => page.dataSource === dataSource);
  }
}

function now(): { createdTime: string; editedTime: string } {
  const time = new Date().toISOString();
  return { createdTime: time, editedTime: time };
}

function taken(block: JsonObject): { type: string; content: JsonObject; children: JsonValue[] } {
  const type = typeof block.type === 'string' ? block.type : Object.keys(block).find((key) => key !== 'object');
  const { children, ...content } = block[type ?? ''] as JsonObject;
  if (Array.isArray(content.rich_text)) content.rich_text = content.rich_text.map(answeredText);
  return { type: type ?? '', content, children: Array.isArray(children) ? children : [] };
}

function stored(property: Property, value: JsonValue): JsonValue {
  if (value === null) return emptyValue(property.type);
  if (!Array.isArray(value)) {
    const { type } = property;
    if (type === 'date') return { end: null, time_zone: null, ...(value as JsonObject) };
    return type === 'select' || type === 'status'
      ? { ...addOption(property, String((value as JsonObject).name)) }
      : value;
  }
  switch (property.type) {
    case 'title':
    case 'rich_text':
      return value.map(answeredText);
    case 'multi_select':
      return value.map((option) => ({ ...addOption(property, String((option as JsonObject).name)) }));
    case 'people':
      return value.map((user) => ({ object: 'user', id: (user as JsonObject).id ?? null }));
    default:
      return value;
  }
}

/** A rich text item as the API gives it back: with its defaults, `plain_text` and `href`. */
function answeredText(given: JsonValue): JsonObject {
  const { text, annotations } = given as {
    text: { content: string; link?: { url: string } | null };
    annotations?: object;
  };
  const link = text.link ?? null;
  return {
    type: 'text',
    text: { content: text.content, link: link && { url: link.url } },
    annotations: {
      bold: false,
      italic: false,
      strikethrough: false,
      underline: false,
      code: false,
      color: 'default',
      ...annotations,
    },
    plain_text: text.content,
    href: link?.url ?? null,
  };
}

/** The words of a property value or of a block's content. */
export function plainText(value: JsonValue | undefined): string {
  if (value === null || value === undefined) return '';
  if (Array.isArray(value)) {
    return value
      .map(plainText)
      .join(value.every((item) => item !== null && typeof item === 'object' && 'plain_text' in item) ? '' : ', ');
  }
  if (typeof value !== 'object') return String(value);
  const { plain_text, name, start, id, rich_text, url } = value;
  return plainText(plain_text ?? name ?? start ?? rich_text ?? url ?? id);
}
