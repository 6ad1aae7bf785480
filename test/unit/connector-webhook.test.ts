import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import Fastify, { type FastifyRequest } from 'fastify';
import { Webhook } from 'svix';
import webhook from '../../connectors/webhook.ts';
import type { Attempt, Item, JsonObject } from '../../src/connector.ts';
import { Faults } from '../../src/sandbox/faults.ts';
import { connectorContract } from '../contracts/connector.ts';
import { openDestination } from '../support/destination.ts';
import { makeItem, makePayload } from '../support/item.ts';
import { SIGNING_SECRET } from '../support/signing.ts';

const API_KEY = 'api-key-that-nobody-may-see';
const QUERY = 'query-that-nobody-may-see';
const attempt: Attempt = { number: 1, signal: new AbortController().signal, checkpoint: async () => {} };

/** An endpoint that drops repeats by `webhook-id`, as a careful receiver does. */
async function startEndpoint() {
  const requests: FastifyRequest[] = [];
  const faults = new Faults((status) => ({ error: status }));
  const app = Fastify({ forceCloseConnections: true, bodyLimit: 10_000_000 });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  faults.install(app);
  app.all('/*', (request) => {
    requests.push(request);
    return { ok: true };
  });
  const origin = await app.listen({ host: '127.0.0.1', port: 0 });
  const arrived = () => new Set(requests.map((request) => request.headers['webhook-id'])).size;
  return { requests, faults, origin, arrived, close: () => app.close() };
}

connectorContract('webhook', async () => {
  const { faults, origin, arrived, close } = await startEndpoint();
  return {
    connector: webhook,
    options: { url: `${origin}/in?key=${QUERY}`, headers: { 'x-api-key': API_KEY }, secret: SIGNING_SECRET },
    refused: { url: `http://nobody.invalid/in?key=${QUERY}` },
    secrets: [SIGNING_SECRET, API_KEY, QUERY],
    faults,
    arrived,
    close,
  };
});

async function scene(t: TestContext) {
  const endpoint = await startEndpoint();
  t.after(endpoint.close);
  const deliver = (options: JsonObject = {}, item: Item = makeItem()) =>
    openDestination(webhook, { url: `${endpoint.origin}/in`, ...options }).deliver(item, attempt);
  return { ...endpoint, deliver };
}

