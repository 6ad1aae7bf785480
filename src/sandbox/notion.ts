import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { JsonObject, JsonValue } from '../model.ts';
import { Faults } from './faults.ts';
import { answerError, faultBody, invalidUrl, NotionError, notFound, rateLimited } from './notion/errors.ts';
import { blockObject, databaseObject, dataSourceObject, listObject, pageObject } from './notion/objects.ts';
import { queryPages } from './notion/query.ts';
import { INTERVIEW_LIBRARY, makeProperty, type PropertySpec } from './notion/schema.ts';
import { type NotionSnapshot, snapshotOf } from './notion/snapshot.ts';
import { children, invalid, LIMITS, object, only, propertyValue } from './notion/validate.ts';
import {
  type NotionBlock,
  type NotionDataSource,
  type NotionPage,
  NotionWorkspace,
  plainText,
  USERS,
} from './notion/workspace.ts';

type Parameters = { Params: { id: string } };
type Listing = Parameters & { Querystring: { page_size?: string; start_cursor?: string } };

/** With this version an append takes `position`, and `archived` is gone from requests. */
const NEWEST_VERSION = '2026-03-11';
const VERSIONS = ['2025-09-03', NEWEST_VERSION];

/**
 * A stand-in for Notion's API, driven by the official SDK. It is at least as strict as Notion about what it accepts.
 * Any token that looks like one (`ntn_…`, `secret_…`) is good, unless it is `revoked`.
 */
export class NotionStandIn extends EventEmitter<{ change: [] }> {
  readonly faults = new Faults(faultBody);
  readonly workspace = new NotionWorkspace();
  /** Of the database "Interview library", which is there from the start. */
  readonly dataSource = INTERVIEW_LIBRARY.dataSource;
  readonly database = INTERVIEW_LIBRARY.database;
  /** What the connection may do: its settings at Notion. */
  readonly capabilities = { read: true, insert: true, update: true };
  /** Tokens that Notion no longer takes. */
  readonly revoked = new Set<string>();
  /** Calls in a minute of each token, as Notion counts them on its smaller plans. */
  callsPerMinute = 180;
  readonly #windows = new Map<string, { since: number; calls: number }>();

  constructor() {
    super();
    const library = this.workspace.addDatabase(INTERVIEW_LIBRARY.title, this.database);
    this.workspace.addDataSource(library, INTERVIEW_LIBRARY.title, INTERVIEW_LIBRARY.properties, this.dataSource);
  }

  /** Another database with one data source; gives the ids of both. */
  addDatabase(title: string, properties: Record<string, PropertySpec>): { database: string; dataSource: string } {
    const database = this.workspace.addDatabase(title);
    const source = this.workspace.addDataSource(database, title, properties);
    this.emit('change');
    return { database: database.id, dataSource: source.id };
  }

  /** Adds a property to a data source, or gives one another type, as a person does in Notion. */
  addProperty(name: string, spec: PropertySpec, dataSource: string = this.dataSource): void {
    this.workspace.dataSources.get(dataSource)?.properties.set(name, makeProperty(name, spec));
    this.emit('change');
  }

  /** Pages that are not in the trash, oldest first. */
  pages(dataSource: string = this.dataSource): NotionPage[] {
    return this.workspace.pagesOf(dataSource).filter((page) => !page.inTrash);
  }

  /** All words of a page or block, a line for each block, in reading order. */
  text(parent: NotionPage | NotionBlock): string {
    const lines = this.workspace.childrenOf(parent).flatMap((block) => {
      const below = this.text(block);
      return [plainText(block.content), ...(below === '' ? [] : [below])];
    });
    return lines.join('\n');
  }

  /** A person moves the page to the trash. */
  trash(page: NotionPage): void {
    page.inTrash = true;
    this.emit('change');
  }

  /** A person writes a paragraph into a page, at its end or after a block. */
  addNote(page: NotionPage, words: string, after?: string): NotionBlock | undefined {
    const paragraph = { paragraph: { rich_text: [{ text: { content: words } }] } };
    const place = { author: 'person' as const, ...(after !== undefined && { after }) };
    const [block] = this.workspace.addBlocks(page, [paragraph], place);
    this.emit('change');
    return block;
  }

  /** All that the demo page shows. */
  snapshot(): NotionSnapshot {
    return snapshotOf(this.workspace);
  }

