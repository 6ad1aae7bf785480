/**
 * A webhook receiver that answers 204 at once, and notes when. `GET /count` says how many came; `GET /between?from=A&to=B`
 * waits for the arrival of number B, and gives the milliseconds since that of number A.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const times: number[] = [];
const waiting = new Set<() => void>();

const server = createServer((request, response) => {
  if (request.method !== 'GET') {
    request.resume().once('end', () => {
      response.writeHead(204).end();
      times.push(performance.now());
      for (const look of waiting) look();
    });
    return;
  }
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://sink');
  if (pathname === '/count') {
    response.end(String(times.length));
    return;
  }
  const [from = 0, to = 0] = ['from', 'to'].map((name) => Number(searchParams.get(name)));
  const look = () => {
    if (times.length < to) return;
    waiting.delete(look);
    response.end(String((times[to - 1] ?? 0) - (times[from - 1] ?? 0)));
  };
  waiting.add(look);
  look();
});
server.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }));
});
