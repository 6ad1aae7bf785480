import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { Pace } from '../../src/deliver/pace.ts';

const never = new AbortController().signal;

test('no more calls start within the time than the limit allows, in the order of asking', async () => {
  const pace = new Pace('token');
  pace.limit(3, 200);
  const order: number[] = [];
  const ask = async (n: number) => {
    await pace.turn(never);
    order.push(n);
  };
  const began = performance.now();
  await Promise.all(Array.from({ length: 10 }, (_, n) => ask(n)));
  assert.deepEqual(order, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  // The tenth may begin three times 200 ms after the first, whatever the machine is doing; only a broken limit is earlier.
  assert.ok(performance.now() - began >= 600);
});

test('a wall clock that is set back holds nothing up', async (t) => {
  const pace = new Pace('token');
  pace.limit(1, 50);
  await pace.turn(never);
  t.mock.method(Date, 'now', () => 0);
  await pace.turn(never);
});

test('who gives up waiting leaves the line to the others', async () => {
  const pace = new Pace('token');
  pace.limit(1, 100);
  await pace.turn(never);
  const impatient = new AbortController();
  const first = pace.turn(impatient.signal);
  const second = pace.turn(never);
  impatient.abort();
  await assert.rejects(first);
  await second;
});

test('who waits behind others leaves at once, and a limit that is raised wakes those who wait', async () => {
  const pace = new Pace('token');
  pace.limit(1, 3_600_000);
  await pace.turn(never);
  const first = pace.turn(never);
  const impatient = new AbortController();
  const second = pace.turn(impatient.signal);
  impatient.abort();
  await assert.rejects(second);
  pace.limit(1_000, 1);
  await first;
});

test("during a service's Retry-After the call is answered 429 here, with the rest of the time, and not made", async (t) => {
  let calls = 0;
  const server = createServer((_request, response) => {
    calls += 1;
    response.end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const pace = new Pace('token');
  const fetchAtPace = pace.fetch(1_000, never);
  assert.equal((await fetchAtPace(url)).status, 200);
  pace.pause(30_000);
  pace.pause(1_000);
  const refused = await fetchAtPace(url);
  assert.equal(refused.status, 429);
  const seconds = Number(refused.headers.get('retry-after'));
  assert.ok(seconds > 1 && seconds <= 30, 'a shorter pause does not undo a longer one');
  assert.equal(calls, 1);
});

test('a Retry-After is kept whatever the caller makes of the answer, and no wall clock shortens it', async (t) => {
  const answers: [number, Record<string, string>][] = [
    [503, { 'retry-after': '20' }],
    [200, { 'retry-after': '20' }],
    [429, {}],
  ];
  const server = createServer((_request, response) => response.writeHead(...(answers.pop() ?? [500, {}])).end());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const kept: [string, number][] = [];
  const pace = new Pace('token', async (key, ms) => {
    kept.push([key, ms]);
  });
  const fetchAtPace = pace.fetch(1_000, never);
  const status = async () => (await fetchAtPace(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)).status;
  assert.deepEqual([await status(), await status()], [429, 200], 'neither asks to wait so long');
  assert.deepEqual(kept, []);
  assert.equal(await status(), 503);
  assert.deepEqual(kept, [['token', 20_000]]);
  const now = Date.now();
  t.mock.method(Date, 'now', () => now + 3_600_000);
  assert.equal(await status(), 429, 'answered here');
  assert.ok(pace.pausedFor > 15_000);
});

test('each call has its own timeout, the answer it waits for among it', async (t) => {
  const server = createServer((_request, response) => {
    response.writeHead(200);
    response.write('and then nothing');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const response = await new Pace('token').fetch(100, never)(url);
  await assert.rejects(response.text(), { name: 'TimeoutError' });
});
