/**
 * What a store takes to accept an event with three deliveries, and to claim one, each by itself and synced: prints the
 * medians in milliseconds.
 *
 * Usage: node bench/store-times.ts FILE DESTINATION …
 */
import { randomUUID } from 'node:crypto';
import { openStore } from '../src/store/open.ts';
import { bodyOf } from './events.ts';
import { median } from './rounds.ts';

const TIMES = 300;
const [file = '', ...destinations] = process.argv.slice(2);
const [destination = ''] = destinations;
const store = await openStore(file);

async function timed<T>(work: () => Promise<T>): Promise<{ ms: number; result: T }> {
  const began = performance.now();
  const result = await work();
  return { ms: performance.now() - began, result };
}

const accepts: number[] = [];
const claims: number[] = [];
for (let n = 0; n < TIMES; n += 1) {
  const id = randomUUID();
  const event = {
    source: 'versive',
    svixId: id,
    eventType: 'interview.completed',
    subject: id,
    study: 'study_1',
    state: 'routed' as const,
    receivedAt: Date.now(),
    routes: ['everything'],
    destinations,
    body: Buffer.from(bodyOf(id)),
  };
  accepts.push((await timed(() => store.accept(event))).ms);
  const request = { destination, target: 'bench', standsAlone: true, now: Date.now(), limit: 1, except: [] };
  const { ms, result } = await timed(() => store.claim(request));
  claims.push(ms);
  const [claim] = result;
  if (!claim) throw new Error('nothing was due: the figure would mean nothing');
  await store.record(claim.token, 'bench', { state: 'delivered', receipt: {} });
}
await store.close();
console.log(JSON.stringify({ accept: median(accepts), claim: median(claims) }));
