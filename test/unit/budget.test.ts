import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { BodyBudget } from '../../src/receive/budget.ts';

test('room for bodies is bounded, and given back also by requests that are refused unread', async (t) => {
  const budget = new BodyBudget(100_000_000);
  let hold = false;
  const server = createServer((incoming, response) => {
    const taken = budget.take(incoming, response);
    if (!hold || !taken) response.writeHead(taken ? 413 : 503, { connection: 'close' }).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const send = () => {
    const call = request({ port, host: '127.0.0.1', method: 'POST', headers: { 'content-length': '100000000' } });
    call.on('error', () => {});
    // The body never comes.
    call.flushHeaders();
    return call;
  };
  const answer = async () => {
    const call = send();
    const [response] = (await once(call, 'response')) as [IncomingMessage];
    const closed = once(call, 'close');
    call.destroy();
    await closed;
    return response.statusCode;
  };
  for (let n = 0; n < 6; n += 1) assert.equal(await answer(), 413, `request ${n}`);
  hold = true;
  const held = [send(), send()];
  await Promise.all([once(server, 'request'), once(server, 'request')]);
  assert.equal(await answer(), 503);
  for (const call of held) call.destroy();
});
