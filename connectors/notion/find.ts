import { type Client, isFullPage, type PageObjectResponse, type QueryDataSourceParameters } from '@notionhq/client';
import { absent, blind, found, type Item, type Sighting } from 'versive-relay/connector';
import { blocksBy, listBlocks } from './blocks.ts';
import type { Connection } from './connection.ts';
import { call, Ended, isGone } from './errors.ts';
import { type Page, type PageReceipt, pageOf, readPage } from './page.ts';
import type { PropertyOptions } from './properties.ts';
import { type Question, questionOf } from './question.ts';
import type { SchemaReader } from './schema.ts';

interface Finding {
  client: Client;
  reader: SchemaReader;
  connection: Connection;
  properties: PropertyOptions;
}

/** Looks for the page that an earlier try may have left: the one that its receipt names, or one that holds its key. */
export async function findPage(item: Item, finding: Finding): Promise<Sighting> {
  try {
    return await look(item, finding);
  } catch (error) {
    if (error instanceof Ended && error.outcome.kind !== 'delivered') return error.outcome;
    throw error;
  }
}

async function look(item: Item, { client, reader, connection, properties }: Finding): Promise<Sighting> {
  const receipt = item.receipt as PageReceipt | undefined;
  const known = receipt && (await readPage(client, receipt.page));
  if (known) {
    const open = await mayGrow(client, receipt, await connection.authorsOf(known));
    return open ? absent() : found(receipt);
  }
  // Read anew: what the team has done about a missing property must count.
  const schema = await reader.read();
  const question = questionOf(item, schema, properties);
  if ('cannot' in question) return blind(question.cannot, question.fix);
  if ('nobody' in question) return absent();
  const others = new Set([...item.earlier, ...(receipt ? [receipt] : [])].map(({ page }) => page));
  const own = await connection.id();
  const fits = (page: PageObjectResponse) =>
    !page.in_trash && page.created_by.id === own && !others.has(page.id) && question.holds(page);
  const page = await oldest(client, schema.dataSource, question, fits);
  return page ? found({ page: page.id, url: page.url, blocks: [], turns: 0, done: false }) : absent();
}

/**
 * Whether an append of an earlier try may still land: of a body that is not done, the next one may have been sent, and
 * what it brings is not there yet. The page alone would then be no sign that all is settled.
 */
async function mayGrow(client: Client, receipt: PageReceipt, authors: ReadonlySet<string>): Promise<boolean> {
  const { page, blocks, turns, done, old = [] } = receipt;
  if (done) return false;
  const toggle = blocks.at(-1);
  try {
    const there = blocksBy(authors, await listBlocks(client, toggle ?? page)).filter(({ id }) => !old.includes(id));
    return there.length <= (toggle === undefined ? 0 : turns);
  } catch (error) {
    // Nothing lands in what was deleted.
    if (isGone(error)) return false;
    throw error;
  }
}

/**
 * The first page that fits, from the oldest on. Without `is_archived`, Notion shows no archived pages
 * (developers.notion.com/reference/query-a-data-source).
 */
async function oldest(
  client: Client,
  dataSource: string,
  { filter }: Question,
  fits: (page: PageObjectResponse) => boolean,
): Promise<Page | undefined> {
  let cursor: string | undefined;
  do {
    const query: QueryDataSourceParameters = {
      data_source_id: dataSource,
      filter,
      sorts: [{ timestamp: 'created_time', direction: 'ascending' }],
      page_size: 100,
      ...(cursor !== undefined && { start_cursor: cursor }),
    };
    const answer = await call('read', () => client.dataSources.query(query));
    const page = answer.results.filter((each) => each.object === 'page' && isFullPage(each)).find(fits);
    if (page) return pageOf(page);
    cursor = answer.next_cursor ?? undefined;
  } while (cursor !== undefined);
  return undefined;
}
