import assert from 'node:assert/strict';
import { once } from 'node:events';
import { afterEach, beforeEach, suite, test } from 'node:test';
import Fastify, { type FastifyInstance } from 'fastify';
import { type Fault, Faults } from '../../src/sandbox/faults.ts';

suite('faults', () => {
  let app: FastifyInstance;
  let faults: Faults;
  let url: string;
  let written: unknown[];

  beforeEach(async () => {
    faults = new Faults((status, retryAfter, answer) => ({ oops: status, retryAfter, answer }));
    written = [];
    app = Fastify({ forceCloseConnections: true });
    await app.register(async (scope) => {
      faults.install(scope);
      scope.post('/service/write', async ({ body }) => {
        written.push(body);
        return { id: written.length };
      });
      scope.get('/service/read', async () => ({ written: written.length }));
    });
    app.get('/beside', async () => 'fine');
    url = await app.listen({ host: '127.0.0.1', port: 0 });
  });
  afterEach(() => app.close());

  const write = (signal?: AbortSignal) =>
    fetch(`${url}/service/write`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"a":1}',
      ...(signal && { signal }),
    });

  test('429 answers with Retry-After and the body of the service, and writes nothing', async () => {
    faults.inject({ kind: '429', times: 1, retryAfter: 7 });
    const answer = await write();
    assert.equal(answer.status, 429);
    assert.equal(answer.headers.get('retry-after'), '7');
    assert.deepEqual(await answer.json(), { oops: 429, retryAfter: 7 });
    assert.deepEqual(written, []);
  });

  test('429 says one second by default, and nothing with null', async () => {
    faults.inject({ kind: '429', times: 1 });
    faults.inject({ kind: '429', times: 1, retryAfter: null });
    assert.equal((await write()).headers.get('retry-after'), '1');
    assert.equal((await write()).headers.get('retry-after'), null);
  });

  test('500 writes nothing, counts down, and then the service is well again', async () => {
    faults.inject({ kind: '500', times: 2 });
    assert.equal((await write()).status, 500);
    assert.deepEqual(faults.list(), [{ kind: '500', times: 1 }]);
    assert.equal((await write()).status, 500);
    assert.equal((await write()).status, 200);
    assert.deepEqual(faults.list(), []);
    assert.equal(written.length, 1);
  });

  test('503-after-write writes all the same, tells the body what was written, and leaves reads alone', async () => {
    faults.inject({ kind: '503-after-write', times: 1, retryAfter: 3 });
    assert.equal((await fetch(`${url}/service/read`)).status, 200);
    const answer = await write();
    assert.equal(answer.status, 503);
    assert.equal(answer.headers.get('retry-after'), '3');
    assert.deepEqual(await answer.json(), { oops: 503, retryAfter: 3, answer: { id: 1 } });
    assert.deepEqual(written, [{ a: 1 }]);
  });

  for (const { kind, writes } of [
    { kind: 'reset', writes: 0 },
    { kind: 'reset-after-write', writes: 1 },
  ] satisfies { kind: Fault['kind']; writes: number }[]) {
    test(`${kind} breaks the connection with ${writes} writes done`, async () => {
      faults.inject({ kind, times: 1 });
      await assert.rejects(write(), /fetch failed/);
      assert.equal(written.length, writes);
      assert.equal((await write()).status, 200);
    });
  }

  test('hang answers never, and ends with the sandbox', async () => {
    faults.inject({ kind: 'hang', times: 1 });
    const met = once(faults, 'change');
    const call = assert.rejects(write(), /fetch failed/);
    await met;
    await app.close();
    await call;
    assert.deepEqual(written, []);
  });

  test('a client may leave a hanging call', async () => {
    faults.inject({ kind: 'hang', times: 1 });
    const leaving = new AbortController();
    faults.once('change', () => leaving.abort());
    await assert.rejects(write(leaving.signal), { name: 'AbortError' });
    assert.equal((await write()).status, 200);
  });

  test('slow serves the call later, and others meanwhile', async () => {
    faults.inject({ kind: 'slow', times: 1, ms: 300 });
    const met = once(faults, 'change');
    const slow = write();
    await met;
    assert.deepEqual(await (await fetch(`${url}/service/read`)).json(), { written: 0 });
    assert.deepEqual(await (await slow).json(), { id: 1 });
  });

  test('a path aims a fault, other routes are spared, and clear takes all back', async () => {
    faults.inject({ kind: '500', times: 5, path: '/read' });
    assert.equal((await write()).status, 200);
    assert.equal((await fetch(`${url}/service/read`)).status, 500);
    assert.equal((await fetch(`${url}/beside`)).status, 200);
    faults.clear();
    assert.equal((await fetch(`${url}/service/read`)).status, 200);
  });
});
