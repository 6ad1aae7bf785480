/**
 * Acknowledged events a second: the relay, which verifies, routes and syncs each event to disk, beside bare Fastify with
 * svix' verify and no store. Both are their own processes; the rounds take turns, and the medians count.
 *
 * Usage: npm run bench [-- --rounds 5 --seconds 4 --connections 32]
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHmac, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import autocannon from 'autocannon';
import { sampleInterview } from '../src/sandbox/samples.ts';

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
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

async function startServer(args: string[], folder: string): Promise<{ url: string; child: ChildProcess }> {
  const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
  const url = Promise.withResolvers<string>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    const found: unknown = line.startsWith('{') && JSON.parse(line).url;
    if (typeof found === 'string') url.resolve(found);
  });
  child.once('exit', () => url.reject(new Error(`${args.join(' ')} did not start`)));
  return { url: await url.promise, child };
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

const median = (figures: number[]) => figures.toSorted((a, b) => a - b)[Math.floor(figures.length / 2)] ?? 0;

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
  for (const { child } of Object.values(servers)) {
    child.removeAllListeners('exit');
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  await rm(folder, { recursive: true, force: true });
}
