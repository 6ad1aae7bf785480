/**
 * How long an acknowledgement takes while the relay also delivers, at half of the load that it sustains: events come at even
 * times, whether or not the last one was acknowledged. Beside it the bare handler under the same load, and a bare commit of
 * a row of that size, synced to the same disk.
 *
 * Usage: npm run bench -- latency [--rounds 5 --seconds 4]
 */
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { packBody } from '../src/store/packing.ts';
import { bodyOf } from './events.ts';
import { median, numbers, percentile, short } from './rounds.ts';
import { requests, sendEvenly } from './sender.ts';
import { killAll, program, relayFolder, removeAll, SECRET, SERVE, startServer } from './servers.ts';
import { startSink, through, webhooks } from './sinks.ts';

const { rounds, seconds } = numbers({ rounds: 5, seconds: 4 });

const sink = await startSink();
const folder = await relayFolder(webhooks(sink.urls));
const relay = await startServer(SERVE, folder);
const bare = await startServer([program('bare.ts'), SECRET]);

/** Events a second that are received, stored and delivered, as `end-to-end` measures it. */
const sustained = () => through(relay.url, sink, 32, 3000);

/** Milliseconds of each acknowledgement. */
const acknowledgements = (url: string, rate: number) => sendEvenly(url, rate, requests(url, rate * seconds));

/** The same while the relay delivers; ends when all has arrived. */
async function whileDelivering(rate: number): Promise<{ sent: number; due: number }[]> {
  const before = await sink.count();
  const times = await acknowledgements(relay.url, rate);
  await sink.between(before, before + times.length * sink.urls.length);
  return times;
}

const database = new DatabaseSync(path.join(folder, 'bare.db'));
database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE body (zstd BLOB NOT NULL)');
const insert = database.prepare('INSERT INTO body VALUES (?)');

/** Milliseconds of each commit, one after the other. */
async function commits(): Promise<{ sent: number; due: number }[]> {
  const times: { sent: number; due: number }[] = [];
  for (let n = 0; n < 200; n += 1) {
    const packed = packBody(Buffer.from(bodyOf()));
    const began = performance.now();
    insert.run(packed);
    const ms = performance.now() - began;
    times.push({ sent: ms, due: ms });
    await sleep(1);
  }
  return times;
}

try {
  await sustained();
  const full = median([await sustained(), await sustained(), await sustained()]);
  const rate = Math.max(1, Math.round(full / 2));
  const runs = {
    'versive-relay, delivering to 3': () => whileDelivering(rate),
    "Fastify, svix' verify, nothing stored": () => acknowledgements(bare.url, rate),
    'bare commit, synced, one at a time': commits,
  };
  const figures = Object.keys(runs).map((what) => ({
    what,
    p50: [] as number[],
    p99: [] as number[],
    late: [] as number[],
  }));
  for (let round = 0; round <= rounds; round += 1) {
    for (const [index, [name, run]] of Object.entries(runs).entries()) {
      process.stderr.write(`round ${round} of ${rounds}: ${name}\n`);
      const times = await run();
      // The first round warms up.
      if (round === 0) continue;
      const sent = times.map((time) => time.sent);
      figures[index]?.p50.push(percentile(sent, 50));
      figures[index]?.p99.push(percentile(sent, 99));
      figures[index]?.late.push(
        percentile(
          times.map((time) => time.due),
          99,
        ),
      );
    }
  }
  console.log(
    `milliseconds to acknowledge at ${rate} events/s, half of ${Math.round(full)} sustained with three deliveries each, ${rounds} rounds of ${seconds} s, medians`,
  );
  console.table(
    figures.map(({ what, p50, p99, late }) => ({
      what,
      'p50, ms': short(median(p50)),
      'p99, ms': short(median(p99)),
      'p99 from when it was due': short(median(late)),
      rounds: p50.map(short).join(' '),
    })),
  );
} finally {
  database.close();
  await killAll([relay, bare, sink]);
  await removeAll([folder]);
}
