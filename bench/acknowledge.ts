/**
 * Acknowledged events a second: the relay, which verifies, routes and syncs each event to disk, beside bare Fastify with
 * svix' verify and no store. Both are their own processes; the rounds take turns, and the medians count.
 *
 * Usage: npm run bench [-- --rounds 5 --seconds 4 --connections 32]
 */
import { createHmac, randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import autocannon from 'autocannon';
import { sampleInterview } from '../src/sandbox/samples.ts';
import { killAll, median, SECRET, startServer } from './servers.ts';

const KEY = Buffer.from(SECRET.slice('whsec_'.length), 'base64');
const BYTES = 25_000;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '4' },
    connections: { type: 'string', default: '32' },
  },
});
const [rounds, seconds, connections] = [Number(values.rounds), Number(values.seconds), Number(values.connections)];

/** Three destinations that hold what they get, so that receiving alone is measured. */
const CONFIG = `server: { host: 127.0.0.1, port: 0 }
store: ./relay.db
sources:
  versive: { secret: ${SECRET} }
destinations:
  one: { connector: file, path: ./one.jsonl, enabled: false }
  two: { connector: file, path: ./two.jsonl, enabled: false }
  three: { connector: file, path: ./three.jsonl, enabled: false }
routes:
  - { name: everything, to: [one, two] }
  - { name: real ones, when: { interview.is_mock: false }, to: three }
`;

/** A realistic interview, its transcript lengthened until the body has 25 KB. */
function body25KB(): string {
  const payload = sampleInterview(0);
  const interview = { ...payload.interview, transcript: '', is_mock: false };
  const short = JSON.stringify({ ...payload, interview }).length;
  const words = 'And then I looked at the pricing page again, and could not find what I was looking for. ';
  const transcript = words.repeat(Math.ceil(BYTES / words.length)).slice(0, Math.max(0, BYTES - short));
  return JSON.stringify({ ...payload, interview: { ...interview, transcript } });
}

async function measure(url: string, body: string): Promise<number> {
  const result = await autocannon({
    url: `${url}/webhooks/versive`,
    connections,
    duration: seconds,
    requests: [
      {
        method: 'POST',
        setupRequest: (request) => {
          const id = `msg_${randomUUID()}`;
          const timestamp = String(Math.floor(Date.now() / 1000));
          const signature = createHmac('sha256', KEY).update(`${id}.${timestamp}.${body}`).digest('base64');
          const headers = {
            'content-type': 'application/json',
            'svix-id': id,
            'svix-timestamp': timestamp,
            'svix-signature': `v1,${signature}`,
          };
          return { ...request, headers, body };
        },
      },
    ],
  });
  if (result.non2xx > 0 || result.errors > 0) {
    throw new Error(`${url}: ${result.non2xx} refusals and ${result.errors} errors: the figure would mean nothing`);
  }
  return result['2xx'] / result.duration;
}

const folder = await mkdtemp(path.join(tmpdir(), 'relay-bench-'));
await writeFile(path.join(folder, 'config.yaml'), CONFIG);
const root = path.resolve(import.meta.dirname, '..');
const servers = {
  'versive-relay (verified, routed to 3, synced to disk)': await startServer(
    [path.join(root, 'src/main.ts'), 'serve'],
    folder,
  ),
  'bare Fastify + svix verify (nothing stored)': await startServer([path.join(root, 'bench/bare.ts'), SECRET], folder),
};
try {
  const body = body25KB();
  const figures = new Map<string, number[]>(Object.keys(servers).map((name) => [name, []]));
  for (const { url } of Object.values(servers)) await measure(url, body);
  for (let round = 1; round <= rounds; round += 1) {
    for (const [name, { url }] of Object.entries(servers)) {
      process.stderr.write(`round ${round} of ${rounds}: ${name}\n`);
      figures.get(name)?.push(await measure(url, body));
    }
  }
  const medians = new Map([...figures].map(([name, each]) => [name, median(each)]));
  const bare = [...medians.values()].at(-1) ?? 1;
  console.log(
    `acknowledged events/s, ${body.length} byte bodies, ${connections} connections, ${rounds} rounds of ${seconds} s, medians`,
  );
  console.table(
    [...medians].map(([server, figure]) => ({
      server,
      'events/s': Math.round(figure),
      ratio: Number((figure / bare).toFixed(2)),
      rounds: figures.get(server)?.map(Math.round).join(' '),
    })),
  );
} finally {
  await killAll(Object.values(servers));
  await rm(folder, { recursive: true, force: true });
}