  routes(app: FastifyInstance): void {
    app.setErrorHandler((error, _request, reply) => answerError(error, reply));
    app.setNotFoundHandler((_request, reply) => answerError(invalidUrl(), reply));
    app.addHook('onRequest', async (request) => this.#admit(request));
    app.addHook('preValidation', async (request) => {
      if (bytesOf(request) > LIMITS.bytes) {
        throw new NotionError(
          400,
          'validation_error',
          `Request body is too large. The limit is ${LIMITS.bytes} bytes.`,
        );
      }
    });

    app.get('/v1/users/me', async () => ({
      object: 'user',
      id: USERS.bot,
      type: 'bot',
      name: 'Relay',
      avatar_url: null,
      bot: { owner: { type: 'workspace', workspace: true }, workspace_name: 'Sandbox' },
      request_id: randomUUID(),
    }));
    app.get<Parameters>('/v1/databases/:id', async ({ params }) => {
      this.#require('read');
      const database = this.workspace.databases.get(uuid(params.id));
      if (!database?.shared) throw notFound('database', params.id);
      return databaseObject(this.workspace, database);
    });
    app.get<Parameters>('/v1/data_sources/:id', async ({ params }) => {
      this.#require('read');
      return dataSourceObject(this.workspace, this.#source(params.id));
    });
    app.post<Parameters>('/v1/data_sources/:id/query', async ({ params, body }) => this.#query(params.id, body));
    app.post('/v1/pages', async ({ body }) => this.#createPage(body));
    app.get<Parameters>('/v1/pages/:id', async ({ params }) => {
      this.#require('read');
      return pageObject(this.workspace, this.#page(params.id));
    });
    app.patch<Parameters>('/v1/pages/:id', async ({ params, body }) => this.#updatePage(params.id, body));
    app.get<Listing>('/v1/blocks/:id/children', async ({ params, query }) => this.#listChildren(params.id, query));
    app.patch<Parameters>('/v1/blocks/:id/children', async (request) => this.#append(request));
    app.patch<Parameters>('/v1/blocks/:id', async ({ params, body }) => this.#updateBlock(params.id, body));
    app.delete<Parameters>('/v1/blocks/:id', async ({ params }) => this.#deleteBlock(params.id));
  }

  #admit(request: FastifyRequest): void {
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    if (!/^(ntn_|secret_)\w+/.test(token) || this.revoked.has(token)) {
      throw new NotionError(401, 'unauthorized', 'API token is invalid.');
    }
    const version = request.headers['notion-version'];
    if (version === undefined) {
      const message =
        'Notion-Version header failed validation: Notion-Version header should be defined, instead was `undefined`.';
      throw new NotionError(400, 'missing_version', message);
    }
    if (!VERSIONS.includes(String(version))) {
      throw new NotionError(400, 'validation_error', `Notion-Version ${version} is not known to this stand-in.`);
    }
    const now = Date.now();
    const known = this.#windows.get(token);
    const current = known && now - known.since < 60_000 ? known : { since: now, calls: 0 };
    this.#windows.set(token, current);
    current.calls += 1;
    if (current.calls > this.callsPerMinute) {
      const retryAfter = Math.max(1, Math.ceil((current.since + 60_000 - now) / 1000));
      throw rateLimited(retryAfter);
    }
  }

  #require(capability: keyof NotionStandIn['capabilities']): void {
    if (this.capabilities[capability]) return;
    const message = 'Insufficient permissions for this endpoint.';
    throw new NotionError(403, 'restricted_resource', message);
  }

  #source(id: string): NotionDataSource {
    const source = this.workspace.dataSources.get(uuid(id));
    if (!source || !this.workspace.databases.get(source.database)?.shared) throw notFound('data source', id);
    return source;
  }

  #page(id: string): NotionPage {
    const page = this.workspace.pages.get(uuid(id));
    if (!page) throw notFound('page', id);
    this.#source(page.dataSource);
    return page;
  }

  /** A page or block, with a page that can be seen. */
  #parent(id: string): NotionPage | NotionBlock {
    const page = this.workspace.pages.get(uuid(id));
    const block = this.workspace.blocks.get(uuid(id));
    const found = page ?? block;
    const holder = page ?? this.workspace.pages.get(block?.page ?? '');
    if (!found || !holder) throw notFound('block', id);
    this.#source(holder.dataSource);
    return found;
  }

  #editable(id: string): NotionPage | NotionBlock {
    const found = this.#parent(id);
    const page = 'values' in found ? found : this.workspace.pages.get(found.page);
    if (found.inTrash || page?.inTrash) {
      const message = "Can't edit block that is archived. You must unarchive the block before editing.";
      throw new NotionError(400, 'validation_error', message);
    }
    return found;
  }

  #judgeProperties(source: NotionDataSource, given: JsonObject): void {
    for (const [name, value] of Object.entries(given)) {
      const property = source.properties.get(name);
      if (!property) throw new NotionError(400, 'validation_error', `${name} is not a property that exists.`);
      propertyValue(property, value);
    }
  }

  #createPage(given: unknown): JsonObject {
    this.#require('insert');
    const body = object(given, 'body');
    only(body, 'body', ['parent', 'properties', 'children']);
    const parent = object(body.parent, 'body.parent');
    only(parent, 'body.parent', ['type', 'data_source_id']);
    if (typeof parent.data_source_id !== 'string') throw invalid('body.parent.data_source_id', 'defined', undefined);
    const source = this.#source(parent.data_source_id);
    const properties = object(body.properties, 'body.properties');
    this.#judgeProperties(source, properties);
    const blocks = body.children ?? [];
    children(blocks, 'body.children');

    const page = this.workspace.addPage(source);
    this.workspace.setValues(page, source, properties);
    this.workspace.addBlocks(page, blocks as JsonValue[]);
    page.editedTime = page.createdTime;
    this.emit('change');
    return pageObject(this.workspace, page);
  }

  #updatePage(id: string, given: unknown): JsonObject {
    this.#require('update');
    const body = object(given, 'body');
    only(body, 'body', ['properties', 'in_trash']);
    const page = this.#page(id);
    if (body.in_trash !== false) this.#editable(id);
    const properties = object(body.properties ?? {}, 'body.properties');
    const source = this.#source(page.dataSource);
    this.#judgeProperties(source, properties);
    this.workspace.setValues(page, source, properties);
    if (typeof body.in_trash === 'boolean') page.inTrash = body.in_trash;
    this.emit('change');
    return pageObject(this.workspace, page);
  }

  #listChildren(id: string, { page_size = '100', start_cursor }: Listing['Querystring']): JsonObject {
    this.#require('read');
    const size = Number(page_size);
    if (!Number.isInteger(size) || size < 1 || size > 100) throw invalid('query.page_size', '≤ `100`', page_size);
    const all = this.workspace.childrenOf(this.#parent(id));
    const from = start_cursor === undefined ? 0 : all.findIndex((block) => block.id === start_cursor);
    if (from < 0) throw new NotionError(400, 'validation_error', 'The start_cursor provided is invalid.');
    const next = all[from + size]?.id;
    return listObject('block', all.slice(from, from + size).map(blockObject), next);
  }

  #append(request: FastifyRequest<Parameters>): JsonObject {
    this.#require('insert');
    const newest = request.headers['notion-version'] === NEWEST_VERSION;
    const body = object(request.body, 'body');
    only(body, 'body', ['children', newest ? 'position' : 'after']);
    const parent = this.#editable(request.params.id);
    if (children(body.children, 'body.children') === 0) throw invalid('body.children.length', '≥ `1`', 0);
    const place = newest ? position(body.position) : typeof body.after === 'string' ? { after: body.after } : {};
    if (place.after !== undefined && !parent.children.includes(place.after)) {
      throw new NotionError(400, 'validation_error', 'Block to insert after is not a child of the parent block.');
    }
    const made = this.workspace.addBlocks(parent, body.children as JsonValue[], place);
    this.emit('change');
    return listObject('block', made.map(blockObject), undefined);
  }

