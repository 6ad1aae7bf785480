import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { Caller, isPlain } from '../../src/deliver/call.ts';
import { transportOutcome } from '../../src/outcome.ts';

const bytes = Buffer.from('{"words": "äöü"}');
const init = { method: 'PUT', redirect: 'manual', headers: { 'x-id': 'e1' }, body: bytes } as const;

async function listen(t: TestContext, server: Server & { closeAllConnections?(): void }): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections?.();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?a=1`;
}

const serve = (t: TestContext, handler: RequestListener) => listen(t, createServer(handler));

/** A caller that is cut off when the test ends, unless it says otherwise. */
function callerFor(t: TestContext, options: Partial<ConstructorParameters<typeof Caller>[0]> = {}): Caller {
  const stop = new AbortController();
  t.after(() => stop.abort());
  return new Caller({ timeout: 10_000, signal: stop.signal, mayBegin: () => true, ...options });
}

describe('a plain call', () => {
  test('is bytes with plain headers that follow no redirect', () => {
    assert.ok(isPlain(init));
    for (const other of [
      { redirect: 'follow' },
      { headers: new Headers() },
      { body: 'text' },
      { signal: new AbortController().signal },
    ] as const) {
      assert.equal(isPlain({ ...init, ...other }), false);
    }
  });

  test('sends what fetch would, and gives the answer that fetch would', async (t) => {
    const seen: object[] = [];
    const url = await serve(t, async (request, response) => {
      const body = Buffer.concat(await request.toArray()).toString();
      const { 'x-id': id, 'content-length': length, host } = request.headers;
      seen.push({ method: request.method, url: request.url, id, length, host, body });
      response.writeEarlyHints({ link: '</a>' });
      response.writeHead(302, [
        ['location', '/elsewhere'],
        ['set-cookie', 'a=1'],
        ['set-cookie', 'b=2'],
      ] as never);
      response.end('moved');
    });
    const caller = callerFor(t);
    const answers = [await caller.call(new URL(url), init), await fetch(url, init)];
    assert.deepEqual(seen[0], seen[1]);
    const told = answers.map(async (answer) => [
      answer.status,
      answer.headers.get('location'),
      answer.headers.getSetCookie(),
      await answer.text(),
    ]);
    const [own, fetched] = await Promise.all(told);
    assert.deepEqual(own, fetched);
    assert.deepEqual(own, [302, '/elsewhere', ['a=1', 'b=2'], 'moved']);
  });

  test('has no body to read where an answer has none', async (t) => {
    const url = await serve(t, (request, response) => {
      if (request.url === '/204') response.writeHead(204).end();
      else response.writeHead(200, { 'content-length': 0 }).end();
    });
    const caller = callerFor(t);
    assert.equal((await caller.call(new URL('/204', url), init)).body, null);
    assert.equal((await caller.call(new URL('/200', url), init)).body, null);
  });

  test('reads an answer that comes in parts, the first of them with the headers', async (t) => {
    const half = Buffer.alloc(40_000, 'x');
    const url = await listen(
      t,
      createTcpServer((socket) => {
        socket.once('data', () => {
          socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${3 * half.length}\r\n\r\n${half}`);
          setTimeout(() => socket.write(half), 20);
          setTimeout(() => socket.write(half), 40);
        });
        socket.on('error', () => {});
      }),
    );
    const answer = await callerFor(t).call(url, init);
    assert.equal((await answer.text()).length, 3 * half.length);
    const long = await serve(t, (_request, response) => response.end(Buffer.alloc(5_000_000)));
    assert.equal((await (await callerFor(t).call(long, init)).arrayBuffer()).byteLength, 5_000_000);
  });

  test('sends its method in capitals, as fetch does', async (t) => {
    const url = await serve(t, (request, response) => response.end(request.method));
    assert.equal(await (await callerFor(t).call(url, { ...init, method: 'put' })).text(), 'PUT');
  });

  test('uses connections again, also when the rest of a long answer is not wanted', async (t) => {
    let connections = 0;
    let aborted: Promise<unknown> | undefined;
    const server = createServer((request, response) => {
      if (request.url !== '/long') response.end('short');
      else {
        aborted = once(response, 'close');
        const more = () => {
          while (!response.destroyed && response.write(Buffer.alloc(65_536)));
        };
        response.on('drain', more);
        more();
      }
    }).on('connection', () => {
      connections += 1;
    });
    const url = await listen(t, server);
    const caller = callerFor(t);
    for (let calls = 0; calls < 20; calls += 1) await (await caller.call(url, init)).text();
    assert.ok(connections <= 2, `${connections} connections for 20 calls, one after the other`);
    const long = await caller.call(new URL('/long', url), init);
    for await (const _ of long.body ?? []) break;
    await aborted;
    assert.equal(await (await caller.call(url, init)).text(), 'short');
  });

  test('fails as fetch does: what was never sent can be told from what may have arrived', async (t) => {
    const dying = await listen(
      t,
      createTcpServer((socket) => socket.once('data', () => socket.destroy())),
    );
    const gone = createTcpServer();
    const nobody = await listen(t, gone);
    gone.close();
    const caller = callerFor(t);
    for (const [url, kind] of [
      [nobody, 'retry'],
      [dying, 'unknown'],
    ] as const) {
      for (const attempt of [() => caller.call(url, init), () => fetch(url, init)]) {
        const error = await attempt().catch((thrown: unknown) => thrown);
        assert.ok(error instanceof TypeError && error.message === 'fetch failed');
        assert.equal(transportOutcome(error)?.kind, kind);
      }
    }
  });

  test('has one timeout for its connection, its headers and its body', async (t) => {
    const closed: Promise<unknown>[] = [];
    const url = await serve(t, (request, response) => {
      if (request.url === '/body') response.writeHead(200).write('and then nothing');
      closed.push(once(response, 'close'));
    });
    const caller = callerFor(t, { timeout: 50 });
    await assert.rejects(caller.call(url, init), { name: 'TimeoutError' });
    const answer = await caller.call(new URL('/body', url), init);
    await assert.rejects(answer.text(), { name: 'TimeoutError' });
    assert.equal(closed.length, 2);
    await Promise.all(closed);
  });

  test('is cut off with the reason, while it waits for headers or a body, and none begins after', async (t) => {
    const received: [IncomingMessage, ServerResponse][] = [];
    const both = Promise.withResolvers<void>();
    const url = await serve(t, (request, response) => {
      if (request.url === '/body') response.writeHead(200).write('and then nothing');
      if (received.push([request, response]) === 2) both.resolve();
    });
    const stop = new AbortController();
    const caller = callerFor(t, { signal: stop.signal });
    const answer = await caller.call(new URL('/body', url), init);
    const reason = new Error('the relay stops');
    const cut = [answer.text(), caller.call(url, init)].map((ended) => assert.rejects(ended, reason));
    await both.promise;
    const closed = received.map(([, response]) => once(response, 'close'));
    stop.abort(reason);
    await Promise.all([...cut, assert.rejects(caller.call(url, init), reason)]);
    await Promise.all(closed);
    assert.equal(received.length, 2);
  });

  test('is cut off before anything is sent, when it has only begun', async (t) => {
    let requests = 0;
    const url = await serve(t, (_request, response) => {
      requests += 1;
      response.end();
    });
    const stop = new AbortController();
    const begun = callerFor(t, { signal: stop.signal }).call(url, init);
    const reason = new Error('the relay stops');
    stop.abort(reason);
    await assert.rejects(begun, reason);
    assert.equal((await callerFor(t).call(url, init)).status, 200);
    assert.equal(requests, 1);
  });

  test('is not sent when its lane was lost before the connection stood', async (t) => {
    let requests = 0;
    const url = await serve(t, (_request, response) => {
      requests += 1;
      response.end();
    });
    let isOurs = false;
    const caller = callerFor(t, { mayBegin: () => isOurs });
    const error = await caller.call(url, init).catch((thrown: unknown) => thrown);
    assert.equal(transportOutcome(error)?.kind, 'retry');
    isOurs = true;
    assert.equal((await caller.call(url, init)).status, 200);
    assert.equal(requests, 1);
  });

  test('goes through the proxy that Node.js is told to use', async (t) => {
    const asked: (string | undefined)[] = [];
    const proxy = await serve(t, (request, response) => {
      asked.push(request.url);
      response.writeHead(204).end();
    });
    const { origin } = new URL(proxy);
    for (const [name, value] of Object.entries({ NODE_USE_ENV_PROXY: '1', http_proxy: origin, no_proxy: '' })) {
      const before = process.env[name];
      process.env[name] = value;
      t.after(() => {
        if (before === undefined) delete process.env[name];
        else process.env[name] = before;
      });
    }
    assert.equal((await callerFor(t).call('http://endpoint.example/hook', init)).status, 204);
    assert.deepEqual(asked, ['http://endpoint.example/hook']);
  });
});
