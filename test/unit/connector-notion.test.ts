import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import notion from '../../connectors/notion.ts';
import type { Context, JsonObject } from '../../src/connector.ts';
import type { Outcome } from '../../src/outcome.ts';
import { connectorContract } from '../contracts/connector.ts';
import { openDestination } from '../support/destination.ts';
import { makeItem } from '../support/item.ts';
import { notionScene, startNotion, TOKEN } from '../support/notion.ts';

connectorContract('notion', async () => {
  const { standIn, app, url } = await startNotion();
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

describe('notion: the destination', () => {
  const { standIn, calls, open, deliver, receiptOf } = notionScene();

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
      assert.throws(
        () => openDestination(notion, { token: TOKEN }),
        /one of `data_source` and `database`, found neither/,
      );
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
      [
        '503 that advises against repeating, and names nothing that was saved',
        () =>
          answering(
            503,
            refusal(503, 'service_unavailable', { additional_data: { retry_guidance: ['Do not repeat the write.'] } }),
          ),
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
      assert.match(found?.[0] ?? '', /no property "Nmae". Write it as Notion does, "Name"/);
      assert.match(found?.[1] ?? '', /"Created at" is of type created_time/);
      assert.match(found?.[2] ?? '', /"Status" .*Not started, In review, Done.* Add the option/);
      assert.match(found?.[3] ?? '', /"Duration" \(number\)/);
    });

    it('holds what templates give for an interview against the types of the properties', async () => {
      const properties = {
        Name: '{{ study.title }}',
        Duration: '{{ interview.active_time | duration }}',
        Participant: '{{ interview.active_time | duration }}',
        Plan: '{{ interview.metadata.nothing }}',
      };
      const destination = open({ properties });
      assert.deepEqual(await destination.check?.(), [], 'without one nothing can be told');
      const found = (await destination.check?.(makeItem())) ?? [];
      assert.deepEqual(
        found.map(({ level }) => level),
        ['warning'],
        inspect(found),
      );
      assert.match(found[0]?.message ?? '', /"Duration" \(number\) cannot take a text that is no number/);
      assert.match(found[0]?.fix ?? '', /Change the template of "Duration" under `properties:`/);
    });

    it('warns where the key cannot hold an id', async () => {
      assert.match((await messages({ key: 'Nowhere' }))?.join() ?? '', /^warning: .*"Nowhere"/);
      assert.match((await messages({ key: 'Duration' }))?.join() ?? '', /^warning: .*type number/);
      assert.match((await messages({ key: 'Recording' }))?.join() ?? '', /^warning: .*type url/);
      assert.deepEqual(await messages({ key: 'Participant' }), []);
    });

    it('warns where the value of the key does not tell interviews apart', async () => {
      const keyed = (template: string) => messages({ key: 'Recording', properties: { Recording: template } });
      assert.match((await keyed('https://a.b/{{ study.id }}'))?.join() ?? '', /^warning: .*does not hold .*recognised/);
      assert.deepEqual(await keyed('https://a.b/{{ interview.id }}'), []);
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
});
