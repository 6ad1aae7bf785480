/** The sink that the relay and its comparison both deliver to, and the destinations that lead there. */
import { requests, sendAll } from './sender.ts';
import { program, type Server, startServer } from './servers.ts';

export interface Sink extends Server {
  /** One for each destination. */
  urls: string[];
  /** How many deliveries have come. */
  count(): Promise<number>;
  /** Waits for the arrival of number `to`, and gives the milliseconds since that of number `from`. */
  between(from: number, to: number): Promise<number>;
}

export async function startSink(destinations = 3): Promise<Sink> {
  const server = await startServer([program('sink.ts')]);
  const ask = async (path: string) => Number(await (await fetch(`${server.url}${path}`)).text());
  return {
    ...server,
    urls: Array.from({ length: destinations }, (_, index) => `${server.url}/hook/${index + 1}`),
    count: () => ask('/count'),
    between: (from, to) => ask(`/between?from=${from}&to=${to}`),
  };
}

/** A webhook destination for each address. Their pace, of 100 calls a second by default, is out of the way. */
export function webhooks(urls: string[], callsPerSecond = 100_000): Record<string, object> {
  const pace = { calls: callsPerSecond, per: '1s' };
  return Object.fromEntries(urls.map((url, index) => [`hook-${index + 1}`, { connector: 'webhook', url, pace }]));
}

/** Sends events to a server that delivers each of them to the sink. @returns events a second, to the last arrival */
export async function through(url: string, sink: Sink, connections: number, events: number): Promise<number> {
  const before = await sink.count();
  const made = requests(url, events);
  const began = performance.now();
  await sendAll(url, connections, made);
  await sink.between(before, before + events * sink.urls.length);
  return (events * 1000) / (performance.now() - began);
}
