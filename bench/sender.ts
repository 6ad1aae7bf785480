/**
 * Posts events over a fixed number of connections, each with the next one as soon as the last is acknowledged. It signs them
 * beforehand and writes plain sockets: what it takes of the machine would be missing in what is measured.
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { bodyOf, signed } from './events.ts';

/** Events of their own, as the bytes of whole requests to a path. The time for making them is not measured. */
export function requests(url: string, count: number): Buffer[] {
  const { host, pathname } = new URL('/webhooks/versive', url);
  return Array.from({ length: count }, () => {
    const body = bodyOf(randomUUID());
    const headers = { host, ...signed(body), 'content-length': Buffer.byteLength(body) };
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    return Buffer.from(`POST ${pathname} HTTP/1.1\r\n${lines.join('')}\r\n${body}`);
  });
}

/**
 * @returns milliseconds from the first request to the last answer
 * @throws Error when one was refused, or took for known: the figure would mean nothing
 */
export async function sendAll(url: string, connections: number, events: Buffer[]): Promise<number> {
  const { hostname, port } = new URL(url);
  const sockets = Array.from({ length: connections }, () => connect(Number(port), hostname).setNoDelay());
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  let next = 0;
  const began = performance.now();
  await Promise.all(sockets.map((socket) => exchanges(socket, () => events[next++])));
  const ms = performance.now() - began;
  for (const socket of sockets) socket.destroy();
  return ms;
}

/** Writes one request after the other, each when the last has its answer. */
function exchanges(socket: Socket, next: () => Buffer | undefined): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let answer = '';
  const write = () => {
    const request = next();
    if (request === undefined) resolve();
    else socket.write(request);
  };
  socket.once('close', () => reject(new Error('the connection was closed'))).once('error', reject);
  socket.on('data', (chunk: Buffer) => {
    answer += chunk.toString('latin1');
    const head = answer.indexOf('\r\n\r\n');
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(answer)?.[1] ?? 0);
    if (head < 0 || answer.length < head + 4 + length) return;
    const status = answer.slice(9, 12);
    answer = '';
    if (status === '202' || status === '204') write();
    else reject(new Error(`the answer was ${status}`));
  });
  write();
  return promise;
}
