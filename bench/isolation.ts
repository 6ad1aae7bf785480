/**
 * What a dead destination costs another one: milliseconds from the posting of an event to its arrival at a healthy
 * endpoint, once with that endpoint alone in the routes and once beside one that never answers. Both relays run at once
 * and take turns; the medians count.
 *
 * Usage: npm run bench:isolation [-- --rounds 9 --events 200]
 */
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { sampleInterview } from '../src/sandbox/samples.ts';
import { killAll, median, SECRET, startServer } from './servers.ts';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '9' }, events: { type: 'string', default: '200' } },
});
const [rounds, events] = [Number(values.rounds), Number(values.events)];
const KEY = Buffer.from(SECRET.slice('whsec_'.length), 'base64');

/** Resolves with the time at which an interview arrives at the healthy endpoint. */
const arrivals = new Map<string, (time: number) => void>();
const sink = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    // The dead one takes the request, and never answers.
    if (request.url === '/dead') return;
    arrivals.get(JSON.parse(Buffer.concat(chunks).toString()).interview.id)?.(performance.now());
    response.writeHead(204).end();
  });
});
sink.listen(0, '127.0.0.1');
await once(sink, 'listening');
const sinkUrl = `http://127.0.0.1:${(sink.address() as AddressInfo).port}`;

const configOf = (to: string) => `server: { host: 127.0.0.1, port: 0 }
store: ./relay.db
sources:
  versive: { secret: ${SECRET} }
destinations:
  healthy: { connector: webhook, url: "${sinkUrl}/healthy" }
  dead: { connector: webhook, url: "${sinkUrl}/dead" }
routes:
  - { name: all, to: ${to} }
`;

async function start(to: string) {
  const folder = await mkdtemp(path.join(tmpdir(), 'relay-bench-'));
  await writeFile(path.join(folder, 'config.yaml'), configOf(to));
  return { ...(await startServer([path.resolve(import.meta.dirname, '../src/main.ts'), 'serve'], folder)), folder };
}

let posted = 0;

/** Milliseconds from the posting of one event to its arrival. */
async function deliver(url: string): Promise<number> {
  posted += 1;
  const sample = sampleInterview(posted);
  const interview = { ...sample.interview, id: `int_${posted}` };
  const body = JSON.stringify({ ...sample, interview });
  const arrival = new Promise<number>((resolve) => arrivals.set(interview.id, resolve));
  const id = `msg_${posted}`;
  const timestamp = String(Math.floor(Date.now() / 1000));
  const signature = createHmac('sha256', KEY).update(`${id}.${timestamp}.${body}`).digest('base64');
  const began = performance.now();
  const response = await fetch(`${url}/webhooks/versive`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'svix-id': id,
      'svix-timestamp': timestamp,
      'svix-signature': `v1,${signature}`,
    },
    body,
  });
  if (response.status !== 202) throw new Error(`the relay answered ${response.status}`);
  const arrived = await arrival;
  arrivals.delete(interview.id);
  return arrived - began;
}

const relays = { 'the healthy one alone': await start('healthy'), 'beside a dead one': await start('[healthy, dead]') };
try {
  const figures = new Map<string, number[]>(Object.keys(relays).map((name) => [name, []]));
  for (let round = 0; round <= rounds; round += 1) {
    for (const [name, { url }] of Object.entries(relays)) {
      const each: number[] = [];
      for (let n = 0; n < events; n += 1) each.push(await deliver(url));
      // The first round warms up.
      if (round > 0) figures.get(name)?.push(median(each));
      process.stderr.write(`round ${round} of ${rounds}: ${name}\n`);
    }
  }
  const [alone = 1] = [...figures.values()].map(median);
  console.log(`ms from posting to arrival, ${events} events one after the other, ${rounds} rounds, medians`);
  console.table(
    [...figures].map(([routes, each]) => ({
      routes,
      ms: Number(median(each).toFixed(2)),
      ratio: Number((median(each) / alone).toFixed(3)),
      rounds: each.map((figure) => figure.toFixed(2)).join(' '),
    })),
  );
} finally {
  await killAll(Object.values(relays));
  for (const { folder } of Object.values(relays)) await rm(folder, { recursive: true, force: true });
  sink.closeAllConnections();
  sink.close();
}
