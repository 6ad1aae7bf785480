import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import type { FastifyInstance } from 'fastify';
import Fastify from 'fastify';
import notion from '../../connectors/notion.ts';
import type { Attempt, Context, Destination, Item, JsonObject, Payload, Receipt } from '../../src/connector.ts';
import type { Outcome } from '../../src/outcome.ts';
import { NotionStandIn } from '../../src/sandbox/notion.ts';
import { plainText } from '../../src/sandbox/notion-workspace.ts';
import { connectorContract } from '../contracts/connector.ts';
import { openDestination } from '../support/destination.ts';
import { makeItem, makePayload } from '../support/item.ts';

const TOKEN = 'ntn_Qq7secret0token';

async function serve(): Promise<{ standIn: NotionStandIn; app: FastifyInstance; url: string }> {
  const standIn = new NotionStandIn();
  standIn.callsPerMinute = Number.POSITIVE_INFINITY;
  const app = Fastify({ bodyLimit: 50_000_000, forceCloseConnections: true });
  await app.register(
    async (scope) => {
      standIn.faults.install(scope);
      standIn.routes(scope);
    },
    { prefix: '/notion' },
  );
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  return { standIn, app, url: `${url}/notion/` };
}

connectorContract('notion', async () => {
  const { standIn, app, url } = await serve();
  return {
    connector: notion,
    options: { token: TOKEN, data_source: standIn.dataSource, api_url: url },
    refused: { token: 'refused-by-notion' },
    secrets: [TOKEN],
    faults: standIn.faults,
    writePath: '/v1/pages',
    arrived: () => standIn.pages().length,
    close: () => app.close(),
  };
});

