import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type BlockObjectRequest, Client, isFullBlock, isFullPage } from '@notionhq/client';
import type { FastifyInstance } from 'fastify';
import type { NotionPage } from '../../src/sandbox/notion/workspace.ts';
import type { NotionStandIn } from '../../src/sandbox/notion.ts';
import { startNotion } from '../support/notion.ts';

type Properties = NonNullable<Parameters<Client['pages']['create']>[0]['properties']>;

describe('the Notion stand-in, asked for what was written', () => {
  let standIn: NotionStandIn;
  let app: FastifyInstance;
  let client: Client;

  before(async () => {
    const started = await startNotion();
    ({ standIn, app } = started);
    client = new Client({
      auth: 'ntn_test',
      baseUrl: started.url.replace(/\/$/, ''),
      notionVersion: '2026-03-11',
      retry: false,
      logger: () => {},
    });
  });
  after(() => app.close());

  const text = (content: string) => [{ text: { content } }];
  const paragraph = (content: string): BlockObjectRequest => ({ paragraph: { rich_text: text(content) } });
  const create = (properties: Properties, children: BlockObjectRequest[] = [], dataSource = standIn.dataSource) =>
    client.pages.create({ parent: { type: 'data_source_id', data_source_id: dataSource }, properties, children });
  const held = (id: string): NotionPage => {
    const page = standIn.workspace.pages.get(id);
    assert.ok(page);
    return page;
  };

  it('is asked for pages by each type that can hold a key, and shows none that are in the trash', async () => {
    const { dataSource } = standIn.addDatabase('Keys', {
      Title: 'title',
      Text: 'rich_text',
      Link: 'url',
      Mail: 'email',
      Phone: 'phone_number',
      Option: 'select',
      Number: 'number',
    });
    const make = (n: number) =>
      create(
        {
          Title: { title: text(`title ${n}`) },
          Text: { rich_text: [...text(`text ${n}`), ...text(' goes on')] },
          Link: { url: `https://a.b/${n}` },
          Mail: { email: `${n}@a.b` },
          Phone: { phone_number: `+${n}` },
          Option: { select: { name: `option ${n}` } },
          Number: { number: n },
        },
        [],
        dataSource,
      );
    const [one, two, three] = [await make(1), await make(2), await make(3)];
    standIn.trash(held(three.id));
    const sorts = [{ timestamp: 'created_time' as const, direction: 'ascending' as const }];
    const ask = async (filter?: Parameters<Client['dataSources']['query']>[0]['filter']) => {
      const query = { data_source_id: dataSource, sorts, ...(filter && { filter }) };
      return (await client.dataSources.query(query)).results.map(({ id }) => id);
    };
    assert.deepEqual(await ask(), [one.id, two.id]);
    assert.deepEqual(await ask({ property: 'Title', title: { equals: 'title 2' } }), [two.id]);
    assert.deepEqual(await ask({ property: 'Text', rich_text: { equals: 'text 2 goes on' } }), [two.id]);
    assert.deepEqual(await ask({ property: 'Text', rich_text: { starts_with: 'text 2' } }), [two.id]);
    assert.deepEqual(await ask({ property: 'Link', url: { equals: 'https://a.b/2' } }), [two.id]);
    assert.deepEqual(await ask({ property: 'Mail', email: { equals: '2@a.b' } }), [two.id]);
    assert.deepEqual(await ask({ property: 'Phone', phone_number: { equals: '+2' } }), [two.id]);
    assert.deepEqual(await ask({ property: 'Option', select: { equals: 'option 2' } }), [two.id]);
    assert.deepEqual(await ask({ property: 'Number', number: { equals: 2 } }), [two.id]);
    assert.deepEqual(await ask({ property: 'Number', number: { equals: 3 } }), []);
    const first = await client.dataSources.query({ data_source_id: dataSource, sorts, page_size: 1 });
    assert.ok(first.has_more && first.next_cursor === two.id);
  });

  it('says who made a page and a block', async () => {
    const { id: bot } = await client.users.me({});
    const { id } = await create({ Name: { title: text('By the connection') } }, [paragraph('by the connection')]);
    standIn.addNote(held(id), 'by hand');
    const page = await client.pages.retrieve({ page_id: id });
    assert.ok(isFullPage(page) && page.created_by.id === bot);
    const { results } = await client.blocks.children.list({ block_id: id });
    assert.deepEqual(
      results.map((block) => isFullBlock(block) && block.created_by.id === bot),
      [true, false],
    );
  });

  it('tells after a write what it saved, when it answers 503: ids of what is new alone', async () => {
    const lost = async (run: () => Promise<unknown>) => {
      standIn.faults.inject({ kind: '503-after-write', times: 1 });
      const error = (await run().catch((thrown: unknown) => thrown)) as { body: string };
      const {
        committed_resource_id: resource,
        committed_child_ids: children,
        ...data
      } = JSON.parse(error.body).additional_data;
      return { resource, children, guidance: data.retry_guidance };
    };
    const saved = ['Read the object again to confirm the saved change.', 'Do not repeat the write.'];
    const count = standIn.pages().length;
    const created = await lost(() => create({ Name: { title: text('New') } }));
    const page = standIn.pages()[count];
    assert.deepEqual(created, { resource: page?.id, children: undefined, guidance: saved });
    const id = page?.id ?? '';
    const appended = await lost(() => client.blocks.children.append({ block_id: id, children: [paragraph('x')] }));
    assert.deepEqual(appended, { resource: id, children: held(id).children, guidance: saved });
    const update = () => client.pages.update({ page_id: id, properties: { Duration: { number: 1 } } });
    assert.deepEqual(await lost(update), { resource: undefined, children: undefined, guidance: saved });
    const query = await lost(() => client.dataSources.query({ data_source_id: standIn.dataSource }));
    assert.deepEqual([query.resource, query.children], [undefined, undefined]);
    assert.doesNotMatch(query.guidance.join(), /repeat/);
  });

  const long = 'x'.repeat(2001);
  type Query = Omit<Parameters<Client['dataSources']['query']>[0], 'data_source_id'>;
  const queries: [title: string, query: unknown, message: RegExp][] = [
    ['of another type than its property', { filter: { property: 'Duration', rich_text: { equals: '1' } } }, /match/],
    ['on a property that is not there', { filter: { property: 'Nope', rich_text: { equals: '1' } } }, /Could not find/],
    ['for a number in quotes', { filter: { property: 'Duration', number: { equals: '1' } } }, /a number/],
    ['for a long text', { filter: { property: 'Quotes', rich_text: { equals: long } } }, /≤ `2000`/],
    ['for no text', { filter: { property: 'Quotes', rich_text: { equals: '' } } }, /≥ `1`/],
    [
      'for an option that is not there',
      { filter: { property: 'Plan', select: { equals: 'Nope' } } },
      /select option "Nope" not found for property "Plan"\. Available options: "enterprise"/,
    ],
    [
      'with two conditions',
      { filter: { property: 'Quotes', rich_text: { equals: 'a', starts_with: 'a' } } },
      /one condition/,
    ],
    ['with an unknown operator', { filter: { property: 'Quotes', rich_text: { is: 'a' } } }, /not present/],
    ['of half a page', { page_size: 0.5 }, /page_size/],
    ['of 101 pages', { page_size: 101 }, /page_size/],
    ['from nowhere', { start_cursor: 'x' }, /start_cursor/],
    ['in the order of a property', { sorts: [{ property: 'Name', direction: 'ascending' }] }, /not present/],
    ['in no direction', { sorts: [{ timestamp: 'created_time', direction: 'up' }] }, /direction/],
    ['of the trash', { in_trash: true }, /in_trash should be not present/],
  ];
  for (const [title, given, message] of queries) {
    it(`refuses a query ${title}`, async () => {
      const query = () => client.dataSources.query({ data_source_id: standIn.dataSource, ...(given as Query) });
      await assert.rejects(query, (error: { status?: number; code?: string; message?: string }) => {
        assert.deepEqual([error.status, error.code], [400, 'validation_error']);
        assert.match(error.message ?? '', message);
        return true;
      });
    });
  }
});
