import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, before, test } from 'node:test';
import { makePayload } from '../support/item.ts';
import { configText, holdStore, interview, post, type RunningRelay, startRelay } from '../support/relay.ts';
import { signatureOf } from '../support/signing.ts';

let relay: RunningRelay;

before(async () => {
  relay = await startRelay(
    configText(`destinations:
  lines: { connector: file, path: ./lines.jsonl }
routes:
  - { name: enterprise, when: { interview.metadata.plan: enterprise }, to: lines }
`).replace(
      'port: 0',
      'port: 0, body_limit: 100KB, public_url: "https://example.org/relay", metrics: { token: scrape-me }',
    ),
    // What cannot be committed is refused soon, not after five seconds.
    { storeOptions: { lockWait: 200 } },
  );
});
after(() => relay.stop());

async function send(headers: Record<string, string>, body: string, url = `${relay.url}/webhooks/versive`) {
  const response = await fetch(url, { method: 'POST', headers, body });
  return { status: response.status, body: await response.json(), headers: response.headers };
}

const good = () => JSON.stringify(interview('int_1', { plan: 'enterprise' }));

test('a signed event is accepted once, and its repeat is a duplicate', async () => {
  const first = await post(relay, good(), 'msg_once');
  assert.equal(first.status, 202);
  assert.equal(first.body.deliveries, 1);
  const again = await post(relay, good(), 'msg_once');
  assert.equal(again.status, 200);
  assert.equal(again.body.event, first.body.event);
  const [line] = relay.log.all.filter(({ step, svix_id }) => step === 'event.accepted' && svix_id === 'msg_once');
  assert.deepEqual(line?.routes, ['enterprise']);
});

test('concurrent repeats make one event', async () => {
  const answers = await Promise.all(Array.from({ length: 20 }, () => post(relay, good(), 'msg_storm')));
  assert.equal(answers.filter(({ status }) => status === 202).length, 1);
  assert.equal(new Set(answers.map(({ body }) => body.event)).size, 1);
});

test('each refusal has its status and one fixed body', async () => {
  const body = good();
  const signed = signatureOf(body, 'msg_refused');
  const forged = { error: 'the signature does not verify' };
  assert.deepEqual((await send(signed, body, `${relay.url}/webhooks/nobody`)).status, 404);
  assert.deepEqual((await send({ ...signed, 'content-type': 'text/plain' }, body)).status, 415);
  const cases: Record<string, [Record<string, string>, string]> = {
    'no headers': [{ 'content-type': 'application/json' }, body],
    'another body': [signed, body.replace('enterprise', 'enterprisf')],
    'another secret': [signatureOf(body, 'msg_refused', new Date(), 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD'), body],
    stale: [signatureOf(body, 'msg_refused', new Date(Date.now() - 301_000)), body],
    'from the future': [signatureOf(body, 'msg_refused', new Date(Date.now() + 310_000)), body],
    'no body': [signed, ''],
  };
  for (const [name, [headers, bytes]] of Object.entries(cases)) {
    const answer = await send(headers, bytes);
    assert.equal(answer.status, 401, name);
    assert.deepEqual(answer.body, forged, name);
  }
  const large = JSON.stringify({ ...makePayload(), extra: 'x'.repeat(100_001) });
  const answer = await send(signatureOf(large, 'msg_large'), large);
  assert.equal(answer.status, 413);
});

test('headers that cannot verify are judged before the body has come', async () => {
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const call = request(`${relay.url}/webhooks/versive`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': '90000' },
    });
    call.on('response', (response) => {
      resolve(response.statusCode);
      call.destroy();
    });
    call.on('error', reject);
    // The body never comes.
    call.flushHeaders();
  });
  assert.equal(status, 401);
});

test('webhook-* headers and a path prefix are taken too', async () => {
  const body = good();
  const headers = Object.fromEntries(
    Object.entries(signatureOf(body, 'msg_renamed')).map(([name, value]) => [name.replace('svix-', 'webhook-'), value]),
  );
  assert.equal((await send(headers, body, `${relay.url}/relay/webhooks/versive`)).status, 202);
});

test('what Versive does not document is kept as quarantined, and acknowledged', async () => {
  const odd: [string, RegExp][] = [
    ['not json', /not JSON/],
    ['[]', /body/],
    ['null', /body/],
    [JSON.stringify({ ...makePayload(), event_type: 'interview.started' }), /event_type/],
    [JSON.stringify({ ...makePayload(), interview: { vid: 'x' } }), /interview\.id/],
    [JSON.stringify({ ...makePayload(), study: null }), /study/],
  ];
  for (const [body, reason] of odd) {
    const answer = await post(relay, body);
    assert.equal(answer.status, 202, body);
    const event = await relay.app.store.event(answer.body.event ?? '');
    assert.equal(event?.state, 'quarantined');
    assert.match(event?.reason ?? '', reason);
    assert.equal(event?.body.toString(), body);
  }
});

test('what no route takes is kept as unrouted, byte for byte', async () => {
  const body = `{"event_type":"interview.completed",  "interview":{"id":"int_9","__proto__":{"a":1},"n":1e400},"study":{"id":"s"}}`;
  const answer = await post(relay, body);
  assert.equal(answer.body.deliveries, 0);
  const event = await relay.app.store.event(answer.body.event ?? '');
  assert.equal(event?.state, 'unrouted');
  assert.equal(event?.body.toString(), body);
});

test('while the store cannot commit the answer is 503 with Retry-After, and the retry is taken', async () => {
  const letGo = await holdStore(relay);
  const refused = await send(signatureOf(good(), 'msg_busy'), good());
  assert.equal(refused.status, 503);
  assert.ok(Number(refused.headers.get('retry-after')) > 0);
  assert.equal((await fetch(`${relay.url}/readyz`)).status, 503);
  await letGo();
  assert.equal((await post(relay, good(), 'msg_busy')).status, 202);
  assert.equal((await fetch(`${relay.url}/readyz`)).status, 200);
});

test('probes and metrics answer, metrics only with the token', async () => {
  assert.equal((await fetch(`${relay.url}/healthz`)).status, 200);
  assert.equal((await fetch(`${relay.url}/metrics`)).status, 401);
  const response = await fetch(`${relay.url}/metrics`, { headers: { authorization: 'Bearer scrape-me' } });
  const text = await response.text();
  for (const name of [
    'relay_events_total{source="versive",state="routed"}',
    'relay_requests_refused_total{status="401"}',
    'relay_deliveries_total{destination="lines",outcome="delivered",reason=""}',
    'relay_attempt_duration_seconds_count{destination="lines"}',
    'relay_config_last_reload_successful 1',
    '# TYPE relay_queue_depth gauge',
    '# TYPE relay_oldest_pending_seconds gauge',
  ]) {
    assert.ok(text.includes(name), name);
  }
});
