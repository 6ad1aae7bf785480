/**
 * Webhook deliveries a second: the lanes of three destinations, with all events waiting in the store, beside three bare
 * loops of `fetch` with the same concurrency. Both send to the same sink, which answers at once; the time counts between
 * arrivals there, the first tenth left away. Each round starts its processes anew.
 *
 * Usage: npm run bench -- webhook [--rounds 5 --events 8000]
 */
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { bodyOf } from './events.ts';
import { fillStore } from './fill.ts';
import { inTurns, numbers, printTable } from './rounds.ts';
import { killAll, program, relayFolder, removeAll, SERVE, startServer } from './servers.ts';
import { startSink, webhooks } from './sinks.ts';

const { rounds, events } = numbers({ rounds: 5, events: 8000 });

const sink = await startSink();
const destinations = webhooks(sink.urls);
const folder = await relayFolder(destinations);
const deliveries = events * sink.urls.length;
const skipped = Math.floor(deliveries / 10);

/** Deliveries a second of a process that makes them all. */
async function measure(args: string[]): Promise<number> {
  const before = await sink.count();
  const server = await startServer(args, folder);
  const ms = await sink.between(before + skipped, before + deliveries);
  await killAll([server]);
  return ((deliveries - skipped) * 1000) / ms;
}

async function lanes(): Promise<number> {
  for (const ending of ['', '-wal', '-shm']) await rm(path.join(folder, `relay.db${ending}`), { force: true });
  await fillStore(folder, { events, destinations: Object.keys(destinations) });
  return measure(SERVE);
}

try {
  const figures = await inTurns(
    rounds,
    {
      'versive-relay: claimed, delivered, recorded': lanes,
      'bare loop of fetch, 32 at once': () => measure([program('fetch-loop.ts'), String(events), ...sink.urls]),
    },
    { warmUp: false },
  );
  const what = `3 destinations, ${bodyOf().length} byte bodies, ${rounds} rounds of ${deliveries}, medians`;
  printTable(`webhook deliveries a second, ${what}`, 'deliveries/s', figures);
} finally {
  await killAll([sink]);
  await removeAll([folder]);
}