describe('webhook', () => {
  it('sends the bytes as they were received, signed by Standard Webhooks', async (t) => {
    const { deliver, requests } = await scene(t);
    const item = makeItem();
    const body = Buffer.from(`${item.body.toString()}  \n`);
    const outcome = await deliver({ secret: SIGNING_SECRET }, { ...item, body });
    assert.equal(outcome.kind, 'delivered');
    const [request] = requests;
    assert.deepEqual(request?.body, body);
    assert.equal(request?.headers['content-type'], 'application/json');
    const headers = request?.headers as Record<string, string>;
    new Webhook(SIGNING_SECRET).verify(request?.body as Buffer, headers);
    assert.throws(() => new Webhook(SIGNING_SECRET).verify(Buffer.from('{}'), headers));
  });

  describe('webhook-id', () => {
    interface Change {
      item?: Partial<Item>;
      identity?: Partial<Item['identity']>;
      event?: Partial<Item['event']>;
      options?: JsonObject;
      context?: { destination?: string };
      number?: number;
    }

    /** The ids under which an endpoint got items; what is left of `changes` is as it was at the first try. */
    async function idsOf(t: TestContext, changes: Change[]) {
      const { origin, requests } = await scene(t);
      for (const { item = {}, identity = {}, event = {}, options = {}, context = {}, number = 1 } of changes) {
        const first = makeItem(makePayload());
        const changed = { identity: { ...first.identity, ...identity }, event: { ...first.event, ...event }, ...item };
        const destination = openDestination(webhook, { url: `${origin}/in`, ...options }, context);
        await destination.deliver({ ...first, ...changed }, { ...attempt, number });
      }
      return requests.map((request) => request.headers['webhook-id']);
    }

    it('is the same at every try, replay and rename of one generation', async (t) => {
      const ids = await idsOf(t, [
        {},
        { number: 7 },
        { item: { receipt: { id: 'msg_before', status: 200 } } },
        { context: { destination: 'renamed' } },
        { event: { id: 'e99', receivedAt: new Date(0) } },
        { options: { body: 'A mended template', secret: SIGNING_SECRET, method: 'PUT' } },
      ]);
      assert.equal(ids.length, 6);
      // As it was ever made: endpoints remember ids from before an upgrade.
      assert.deepEqual([...new Set(ids)], ['msg__g0DaREFTfW4FFXoIqN3MCxU8Uo']);
    });

    it('is another for another event, source, generation or destination', async (t) => {
      const ids = await idsOf(t, [
        {},
        { event: { svixId: 'msg_sent_anew' } },
        { event: { source: 'versive-eu' } },
        { identity: { generation: 2 }, item: { earlier: [{ status: 200 }] } },
        { identity: { destination: 'warehouse' } },
      ]);
      assert.equal(new Set(ids).size, 5);
    });

    it('is the one that an unknown end is repeated under', async (t) => {
      const { deliver, faults, requests, arrived } = await scene(t);
      for (const kind of ['reset-after-write', '503-after-write', 'reset', '500'] as const) {
        faults.inject({ kind, times: 1 });
        const { kind: end } = await deliver();
        assert.equal(end, kind === '503-after-write' ? 'retry' : 'unknown');
      }
      assert.equal((await deliver()).kind, 'delivered');
      assert.deepEqual([requests.length, arrived()], [3, 1], 'three came, and one is left where repeats are dropped');
    });

    it('cannot be looked for', async (t) => {
      const { origin } = await scene(t);
      assert.equal(openDestination(webhook, { url: origin }).find, undefined);
    });
  });

  it('sends a body of the config: an object as JSON, a text as it is', async (t) => {
    const { deliver, requests } = await scene(t);
    const title = 'He said "no"\n<!channel>';
    const item = makeItem(makePayload({ study: { title } }));
    await deliver({ body: { study: '{{ study.title }}', list: ['{{ interview.active_time }}', true] } }, item);
    await deliver({ body: 'New: {{ interview.vid }}', method: 'PUT' }, item);
    assert.deepEqual(JSON.parse(String(requests[0]?.body)), { study: title, list: [569, true] });
    assert.equal(String(requests[1]?.body), 'New: participant-17');
    assert.equal(requests[1]?.method, 'PUT');
    assert.match(String(requests[1]?.headers['content-type']), /^text\/plain/);
  });

  it('sends the headers of the config, and the credentials in an address as a header', async (t) => {
    const { deliver, requests, origin } = await scene(t);
    const url = `${origin.replace('://', '://ann:p%40ss@')}/in`;
    await deliver({ url, headers: { 'X-Api-Key': API_KEY, 'content-type': 'application/vnd.relay+json' } });
    const headers = requests[0]?.headers;
    assert.equal(headers?.authorization, `Basic ${Buffer.from('ann:p@ss').toString('base64')}`);
    assert.equal(headers?.['x-api-key'], API_KEY);
    assert.equal(headers?.['content-type'], 'application/vnd.relay+json');
  });

  const answers: [status: number, kind: string, reason?: string][] = [
    [200, 'delivered'],
    [204, 'delivered'],
    [299, 'delivered'],
    [301, 'halt', 'invalid'],
    [307, 'halt', 'invalid'],
    [400, 'reject', 'invalid'],
    [401, 'halt', 'auth'],
    [403, 'halt', 'forbidden'],
    [404, 'halt', 'not_found'],
    [405, 'halt', 'invalid'],
    [408, 'retry', 'timeout'],
    [409, 'reject', 'invalid'],
    [410, 'reject', 'not_found'],
    [413, 'reject', 'too_large'],
    [422, 'reject', 'invalid'],
    [425, 'retry', 'server'],
    [429, 'retry', 'rate_limited'],
    [500, 'unknown', 'server'],
    [502, 'unknown', 'server'],
    [503, 'retry', 'server'],
    [507, 'retry', 'server'],
    [504, 'unknown', 'server'],
    [522, 'retry', 'server'],
    [524, 'unknown', 'server'],
  ];
  for (const [status, kind, reason] of answers) {
    it(`takes ${status} as ${kind}${reason === undefined ? '' : ` (${reason})`}`, async () => {
      const headers = { location: 'https://elsewhere.example/', 'retry-after': '3' };
      const answer = async () => new Response(status === 204 ? null : 'participant words', { status, headers });
      const destination = openDestination(webhook, { url: 'https://hook.example/in' }, { fetch: answer });
      const outcome = await destination.deliver(makeItem(), attempt);
      assert.equal(outcome.kind, kind);
      assert.equal(outcome.kind === 'delivered' ? undefined : outcome.reason, reason);
      if (outcome.kind === 'retry') assert.equal(outcome.afterMs, 3000);
      assert.ok(!JSON.stringify(outcome).includes('participant words'));
    });
  }

  it('retries when the certificate is not accepted: nothing was sent', async () => {
    for (const code of ['CERT_HAS_EXPIRED', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'ERR_TLS_CERT_ALTNAME_INVALID']) {
      const fetch = () =>
        Promise.reject(new TypeError('fetch failed', { cause: Object.assign(new Error(), { code }) }));
      const destination = openDestination(webhook, { url: 'https://hook.example/' }, { fetch });
      const outcome = await destination.deliver(makeItem(), attempt);
      assert.ok(outcome.kind === 'retry' && outcome.reason === 'network', JSON.stringify(outcome));
    }
  });

  it('does not follow a redirect', async (t) => {
    const { origin, requests } = await scene(t);
    const app = Fastify();
    t.after(() => app.close());
    app.post('/moved', (_request, reply) => reply.redirect(`${origin}/in`, 307));
    const moved = await app.listen({ host: '127.0.0.1', port: 0 });
    const outcome = await openDestination(webhook, { url: `${moved}/moved` }).deliver(makeItem(), attempt);
    assert.ok(outcome.kind === 'halt' && outcome.fix.includes('`url:`'), JSON.stringify(outcome));
    assert.equal(requests.length, 0);
  });

  it('does not read an endless answer to its end', async () => {
    let given = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        given += 16_384;
        controller.enqueue(new Uint8Array(16_384));
      },
    });
    const fetch = async () => new Response(endless);
    const outcome = await openDestination(webhook, { url: 'https://hook.example/' }, { fetch }).deliver(
      makeItem(),
      attempt,
    );
    assert.equal(outcome.kind, 'delivered');
    assert.ok(given < 200_000, String(given));
  });

  it('is delivered by its status, though the rest of the answer breaks off', async () => {
    const broken = new ReadableStream({ pull: (controller) => controller.error(new Error('cut')) });
    const fetch = async () => new Response(broken, { status: 202 });
    const outcome = await openDestination(webhook, { url: 'https://hook.example/' }, { fetch }).deliver(
      makeItem(),
      attempt,
    );
    assert.equal(outcome.kind, 'delivered');
  });

  it('refuses options that cannot work, without showing a secret', () => {
    const open = (options: JsonObject) => openDestination(webhook, { url: 'https://hook.example/', ...options });
    assert.throws(() => open({ url: 'hook.example' }), /https:/);
    assert.throws(() => open({ url: 'ftp://hook.example/' }), /https:/);
    assert.throws(
      () => open({ secret: 'hush-hush' }),
      (error: Error) => /whsec_/.test(error.message) && !/hush/.test(error.message),
    );
    assert.throws(() => open({ headers: { 'webhook-id': 'mine' } }), /set by the relay/);
    assert.throws(
      () => open({ headers: { authorization: 'Bearer hush\nhush' } }),
      (error: Error) => !/hush/.test(error.message),
    );
  });

  it('warns of an unencrypted address, unless it is near', async (t) => {
    const { origin } = await scene(t);
    assert.deepEqual(await openDestination(webhook, { url: origin }).check?.(), []);
    const findings = await openDestination(webhook, { url: 'http://nobody.invalid/' }).check?.();
    assert.match(findings?.[0]?.fix ?? '', /https:/);
    assert.match(findings?.[1]?.message ?? '', /cannot connect/);
  });
});
