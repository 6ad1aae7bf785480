import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { inspect } from 'node:util';
import { type BlockObjectRequest, Client, isNotionClientError } from '@notionhq/client';
import Fastify, { type FastifyInstance } from 'fastify';
import type { NotionPage } from '../../src/sandbox/notion/workspace.ts';
import { NotionStandIn } from '../../src/sandbox/notion.ts';

type Properties = NonNullable<Parameters<Client['pages']['create']>[0]['properties']>;

describe('the Notion stand-in, through the official client', () => {
  let standIn: NotionStandIn;
  let app: FastifyInstance;
  let url: string;
  let client: Client;
  const connect = (options: { auth?: string; notionVersion?: string } = {}) =>
    new Client({
      auth: 'ntn_test',
      baseUrl: url,
      notionVersion: '2026-03-11',
      retry: false,
      logger: () => {},
      ...options,
    });

  before(async () => {
    app = Fastify({ bodyLimit: 50_000_000, forceCloseConnections: true });
    standIn = new NotionStandIn();
    await app.register(async (scope) => standIn.routes(scope), { prefix: '/notion' });
    url = `${await app.listen({ host: '127.0.0.1', port: 0 })}/notion`;
    client = connect();
  });
  after(() => app.close());
  beforeEach(() => {
    standIn.callsPerMinute = Number.POSITIVE_INFINITY;
    Object.assign(standIn.capabilities, { read: true, insert: true, update: true });
  });

  const text = (content: string) => [{ text: { content } }];
  const paragraph = (content: string): BlockObjectRequest => ({ paragraph: { rich_text: text(content) } });
  const create = (properties: Properties, children: BlockObjectRequest[] = [], dataSource = standIn.dataSource) =>
    client.pages.create({ parent: { type: 'data_source_id', data_source_id: dataSource }, properties, children });
  const named = (name = 'A page') => create({ Name: { title: text(name) } });
  const refuses = (run: () => Promise<unknown>, status: number, code: string, message: RegExp) =>
    assert.rejects(run, (error: unknown) => {
      assert.ok(isNotionClientError(error), inspect(error));
      const { status: seen, body } = error as unknown as { status: number; body: string };
      const answer = JSON.parse(body);
      assert.deepEqual([seen, answer.object, answer.status, answer.code], [status, 'error', status, code], body);
      assert.match(answer.message, message);
      assert.ok(answer.request_id);
      return true;
    });
  const held = (id: string): NotionPage => {
    const page = standIn.workspace.pages.get(id);
    assert.ok(page);
    return page;
  };

  it('serves the connection, the database, its data source and its schema', async () => {
    assert.equal((await client.users.me({})).type, 'bot');
    const database = await client.databases.retrieve({ database_id: standIn.database.replaceAll('-', '') });
    assert.ok('data_sources' in database);
    assert.deepEqual(database.data_sources, [{ id: standIn.dataSource, name: 'Interview library' }]);
    const { properties } = await client.dataSources.retrieve({ data_source_id: standIn.dataSource });
    const { Status } = properties;
    assert.ok(Status?.type === 'status');
    assert.deepEqual(
      Status.status.options.map(({ name }) => name),
      ['Not started', 'In review', 'Done'],
    );
  });

  it('keeps pages with their properties and blocks, and finds them by a property', async () => {
    const properties: Properties = {
      Name: { title: text('Ada') },
      'Interview ID': { rich_text: text('int_1') },
      Plan: { select: { name: 'startup' } },
      Duration: { number: 12.5 },
      Completed: { date: { start: '2026-11-23T14:04:00Z' } },
    };
    const page = await create(properties, [
      {
        heading_2: {
          rich_text: text('Talk'),
          is_toggleable: true,
          children: [{ paragraph: { rich_text: text('Hello') } }],
        },
      },
    ]);
    assert.ok('url' in page && page.properties.Duration?.type === 'number');
    assert.equal(page.properties.Duration.number, 12.5);
    assert.equal(standIn.text(held(page.id)), 'Talk\nHello');

    const filter = { property: 'Interview ID', rich_text: { equals: 'int_1' } };
    const found = await client.dataSources.query({ data_source_id: standIn.dataSource, filter, page_size: 1 });
    assert.deepEqual(
      found.results.map(({ id }) => id),
      [page.id],
    );
    const none = { ...filter, rich_text: { equals: 'int_2' } };
    assert.equal(
      (await client.dataSources.query({ data_source_id: standIn.dataSource, filter: none })).results.length,
      0,
    );
    const schema = await client.dataSources.retrieve({ data_source_id: standIn.dataSource });
    const { Plan } = schema.properties;
    assert.ok(
      Plan?.type === 'select' && Plan.select.options.some(({ name }) => name === 'startup'),
      'made on first use',
    );
    assert.ok(JSON.stringify(standIn.snapshot()).includes('Hello'));
  });

  it('lists children in pages, and appends them where it is told', async () => {
    const { id } = await named();
    for (const start of [0, 100]) {
      const children = Array.from({ length: 100 }, (_, index) => paragraph(`${start + index}`));
      await client.blocks.children.append({ block_id: id, children });
    }
    const first = await client.blocks.children.list({ block_id: id });
    assert.equal(first.results.length, 100);
    assert.ok(first.has_more && first.next_cursor);
    const second = await client.blocks.children.list({ block_id: id, start_cursor: first.next_cursor });
    assert.equal(second.has_more, false);

    const after = { type: 'after_block' as const, after_block: { id: first.results[0]?.id ?? '' } };
    await client.blocks.children.append({ block_id: id, children: [paragraph('between')], position: after });
    await client.blocks.children.append({ block_id: id, children: [paragraph('top')], position: { type: 'start' } });
    await client.blocks.delete({ block_id: second.results[0]?.id ?? '' });
    const words = standIn.text(held(id)).split('\n');
    assert.deepEqual(words.slice(0, 4), ['top', '0', 'between', '1']);
    assert.ok(!words.includes('100'));
  });

  it('emits a change with each write, and none with a read', async () => {
    let changes = 0;
    const count = () => {
      changes += 1;
    };
    standIn.on('change', count);
    const { id } = await named();
    await client.pages.update({ page_id: id, properties: { Duration: { number: 1 } } });
    await client.blocks.children.append({ block_id: id, children: [paragraph('x')] });
    await client.pages.retrieve({ page_id: id });
    standIn.off('change', count);
    assert.equal(changes, 3);
  });

  describe('refuses', () => {
    const long = 'x'.repeat(2001);
    const many = <T>(count: number, make: (index: number) => T) =>
      Array.from({ length: count }, (_, index) => make(index));
    const nested = (levels: number): BlockObjectRequest =>
      ({ toggle: { rich_text: [], ...(levels > 0 && { children: [nested(levels - 1)] }) } }) as BlockObjectRequest;

    const properties: [title: string, properties: unknown, message: RegExp][] = [
      ['an unknown property', { Nmae: { title: [] } }, /^Nmae is not a property that exists\.$/],
      ['a value of another type', { 'Interview ID': { number: 1 } }, /^Interview ID is expected to be rich_text\.$/],
      ['a number in quotes', { Duration: { number: '1' } }, /^Duration is expected to be number\.$/],
      ['a computed property', { 'Created at': { created_time: '2026-11-23' } }, /cannot be set/],
      ['a long text', { Name: { title: text(long) } }, /content\.length should be ≤ `2000`, instead was `2001`/],
      [
        'too many texts',
        { Quotes: { rich_text: many(101, () => ({ text: { content: 'x' } })) } },
        /length should be ≤ `100`/,
      ],
      ['half a character', { Name: { title: text('\ud800') } }, /valid Unicode/],
      ['an option with a comma', { Plan: { select: { name: 'a, b' } } }, /commas/],
      ['a long option', { Plan: { select: { name: 'x'.repeat(101) } } }, /≤ `100`/],
      ['too many options', { Tags: { multi_select: many(101, (index) => ({ name: `t${index}` })) } }, /≤ `100`/],
      ['an unknown status', { Status: { status: { name: 'Nope' } } }, /Status option "Nope" does not exist/],
      ['a date in words', { Completed: { date: { start: '23 Nov 2026' } } }, /ISO 8601/],
      ['an empty address', { Recording: { url: '' } }, /length should be ≥ `1`/],
      ['an endless address', { Recording: { url: `https://a.b/${long}` } }, /≤ `2000`/],
      ['an endless email', { 'Contact email': { email: `${'x'.repeat(200)}@a.b` } }, /≤ `200`/],
      ['a checkbox in words', { Mock: { checkbox: 'yes' } }, /^Mock is expected to be checkbox\.$/],
      ['people by name', { Owner: { people: [{ id: 'Ada' }] } }, /valid uuid/],
      ['a file that is none', { Attachments: { files: [{ name: 'a', external: { url: 'a.mp4' } }] } }, /Invalid URL/],
    ];
    for (const [title, given, message] of properties) {
      it(title, () => refuses(() => create(given as Properties), 400, 'validation_error', message));
    }

    const blocks: [title: string, children: unknown[], message: RegExp][] = [
      [
        'a long paragraph',
        [paragraph(long)],
        /children\[0\]\.paragraph\.rich_text\[0\]\.text\.content\.length should be ≤ `2000`/,
      ],
      ['101 children', many(101, () => paragraph('x')), /body\.children\.length should be ≤ `100`, instead was `101`/],
      [
        '101 children of a child',
        [{ toggle: { rich_text: [], children: many(101, () => paragraph('x')) } }],
        /toggle\.children\.length should be ≤ `100`/,
      ],
      [
        'more than 1,000 blocks',
        many(11, () => ({ toggle: { rich_text: [], children: many(99, () => paragraph('x')) } })),
        /≤ `1000`/,
      ],
      ['three levels of nesting', [nested(3)], /should be not present/],
      ['children of a plain heading', [{ heading_2: { rich_text: [], children: [paragraph('x')] } }], /not present/],
      ['an unknown type', [{ poem: { rich_text: [] } }], /a type of block/],
      ['unknown fields', [{ paragraph: { rich_text: [], font: 'serif' } }], /paragraph\.font should be not present/],
      [
        'a link that is none',
        [{ paragraph: { rich_text: [{ text: { content: 'x', link: { url: 'nope' } } }] } }],
        /Invalid URL for link/,
      ],
      ['an unknown colour', [{ paragraph: { rich_text: [], color: 'mauve' } }], /a color/],
    ];
    for (const [title, children, message] of blocks) {
      it(title, async () => {
        const { id } = await named();
        const given = children as BlockObjectRequest[];
        await refuses(
          () => client.blocks.children.append({ block_id: id, children: given }),
          400,
          'validation_error',
          message,
        );
        await refuses(() => create({ Name: { title: [] } }, given), 400, 'validation_error', message);
        assert.equal(held(id).children.length, 0);
      });
    }

    it('two levels of nesting it takes', async () => {
      await create({ Name: { title: [] } }, [nested(2)]);
    });

    it('more than 500 KB', async () => {
      const block = { paragraph: { rich_text: many(3, () => ({ text: { content: '€'.repeat(2000) } })) } };
      await refuses(
        () =>
          create(
            { Name: { title: [] } },
            many(30, () => block),
          ),
        400,
        'validation_error',
        /too large/,
      );
    });

    it('a bad token, also a revoked one', async () => {
      standIn.revoked.add('ntn_old');
      for (const auth of ['nonsense', 'ntn_old']) {
        await refuses(() => connect({ auth }).users.me({}), 401, 'unauthorized', /API token is invalid/);
      }
    });

    it('a request without a version, or with an unknown one', async () => {
      const bare = await fetch(`${url}/v1/users/me`, { headers: { authorization: 'Bearer ntn_test' } });
      assert.equal(bare.status, 400);
      assert.equal(((await bare.json()) as { code: string }).code, 'missing_version');
      await refuses(() => connect({ notionVersion: '2021-05-13' }).users.me({}), 400, 'validation_error', /2021-05-13/);
    });

    it('what is not JSON, and paths that are none', async () => {
      const headers = {
        authorization: 'Bearer ntn_test',
        'notion-version': '2026-03-11',
        'content-type': 'application/json',
      };
      const broken = await fetch(`${url}/v1/pages`, { method: 'POST', headers, body: '{' });
      assert.equal(((await broken.json()) as { code: string }).code, 'invalid_json');
      const lost = await fetch(`${url}/v1/nowhere`, { headers });
      assert.equal(((await lost.json()) as { code: string }).code, 'invalid_request_url');
    });

    it('what was not shared, and what the connection may not do', async () => {
      const { id } = await named();
      standIn.capabilities.insert = false;
      await refuses(() => named(), 403, 'restricted_resource', /Insufficient permissions/);
      const database = standIn.workspace.databases.get(standIn.database);
      assert.ok(database);
      database.shared = false;
      await refuses(
        () => client.pages.retrieve({ page_id: id }),
        404,
        'object_not_found',
        /shared with your integration/,
      );
      const query = { data_source_id: standIn.dataSource };
      await refuses(() => client.dataSources.query(query), 404, 'object_not_found', /Could not find data source/);
      database.shared = true;
    });

    it('edits of what is in the trash', async () => {
      const { id } = await named();
      standIn.trash(held(id));
      const archived = /Can't edit block that is archived/;
      await refuses(() => client.pages.update({ page_id: id, properties: {} }), 400, 'validation_error', archived);
      const append = () => client.blocks.children.append({ block_id: id, children: [paragraph('x')] });
      await refuses(append, 400, 'validation_error', archived);
    });

    it('more calls than a minute allows, until the minute is over', async () => {
      const eager = connect({ auth: 'ntn_eager' });
      standIn.callsPerMinute = 3;
      for (let call = 0; call < 3; call += 1) await eager.users.me({});
      await refuses(() => eager.users.me({}), 429, 'rate_limited', /rate limited/);
      await assert.rejects(eager.users.me({}), ({ headers }: { headers: Headers }) => {
        const wait = Number(headers.get('retry-after'));
        return wait > 0 && wait <= 60;
      });
    });
  });
});
