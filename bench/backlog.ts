/**
 * What a large store costs: how long it takes to accept an event and to claim a delivery with 1,000,000 deliveries waiting,
 * and with as many delivered before, beside an empty store; and how much memory `serve` has resident when it has taken 500 events more and delivers.
 *
 * Usage: npm run bench -- backlog [--rounds 5 --pending 1000000]
 */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fillStore } from './fill.ts';
import { median, numbers, short } from './rounds.ts';
import { requests, sendAll } from './sender.ts';
import { killAll, program, relayFolder, removeAll, residentMB, SERVE, startServer } from './servers.ts';
import { startSink, webhooks } from './sinks.ts';

const { rounds, pending } = numbers({ rounds: 5, pending: 1_000_000 });
/** Events that a relay takes before its memory is looked at, and milliseconds that it then delivers. */
const EVENTS = 500;
const DELIVERING = 3_000;

const sink = await startSink();
/** As slow as 500 events can keep it busy: the full store must not be seen working harder than the empty one. */
const destinations = webhooks(sink.urls, 400);
const names = Object.keys(destinations);
const folders: string[] = [];

async function folderWith(deliveries: number, delivered = false): Promise<string> {
  const folder = await relayFolder(destinations);
  folders.push(folder);
  const events = Math.ceil(deliveries / names.length);
  if (events > 0) await fillStore(folder, { events, destinations: names, delivered });
  return folder;
}

/** Milliseconds to accept and to claim, measured in a process of its own. */
function times(folder: string): { accept: number; claim: number } {
  const args = [program('store-times.ts'), path.join(folder, 'relay.db'), ...names];
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

/** The most megabytes that `serve` was seen to have. */
async function memory(folder: string): Promise<number> {
  const server = await startServer(SERVE, folder);
  try {
    await sendAll(server.url, 32, requests(server.url, EVENTS));
    let most = residentMB(server);
    for (const until = performance.now() + DELIVERING; performance.now() < until; await sleep(100)) {
      most = Math.max(most, residentMB(server));
    }
    return most;
  } finally {
    await killAll([server]);
  }
}

try {
  process.stderr.write('filling the stores\n');
  const full = [await folderWith(pending), await folderWith(pending, true)];
  const figures = [`${pending} deliveries waiting`, `${pending} delivered before`, 'empty'].map((store) => ({
    store,
    accept: [] as number[],
    claim: [] as number[],
    memory: [] as number[],
  }));
  for (let round = 0; round <= rounds; round += 1) {
    process.stderr.write(`round ${round} of ${rounds}\n`);
    for (const [index, folder] of [...full, await folderWith(0)].entries()) {
      const { accept, claim } = times(folder);
      const most = await memory(folder);
      // The first round warms up.
      if (round === 0) continue;
      figures[index]?.accept.push(accept);
      figures[index]?.claim.push(claim);
      figures[index]?.memory.push(most);
    }
  }
  console.log(`one accept with three deliveries, one claim, and memory while delivering, ${rounds} rounds, medians`);
  console.table(
    figures.map((each) => ({
      store: each.store,
      'accept, ms': short(median(each.accept)),
      'claim, ms': short(median(each.claim)),
      'resident, MB': short(median(each.memory)),
    })),
  );
} finally {
  await killAll([sink]);
  await removeAll(folders);
}
