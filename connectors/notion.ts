import { Client } from '@notionhq/client';
import {
  type Attempt,
  type Context,
  type Destination,
  type Drawn,
  defineConnector,
  delivered,
  type Item,
  type JsonValue,
  type Sighting,
  secret,
  template,
} from 'versive-relay/connector';
import { z } from 'zod';
import { makeBody, withTurns } from './notion/body.ts';
import { checkNotion } from './notion/check.ts';
import { Connection } from './notion/connection.ts';
import { drawPage } from './notion/draw.ts';
import { Ended } from './notion/errors.ts';
import { findPage } from './notion/find.ts';
import { pageTitle } from './notion/known.ts';
import { createPage, type PageReceipt, updatePage } from './notion/page.ts';
import { makeProperties, type PropertyOptions } from './notion/properties.ts';
import { readPlace, SchemaReader } from './notion/schema.ts';
import { writeBody } from './notion/writing.ts';

/** The newest: appends take a `position`. An upgrade of the SDK does not change it. */
const NOTION_VERSION = '2026-03-11';
/** The largest that a timer takes, so that the relay's own timeout decides. */
const NO_TIMEOUT = 2_147_483_647;

const place = z.string().refine((text) => readPlace(text, 'database') !== undefined, {
  error: 'expected an id of 32 hexadecimal digits, or the address from the browser',
});

const options = z
  .strictObject({
    token: secret().describe('The internal integration secret of the connection (ntn_…).'),
    data_source: place
      .optional()
      .describe('Where pages go: the id of a data source, or the address of its database from the browser.'),
    database: place.optional().describe('In place of data_source: a database with one data source.'),
    properties: z
      .record(z.string(), template())
      .optional()
      .describe(
        'Properties by name, each a template; turned into the type that the property has in Notion. An empty value leaves the property as it is. Without this option, properties are filled by their names.',
      ),
    key: z
      .string()
      .min(1)
      .default('Interview ID')
      .describe("The property that holds the interview's id, by which a page is recognised."),
    body: z
      .enum(['transcript', 'none'])
      .default('transcript')
      .describe('What the page holds: facts, recording, quotes and the whole transcript; or nothing.'),
    api_url: z.url().default('https://api.notion.com').describe('The root of the API, for a proxy or a stand-in.'),
  })
  .superRefine(({ data_source, database }, context) => {
    if ((data_source === undefined) !== (database === undefined)) return;
    const found = data_source === undefined ? 'neither' : 'both';
    context.addIssue({ code: 'custom', message: `expected one of \`data_source\` and \`database\`, found ${found}` });
  });

export default defineConnector({
  name: 'notion',
  description: 'A page for each interview under a Notion data source, with properties and the whole transcript.',
  options,
  open: (given, context) => new NotionDestination(given, context),
});

/** One page for each subject, known again by its key. */
class NotionDestination implements Destination {
  readonly target: string;
  readonly limits: Destination['limits'];
  /** Notion works on a request for up to 60 s, whoever waits for it: developers.notion.com/reference/status-codes. */
  readonly settles = 60_000;
  readonly #client: Client;
  readonly #connection: Connection;
  readonly #reader: SchemaReader;
  readonly #properties: PropertyOptions;
  readonly #withBody: boolean;

  constructor({ token, data_source, database, ...given }: z.output<typeof options>, context: Context) {
    const found = readPlace(data_source ?? database ?? '', data_source === undefined ? 'database' : 'data source');
    if (!found) throw new Error('the options were not judged by their schema');
    this.target = `notion:${found.id}`;
    // An average of three calls a second for each connection: developers.notion.com/reference/request-limits.
    this.limits = { key: `notion:${token.fingerprint()}`, calls: 3, per: 1000 };
    this.#client = new Client({
      auth: token.reveal(),
      baseUrl: given.api_url.replace(/\/+$/, ''),
      fetch: context.fetch,
      notionVersion: NOTION_VERSION,
      retry: false,
      timeoutMs: NO_TIMEOUT,
      logger: () => {},
    });
    this.#connection = new Connection(this.#client);
    this.#reader = new SchemaReader(this.#client, found);
    this.#properties = { templates: given.properties, key: given.key, timezone: context.timezone };
    this.#withBody = given.body === 'transcript';
  }

  async deliver(item: Item, attempt: Attempt) {
    try {
      return delivered(await this.#deliver(item, attempt));
    } catch (error) {
      if (error instanceof Ended) return error.outcome;
      throw error;
    }
  }

  async #deliver(item: Item, attempt: Attempt): Promise<PageReceipt> {
    const body = this.#withBody ? makeBody(item) : undefined;
    const save = (receipt: PageReceipt) => attempt.checkpoint(item, receipt);
    const known = item.receipt as PageReceipt | undefined;
    const { receipt, page } = await this.#reader.using(async (schema) => {
      const properties = makeProperties(item, schema, this.#properties);
      const page = known && (await updatePage(this.#client, known.page, properties));
      if (page) return { receipt: { ...known, url: page.url }, page };
      return { receipt: await createPage(this.#client, schema.dataSource, properties, body) };
    });
    if (!page) await save(receipt);
    // Of a page that was found no more is known than that it is there.
    if (!body) return receipt.body === undefined ? { ...receipt, done: true } : receipt;
    const authors = () => this.#connection.authorsOf({ creator: page?.creator });
    return writeBody(this.#client, receipt, body, { fresh: !page, authors, save });
  }

  async find(items: Item[]): Promise<Sighting[]> {
    const finding = {
      client: this.#client,
      reader: this.#reader,
      connection: this.#connection,
      properties: this.#properties,
    };
    const sightings: Sighting[] = [];
    for (const item of items) sightings.push(await findPage(item, finding));
    return sightings;
  }

  /** The page as it would be. While the schema has not been read, properties are shown as their templates give them. */
  preview(item: Item): JsonValue {
    const body = this.#withBody ? makeBody(item) : undefined;
    const preview = {
      parent: this.target,
      properties: this.#previewProperties(item),
      ...(body && { children: withTurns(body, body.turns.length) }),
    };
    return JSON.parse(JSON.stringify(preview)) as JsonValue;
  }

  draw(item: Item): Drawn[][] {
    const body = this.#withBody ? makeBody(item) : undefined;
    const children = body && withTurns(body, body.turns.length);
    return drawPage({ properties: this.#previewProperties(item), children });
  }

  #previewProperties(item: Item): unknown {
    const { templates, key } = this.#properties;
    const schema = this.#reader.kept;
    if (!schema) {
      const values = Object.entries(templates ?? {}).map(([name, make]) => [name, make.value(item)] as const);
      const named = templates ? {} : { Name: pageTitle(item) };
      return { ...named, [key]: item.identity.subject, ...Object.fromEntries(values) };
    }
    try {
      return makeProperties(item, schema, this.#properties);
    } catch (error) {
      if (error instanceof Ended && error.outcome.kind !== 'delivered') return error.outcome.detail;
      throw error;
    }
  }

  check(example?: Item) {
    return checkNotion(this.#client, this.#reader, this.#properties, example);
  }
}