describe('notion: pages', () => {
  let standIn: NotionStandIn;
  let app: FastifyInstance;
  let url: string;
  /** `METHOD /path` of every call. */
  let calls: string[];
  /** Receipts in the order in which they were saved. */
  let saved: Receipt[];

  before(async () => {
    ({ standIn, app, url } = await serve());
  });
  after(() => app.close());
  beforeEach(() => {
    standIn.workspace.pages.clear();
    standIn.faults.clear();
    calls = [];
    saved = [];
  });

  const counted: typeof fetch = (input, init) => {
    calls.push(`${init?.method} ${new URL(String(input)).pathname.replace('/notion/v1', '')}`);
    return fetch(input, init);
  };
  const attempt: Attempt = {
    number: 1,
    signal: new AbortController().signal,
    checkpoint: async (_item, receipt) => {
      saved.push(structuredClone(receipt));
    },
  };
  const open = (options: JsonObject = {}, context: Partial<Context> = {}): Destination => {
    const place = options.database === undefined ? { data_source: standIn.dataSource } : {};
    const all = { token: TOKEN, api_url: url, ...place, ...options };
    return openDestination(notion, all, { fetch: counted, ...context });
  };
  const deliver = (item: Item = makeItem(), destination = open()): Promise<Outcome> =>
    destination.deliver(item, attempt);
  const receiptOf = (outcome: Outcome): Receipt => {
    assert.ok(outcome.kind === 'delivered', inspect(outcome));
    return JSON.parse(JSON.stringify(outcome.receipt));
  };
  const onlyPage = (dataSource?: string) => {
    const [page, ...others] = standIn.pages(dataSource);
    assert.equal(others.length, 0, 'one page');
    assert.ok(page);
    return page;
  };
  /** Texts of the properties that are filled, by name. */
  const filled = (dataSource?: string) => {
    const { values } = onlyPage(dataSource);
    return Object.fromEntries([...values].map(([name, value]) => [name, plainText(value)]));
  };
  const withTurns = (count: number, id = 'int_long'): Payload =>
    makePayload({ interview: { id, parsed_conversation_json: turnsOf(count), transcript: null } });

  describe('properties', () => {
    it('are filled by their names, when the config has none', async () => {
      const payload = makePayload({ interview: { status: 'done', metadata: { plan: 'enterprise', tags: 'a, b' } } });
      receiptOf(await deliver(makeItem(payload)));
      const { Quotes, ...others } = filled();
      assert.match(Quotes ?? '', /felt a bit tricked/);
      assert.deepEqual(others, {
        Name: 'Checkout research · participant-17',
        'Interview ID': 'int_0001',
        Plan: 'enterprise',
        Study: 'Checkout research',
        Participant: 'participant-17',
        Duration: '9',
        Completed: '2026-11-23T14:04:00.000Z',
        Recording: 'https://recordings.example.com/int_0001.mp4',
        Mode: 'Text and voice',
        Status: 'Done',
        Tags: 'a, b',
        Mock: 'false',
      });
    });

    it('become the types of the schema, and the key is added', async () => {
      const { dataSource } = standIn.addDatabase('Every type', {
        Title: 'title',
        'Interview ID': 'rich_text',
        Seats: 'number',
        Plan: 'select',
        Themes: 'multi_select',
        Stage: { type: 'status', options: ['To review'] },
        Day: 'date',
        Moment: 'date',
        Local: 'date',
        Video: 'url',
        Enterprise: 'checkbox',
        Mail: 'email',
        Phone: 'phone_number',
        Owner: 'people',
        Files: 'files',
        Empty: 'rich_text',
      });
      const properties = {
        Title: '{{ study.title }}',
        Seats: '{{ interview.metadata.seats }}',
        Plan: 'big, {{ interview.metadata.plan }}',
        Themes: 'price, speed,price,',
        Stage: 'to REVIEW',
        Day: '2026-11-23',
        Moment: '{{ interview.ended_at }}',
        Local: '2026-11-23 15:04',
        Video: '{{ interview.recording_url }}',
        Enterprise: '{{ interview.metadata.plan == "enterprise" }}',
        Mail: 'ada@example.com',
        Phone: '+49 30 1234',
        Owner: '1b9e5c70-6a2d-4c8b-8e34-90d7f2a4c502',
        Files: '{{ interview.recording_url }}',
        Empty: '{{ interview.metadata.nothing }}',
      };
      const destination = open(
        { data_source: dataSource, properties: { ...properties, Enterprise: 'yes' } },
        { timezone: 'Europe/Berlin' },
      );
      receiptOf(await deliver(makeItem(), destination));
      const { values } = onlyPage(dataSource);
      assert.deepEqual(filled(dataSource), {
        Title: 'Checkout research',
        'Interview ID': 'int_0001',
        Seats: '40',
        Plan: 'big; enterprise',
        Themes: 'price, speed',
        Stage: 'To review',
        Day: '2026-11-23',
        Moment: '2026-11-23T14:04:00.000Z',
        Local: '2026-11-23T15:04:00.000',
        Video: 'https://recordings.example.com/int_0001.mp4',
        Enterprise: 'true',
        Mail: 'ada@example.com',
        Phone: '+49 30 1234',
        Owner: '1b9e5c70-6a2d-4c8b-8e34-90d7f2a4c502',
        Files: 'int_0001.mp4',
      });
      assert.equal(values.get('Seats'), 40);
      assert.deepEqual(values.get('Local'), {
        start: '2026-11-23T15:04:00.000',
        end: null,
        time_zone: 'Europe/Berlin',
      });
    });

    it('leave what is there alone, where a value is empty', async () => {
      const properties = { Name: 'x', Plan: '{{ interview.metadata.plan }}' };
      const receipt = receiptOf(await deliver(makeItem(), open({ properties })));
      const without = makePayload({ interview: { metadata: {} } });
      receiptOf(await deliver(makeItem(without, { receipt }), open({ properties })));
      assert.equal(filled().Plan, 'enterprise');
    });

    for (const [property, template] of Object.entries({
      Duration: '{{ interview.transcript }}',
      Completed: '{{ interview.transcript }}',
      Status: '{{ interview.transcript }}',
      Recording: '{{ interview.transcript }}',
      Mock: '{{ interview.transcript }}',
      Owner: '{{ interview.transcript }}',
      'Contact email': '{{ interview.transcript }}',
      Attachments: '{{ interview.transcript }}',
    })) {
      it(`reject what ${property} cannot take, without a participant's word`, async () => {
        const outcome = await deliver(makeItem(), open({ properties: { Name: 'x', [property]: template } }));
        assert.ok(outcome.kind === 'reject', inspect(outcome));
        assert.ok(outcome.detail.includes(`"${property}"`) && outcome.detail.includes('a text that'), outcome.detail);
        assert.doesNotMatch(outcome.detail + outcome.fix, /checkout|shipping/i);
        assert.deepEqual(standIn.pages(), []);
      });
    }

    it('that Notion does not have halt the destination, until they are added', async () => {
      const { dataSource } = standIn.addDatabase('Growing', {
        Name: 'title',
        'Interview ID': 'rich_text',
        Age: 'formula',
      });
      const destination = open({ data_source: dataSource, properties: { Name: 'x', 'interview id': 'y' } });
      const misspelt = await deliver(makeItem(), destination);
      assert.ok(misspelt.kind === 'halt', inspect(misspelt));
      assert.match(misspelt.fix, /"Interview ID"/);

      const growing = open({ data_source: dataSource, properties: { Name: 'x', Region: 'EU' } });
      assert.equal((await deliver(makeItem(), growing)).kind, 'halt');
      standIn.addProperty('Region', 'select', dataSource);
      receiptOf(await deliver(makeItem(), growing));
      assert.equal(filled(dataSource).Region, 'EU');

      const computed = await deliver(makeItem(), open({ data_source: dataSource, properties: { Age: '7' } }));
      assert.ok(computed.kind === 'halt' && computed.detail.includes('formula'), inspect(computed));
    });

    it('that changed their type since the schema was read are written all the same', async () => {
      const { dataSource } = standIn.addDatabase('Changing', {
        Name: 'title',
        'Interview ID': 'rich_text',
        Seats: 'number',
      });
      const destination = open({ data_source: dataSource, properties: { Seats: '{{ interview.metadata.seats }}' } });
      receiptOf(await deliver(makeItem(makePayload({ interview: { id: 'one' } })), destination));
      standIn.addProperty('Seats', 'rich_text', dataSource);
      receiptOf(await deliver(makeItem(makePayload({ interview: { id: 'two' } })), destination));
      assert.deepEqual(
        standIn.pages(dataSource).map((page) => page.values.has('Seats')),
        [true, true],
      );
    });

    it('hold what Notion can keep of broken texts', async () => {
      const payload = makePayload({ interview: { metadata: { a: 'half \ud83d a\u0000 pair\r\nand on' } } });
      const properties = { Name: '{{ interview.metadata.a }}', Plan: '{{ interview.metadata.a }}' };
      receiptOf(await deliver(makeItem(payload), open({ properties })));
      assert.deepEqual([filled().Name, filled().Plan], ['half \ufffd a pair\nand on', 'half \ufffd a pair and on']);
    });

    it('hold texts of any length within a request', async () => {
      const words = 'Ünïcödé wörds, “quoted”. '.repeat(20_000);
      const payload = makePayload({ interview: { metadata: { a: words } } });
      const properties = { Name: '{{ interview.metadata.a }}', Quotes: '{{ interview.metadata.a }}' };
      receiptOf(await deliver(makeItem(payload), open({ properties })));
      assert.ok((filled().Quotes ?? '').length > 50_000);
      assert.match(filled().Quotes ?? '', /…$/);
    });
  });

  describe('body', () => {
    it('tells facts, recording, quotes and every turn', async () => {
      receiptOf(await deliver());
      const text = standIn.text(onlyPage());
      for (const part of [
        'Study: Checkout research',
        'Duration: 9 m 29 s',
        'plan: enterprise',
        'Watch the recording',
        'felt a bit tricked',
      ]) {
        assert.ok(text.includes(part), part);
      }
      assert.ok(text.includes('Interviewer\nHow did that make you feel?'), text);
      assert.deepEqual(calls, [
        `GET /data_sources/${standIn.dataSource}`,
        'POST /pages',
        `GET /blocks/${onlyPage().id}/children`,
      ]);
    });

    it('is left out on request', async () => {
      receiptOf(await deliver(makeItem(), open({ body: 'none' })));
      assert.equal(standIn.text(onlyPage()), '');
    });

    it('is complete and in order at 1,500 turns, in few calls and with a small receipt', async () => {
      const receipt = receiptOf(await deliver(makeItem(withTurns(1500))));
      assert.deepEqual(spoken(standIn.text(onlyPage())), sequence(1500));
      assert.ok(calls.length <= 1 + 2 + 14, `${calls.length} calls`);
      assert.ok(JSON.stringify(receipt).length < 1000);
      assert.equal(saved.length, 16, 'after the page, its first blocks, and each append');
    });

    it('keeps to the bytes of a request, whatever the script', async () => {
      const content = '你好，世界。'.repeat(330);
      const conversation = Array.from({ length: 260 }, () => ({ role: 'user', content }));
      const payload = makePayload({ interview: { parsed_conversation_json: conversation } });
      receiptOf(await deliver(makeItem(payload)));
      assert.equal(standIn.text(onlyPage()).split(`Participant\n${content}`).length, 261);
    });

    it('is not touched by a replay that says the same', async () => {
      const receipt = receiptOf(await deliver(makeItem(withTurns(250))));
      calls = [];
      receiptOf(await deliver(makeItem(withTurns(250), { receipt })));
      assert.deepEqual(calls.slice(1), [`PATCH /pages/${receipt.page}`]);
    });

    it('is replaced where it stands, and what the team wrote around it stays', async () => {
      const receipt = receiptOf(await deliver(makeItem(withTurns(150))));
      const page = onlyPage();
      standIn.addNote(page, 'NOTE at the end');
      standIn.addNote(page, 'NOTE after the facts', page.children[0]);
      const second = receiptOf(await deliver(makeItem(withTurns(270), { receipt })));
      const text = standIn.text(onlyPage());
      assert.deepEqual(spoken(text), sequence(270));
      assert.equal(text.split('Study: ').length, 2, 'one set of facts');
      assert.match(text, /^NOTE after the facts/);
      assert.match(text, /NOTE at the end$/);
      assert.equal(second.page, receipt.page);
    });

    it('stays where the team wrote inside it, and says so', async () => {
      const receipt = receiptOf(await deliver(makeItem(withTurns(10))));
      const toggle = standIn.workspace.childrenOf(onlyPage()).at(-1);
      assert.ok(toggle);
      const note = { paragraph: { rich_text: [{ text: { content: 'NOTE between the turns' } }] } };
      standIn.workspace.addBlocks(toggle, [note], { author: 'person' });
      receiptOf(await deliver(makeItem(withTurns(12), { receipt })));
      const text = standIn.text(onlyPage());
      assert.ok(text.includes('NOTE between the turns') && text.includes('Earlier transcript'), text);
      assert.equal(spoken(text).length, 22);
    });

    for (const kind of ['500', 'reset', 'reset-after-write', '503-after-write'] as const) {
      it(`goes on where ${kind} stopped it in the middle, with every turn once`, async () => {
        const first = open();
        standIn.faults.inject({ kind: 'slow', ms: 0, times: 2, path: '/v1/blocks/' });
        // The page's listing and the first append are served, the second append is not.
        standIn.faults.inject({ kind, times: 1, path: '/v1/blocks/' });
        const outcome = await first.deliver(makeItem(withTurns(520)), attempt);
        if (kind === '503-after-write') assert.equal(outcome.kind, 'delivered', 'Notion says what it has saved');
        else assert.equal(outcome.kind, 'unknown', inspect(outcome));
        const receipt = saved.at(-1);
        receiptOf(await deliver(makeItem(withTurns(520), { receipt })));
        assert.deepEqual(spoken(standIn.text(onlyPage())), sequence(520));
      });
    }

    it('goes on after a crash at any moment', async () => {
      const item = makeItem(withTurns(420));
      receiptOf(await deliver(item));
      const moments = saved;
      assert.ok(moments.length > 4);
      const whole = standIn.text(onlyPage());
      for (const receipt of moments) {
        receiptOf(await deliver({ ...item, receipt }));
        assert.equal(standIn.text(onlyPage()), whole);
      }
    });

    it('is replaced once, also after a crash at any moment of that', async () => {
      const start = receiptOf(await deliver(makeItem(withTurns(130))));
      saved = [];
      const item = makeItem(withTurns(340), { receipt: start });
      receiptOf(await deliver(item));
      const whole = standIn.text(onlyPage());
      for (const receipt of saved) {
        receiptOf(await deliver({ ...item, receipt }));
        assert.equal(standIn.text(onlyPage()), whole);
      }
    });
  });

  describe('its page', () => {
    it('is taken over, when Notion says 503 after creating it', async () => {
      standIn.faults.inject({ kind: '503-after-write', times: 1, path: '/v1/pages' });
      const receipt = receiptOf(await deliver(makeItem(withTurns(130))));
      assert.equal(receipt.page, onlyPage().id);
      assert.deepEqual(spoken(standIn.text(onlyPage())), sequence(130));
    });

    it('is made anew, once it was deleted at Notion', async () => {
      const receipt = receiptOf(await deliver());
      standIn.trash(onlyPage());
      const second = receiptOf(await deliver(makeItem(makePayload(), { receipt })));
      assert.notEqual(second.page, receipt.page);
      assert.equal(onlyPage().id, second.page);
      const unknownPage = { ...second, page: '00000000-0000-4000-8000-000000000000' };
      standIn.trash(onlyPage());
      receiptOf(await deliver(makeItem(makePayload(), { receipt: unknownPage })));
      assert.equal(standIn.pages().length, 1);
    });

    it('can be retried when it was deleted while it was being written', async () => {
      receiptOf(await deliver(makeItem(withTurns(250))));
      const receipt = saved.at(-1);
      const page = onlyPage();
      const trashing: typeof fetch = (input, init) => {
        const answer = counted(input, init);
        return init?.method === 'PATCH' && String(input).includes('/pages/')
          ? answer.finally(() => standIn.trash(page))
          : answer;
      };
      const item = makeItem(withTurns(260), { receipt });
      const outcome = await deliver(item, open({}, { fetch: trashing }));
      assert.ok(outcome.kind === 'retry', inspect(outcome));
      receiptOf(await deliver(item));
      assert.deepEqual(spoken(standIn.text(onlyPage())), sequence(260));
    });
  });

  describe('place', () => {
    const address = (id: string) =>
      `https://www.notion.so/acme/Interview-library-${id.replaceAll('-', '')}?v=${'a'.repeat(32)}`;

    it('may be a database, its address, or the id of either in either option', async () => {
      const { database, dataSource } = standIn;
      const places: JsonObject[] = [
        { database },
        { database: address(database) },
        { data_source: address(database) },
        { data_source: database },
        { database: dataSource },
        { data_source: dataSource.replaceAll('-', '') },
      ];
      for (const place of places) receiptOf(await deliver(makeItem(), open(place)));
      assert.equal(standIn.pages().length, places.length);
      assert.throws(() => open({ data_source: 'my database' }), /32 hexadecimal digits/);
      assert.throws(() => openDestination(notion, { token: TOKEN }), /one of data_source and database/);
    });

    it('must be one data source', async () => {
      const { database } = standIn.addDatabase('Two sides', { Name: 'title' });
      const held = standIn.workspace.databases.get(database);
      assert.ok(held);
      const other = standIn.workspace.addDataSource(held, 'Other side', { Name: 'title' });
      const outcome = await deliver(makeItem(), open({ database }));
      assert.ok(outcome.kind === 'halt', inspect(outcome));
      assert.ok(outcome.detail.includes('Two sides') && outcome.detail.includes(other.id), outcome.detail);
    });
  });

  describe('failures', () => {
    const answering = (status: number, body: unknown, headers: Record<string, string> = {}): Partial<Context> => ({
      fetch: async (input, init) =>
        init?.method === 'POST'
          ? new Response(typeof body === 'string' ? body : JSON.stringify(body), { status, headers })
          : fetch(input, init),
    });
    const refusal = (status: number, code: string, more: JsonObject = {}) => ({
      object: 'error',
      status,
      code,
      message: 'It says "some words of a participant" and `12`.',
      ...more,
    });
    const cases: [title: string, context: () => Partial<Context>, expected: Partial<Outcome>, fix?: RegExp][] = [
      ['401', () => answering(401, refusal(401, 'unauthorized')), { kind: 'halt', reason: 'auth' }, /secret/],
      [
        '403',
        () => answering(403, refusal(403, 'restricted_resource')),
        { kind: 'halt', reason: 'forbidden' },
        /Capabilities/,
      ],
      [
        'the Free plan’s end',
        () => answering(403, refusal(403, 'restricted_resource', { additional_data: { block_limit: '1000' } })),
        { kind: 'halt', reason: 'forbidden' },
        /plan/,
      ],
      ['a proxy’s 403', () => answering(403, '<html>blocked</html>'), { kind: 'halt', reason: 'forbidden' }, /proxy/],
      [
        '404',
        () => answering(404, refusal(404, 'object_not_found')),
        { kind: 'halt', reason: 'not_found' },
        /Connections/,
      ],
      ['400', () => answering(400, refusal(400, 'validation_error')), { kind: 'reject', reason: 'invalid' }],
      [
        'a missing version',
        () => answering(400, refusal(400, 'missing_version')),
        { kind: 'halt', reason: 'invalid' },
        /api_url/,
      ],
      ['409', () => answering(409, refusal(409, 'conflict_error')), { kind: 'retry', reason: 'server' }],
      [
        '429, told in its body alone',
        () => answering(429, refusal(429, 'rate_limited', { additional_data: { retry_after: 9 } })),
        { kind: 'retry', reason: 'rate_limited', afterMs: 9000 },
      ],
      [
        'a block of the API',
        () =>
          answering(
            429,
            refusal(429, 'rate_limited', { additional_data: { rate_limit_reason: 'public_api_request_blocked' } }),
          ),
        { kind: 'halt', reason: 'forbidden' },
        /support/,
      ],
      [
        '529',
        () => answering(529, refusal(529, 'service_overload'), { 'retry-after': '4' }),
        { kind: 'retry', reason: 'rate_limited', afterMs: 4000 },
      ],
      ['502 in HTML', () => answering(502, '<html>'), { kind: 'unknown', reason: 'server' }],
      [
        '503 of a code that the SDK does not know',
        () => answering(503, refusal(503, 'database_connection_unavailable')),
        { kind: 'unknown', reason: 'server' },
      ],
      ['504', () => answering(504, refusal(504, 'gateway_timeout')), { kind: 'unknown', reason: 'server' }],
      ['HTML for an answer', () => answering(200, '<html>'), { kind: 'unknown', reason: 'server' }],
    ];
    for (const [title, context, expected, fix] of cases) {
      it(`${title}: ${expected.kind}`, async () => {
        const outcome = await deliver(makeItem(), open({}, context()));
        assert.ok(outcome.kind !== 'delivered');
        assert.deepEqual({ ...outcome, ...expected }, outcome, inspect(outcome));
        assert.doesNotMatch(outcome.detail, /participant/);
        if (fix) assert.match('fix' in outcome ? outcome.fix : '', fix);
      });
    }

    it('a database that is not shared halts', async () => {
      const { database, dataSource } = standIn.addDatabase('Private', { Name: 'title' });
      const held = standIn.workspace.databases.get(database);
      assert.ok(held);
      held.shared = false;
      const outcome = await deliver(makeItem(), open({ data_source: dataSource }));
      assert.ok(outcome.kind === 'halt' && outcome.reason === 'not_found', inspect(outcome));
      assert.match(outcome.fix, /••• → Connections/);
    });
  });

  describe('check', () => {
    const messages = async (options: JsonObject) =>
      (await open(options).check?.())?.map(({ level, message, fix }) => `${level}: ${message}. ${fix}`);

    it('names every property that is wrong', async () => {
      const found = await messages({
        properties: {
          Name: 'x',
          Nmae: 'x',
          'Created at': 'x',
          Status: 'Archived',
          Duration: 'long',
          Plan: '{{ interview.id }}',
        },
      });
      assert.equal(found?.length, 4, inspect(found));
      assert.match(found?.[0] ?? '', /no property "Nmae"/);
      assert.match(found?.[1] ?? '', /"Created at" is of type created_time/);
      assert.match(found?.[2] ?? '', /"Status" .*Not started, In review, Done.* Add the option/);
      assert.match(found?.[3] ?? '', /"Duration" \(number\)/);
    });

    it('warns where the key cannot hold an id', async () => {
      assert.match((await messages({ key: 'Nowhere' }))?.join() ?? '', /^warning: .*"Nowhere"/);
      assert.match((await messages({ key: 'Duration' }))?.join() ?? '', /^warning: .*type number/);
      assert.deepEqual(await messages({ key: 'Participant' }), []);
    });

    it('says what to click for a token, a database and its data sources', async () => {
      assert.match((await messages({ token: 'wrong' }))?.join() ?? '', /^error: 401 .*Configuration/);
      assert.match((await messages({ data_source: '0'.repeat(32) }))?.join() ?? '', /^error: 404 .*Connections/);
    });
  });

  describe('preview', () => {
    it('shows what will be sent: with its types, once the schema is known', async () => {
      const destination = open({ properties: { Name: '{{ study.title }}', Duration: '{{ interview.active_time }}' } });
      const blind = destination.preview?.(makeItem()) as { properties: JsonObject; children: JsonObject[] };
      assert.deepEqual(blind.properties, { 'Interview ID': 'int_0001', Name: 'Checkout research', Duration: 569 });
      assert.deepEqual(calls, []);
      receiptOf(await deliver(makeItem(), destination));
      const preview = destination.preview?.(makeItem()) as { properties: JsonObject; children: JsonObject[] };
      assert.deepEqual(preview.properties.Duration, { number: 569 });
      assert.deepEqual(preview.children, blind.children);
    });
  });

  describe('properties that hold for every interview', () => {
    const text = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 200 }),
      fc.string({ unit: 'binary', maxLength: 200 }),
      fc
        .tuple(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: 2000 }))
        .map(([piece, times]) => piece.repeat(times)),
    );
    const turns = fc.array(fc.record({ role: fc.constantFrom('assistant', 'user'), content: text }), {
      maxLength: 130,
    });

    it('the strict stand-in takes every request, and no word of a transcript is lost', async () => {
      const destination = open();
      const strip = (words: string) => words.replace(/[\s\p{Cc}\ufffd]/gu, '');
      const judge = async (conversation: { role: string; content: string }[], metadata: JsonObject) => {
        standIn.workspace.pages.clear();
        const payload = makePayload({
          interview: { parsed_conversation_json: conversation, transcript: null, metadata },
        });
        const item = makeItem(payload);
        receiptOf(await deliver(item, destination));
        const written = strip(standIn.text(onlyPage()));
        const said = item.view.turns.map((turn) => strip(turn.text.toWellFormed()));
        let from = 0;
        for (const words of said) {
          const at = written.indexOf(words, from);
          assert.ok(at >= 0, `lost: ${inspect(words.slice(0, 100))}`);
          from = at + words.length;
        }
      };
      const metadata = fc.dictionary(
        fc.oneof(fc.constantFrom('plan', 'status', 'tags', 'contact email'), fc.string()),
        fc.oneof(text, fc.integer(), fc.boolean(), fc.constant(null)),
        { maxKeys: 8 },
      );
      await fc.assert(fc.asyncProperty(turns, metadata, judge), { numRuns: 60 });
    });
  });
});

/** Turns whose texts tell their place: `#0`, `#1`, … */
function turnsOf(count: number): JsonObject[] {
  return Array.from({ length: count }, (_, index) => ({
    role: index % 2 === 0 ? 'assistant' : 'user',
    content: `#${index} ${'I would say that the second one was easier. '.repeat(1 + (index % 5))}`,
  }));
}

function spoken(text: string): number[] {
  return [...text.matchAll(/^(?:Interviewer|Participant)\n#(\d+) /gm)].map(([, index]) => Number(index));
}

function sequence(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