  /** Words and colour only; what a block holds stays. */
  #updateBlock(id: string, given: unknown): JsonObject {
    this.#require('update');
    const block = this.#editable(id);
    if ('values' in block) throw notFound('block', id);
    const body = object(given, 'body');
    only(body, 'body', ['type', block.type]);
    const content = object(body[block.type], `body.${block.type}`);
    only(content, `body.${block.type}`, ['rich_text', 'color', 'is_toggleable']);
    children([{ [block.type]: { rich_text: [], ...content } }], 'body');
    this.workspace.updateBlock(block, content);
    this.emit('change');
    return blockObject(block);
  }

  #deleteBlock(id: string): JsonObject {
    this.#require('update');
    const block = this.#editable(id);
    if ('values' in block) throw notFound('block', id);
    this.workspace.removeBlock(block);
    this.emit('change');
    return blockObject(block);
  }

  #query(id: string, given: unknown): JsonObject {
    this.#require('read');
    const source = this.#source(id);
    const { found, next } = queryPages(source, this.pages(source.id), given);
    const results = found.map((page) => pageObject(this.workspace, page));
    return listObject('page_or_data_source', results, next);
  }
}

function position(value: JsonValue | undefined): { after?: string; atStart?: boolean } {
  if (value === undefined) return {};
  const { type, after_block } = object(value, 'body.position');
  if (type === 'start') return { atStart: true };
  if (type === 'end') return {};
  if (type !== 'after_block') throw invalid('body.position.type', '`"start"`, `"end"` or `"after_block"`', type);
  return { after: String(object(after_block, 'body.position.after_block').id) };
}

/** Ids are taken with and without dashes. */
function uuid(id: string): string {
  const parts = /^(\w{8})-?(\w{4})-?(\w{4})-?(\w{4})-?(\w{12})$/.exec(id.toLowerCase());
  if (!parts)
    throw new NotionError(
      400,
      'validation_error',
      `path failed validation: path.id should be a valid uuid, instead was \`"${id}"\`.`,
    );
  return parts.slice(1).join('-');
}

function bytesOf(request: FastifyRequest): number {
  const length = Number(request.headers['content-length']);
  return Number.isFinite(length) ? length : Buffer.byteLength(JSON.stringify(request.body ?? null));
}
