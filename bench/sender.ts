/**
 * Posts events: each as soon as its connection has the answer to the last one, or all at even times. They are signed
 * beforehand, and go over plain sockets: what that takes of the machine would be missing in what is measured.
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
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
  const open = await connectionsTo(url, connections);
  let next = 0;
  const began = performance.now();
  await Promise.all(
    open.map(async (connection) => {
      for (let event = events[next++]; event; event = events[next++]) await connection.exchange(event);
    }),
  );
  const ms = performance.now() - began;
  for (const connection of open) connection.close();
  return ms;
}

/** An answer, in milliseconds. */
interface Answered {
  /** Since it was sent … */
  sent: number;
  /** … and since it should have been: this process may have been late itself. */
  due: number;
}

/**
 * Sends at even times, whether or not the last one was answered, over 32 connections, or more when they are all in use.
 *
 * @param rate events a second
 * @throws Error when one was refused, or took for known
 */
export async function sendEvenly(url: string, rate: number, events: Buffer[]): Promise<Answered[]> {
  const all = await connectionsTo(url, 32);
  const free = [...all];
  const more = async () => {
    const connection = await Connection.to(url);
    all.push(connection);
    return connection;
  };
  const send = async (event: Buffer, due: number): Promise<Answered> => {
    const connection = free.pop() ?? (await more());
    const sent = performance.now();
    await connection.exchange(event);
    const now = performance.now();
    free.push(connection);
    return { sent: now - sent, due: now - due };
  };
  const began = performance.now();
  const sent: Promise<Answered>[] = [];
  for (const [n, event] of events.entries()) {
    const due = began + (n * 1000) / rate;
    const wait = due - performance.now();
    if (wait > 0) await sleep(wait);
    const answered = send(event, due);
    // One that fails meanwhile is told below.
    answered.catch(() => {});
    sent.push(answered);
  }
  try {
    return await Promise.all(sent);
  } finally {
    for (const connection of all) connection.close();
  }
}

function connectionsTo(url: string, count: number): Promise<Connection[]> {
  return Promise.all(Array.from({ length: count }, () => Connection.to(url)));
}

/** One request at a time. */
class Connection {
  readonly #socket: Socket;
  #answer = '';
  #answered: PromiseWithResolvers<void> | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    const fail = (error: Error) => this.#answered?.reject(error);
    socket.once('close', () => fail(new Error('the connection was closed'))).once('error', fail);
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
  }

  static async to(url: string): Promise<Connection> {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname).setNoDelay();
    await once(socket, 'connect');
    return new Connection(socket);
  }

  exchange(request: Buffer): Promise<void> {
    if (this.#socket.destroyed) return Promise.reject(new Error('the connection was closed'));
    this.#answered = Promise.withResolvers();
    this.#socket.write(request);
    return this.#answered.promise;
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    this.#answer += chunk.toString('latin1');
    const head = this.#answer.indexOf('\r\n\r\n');
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(this.#answer)?.[1] ?? 0);
    if (head < 0 || this.#answer.length < head + 4 + length) return;
    const status = this.#answer.slice(9, 12);
    this.#answer = '';
    if (status === '202' || status === '204') this.#answered?.resolve();
    else this.#answered?.reject(new Error(`the answer was ${status}`));
  }
}
