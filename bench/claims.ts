/**
 * Claims a second, each recorded as delivered, of three lanes that take eight at a time: with 1,000,000 deliveries waiting,
 * and with few; at SQLite and at PostgreSQL.
 *
 * Usage: npm run bench -- claims [--rounds 3 --pending 1000000 --claims 6000]
 */
import path from 'node:path';
import { serveStore } from '../src/store/open.ts';
import { fillDatabase, makeStore, startDatabases } from './databases.ts';
import { fillStore } from './fill.ts';
import { inTurns, numbers, printTable } from './rounds.ts';
import { relayFolder, removeAll } from './servers.ts';

const { rounds, pending, claims } = numbers({ rounds: 3, pending: 1_000_000, claims: 6_000 });
const LANES = ['one', 'two', 'three'];
/** Deliveries that are claimed together. */
const TOGETHER = 8;
/** Enough for all rounds. */
const few = claims * (rounds + 2);

const folders: string[] = [];
const database = await startDatabases();

async function sqliteWith(deliveries: number): Promise<string> {
  const folder = await relayFolder({});
  folders.push(folder);
  await fillStore(folder, { events: Math.ceil(deliveries / LANES.length), destinations: LANES });
  return path.join(folder, 'relay.db');
}

async function postgresWith(deliveries: number): Promise<string> {
  const location = await makeStore(database, `claims_${deliveries}`);
  await fillDatabase(location, Math.ceil(deliveries / LANES.length), LANES);
  return location;
}

/** Deliveries a second that are claimed and recorded. */
async function measure(location: string): Promise<number> {
  const serving = await serveStore(location);
  const { store } = serving;
  let left = claims;
  const lane = async (destination: string) => {
    if (!(await serving.take(destination, [destination]))) throw new Error('the lane is not free');
    const target = 'bench';
    while (left > 0) {
      left -= TOGETHER;
      const due = { destination, target, standsAlone: true, now: Date.now(), limit: TOGETHER, except: [] };
      const claimed = await store.claim(due);
      if (claimed.length < TOGETHER) throw new Error('too little was due: the figure would mean nothing');
      await Promise.all(claimed.map(({ token }) => store.record(token, target, { state: 'delivered', receipt: {} })));
    }
  };
  const began = performance.now();
  await Promise.all(LANES.map(lane));
  const ms = performance.now() - began;
  await serving.close();
  return ((claims - left) * 1000) / ms;
}

try {
  process.stderr.write('filling the stores\n');
  const stores = {
    [`PostgreSQL, ${pending} waiting`]: await postgresWith(pending),
    [`PostgreSQL, ${few} waiting`]: await postgresWith(few),
    [`SQLite, ${pending} waiting`]: await sqliteWith(pending),
    [`SQLite, ${few} waiting`]: await sqliteWith(few),
  };
  const runs = Object.entries(stores).map(([name, location]) => [name, () => measure(location)]);
  const figures = await inTurns(rounds, Object.fromEntries(runs));
  printTable(
    `claims a second, three lanes, ${TOGETHER} at a time, ${rounds} rounds of ${claims}, medians`,
    'claims/s',
    figures,
  );
} finally {
  await removeAll(folders);
  await database.remove();
}
