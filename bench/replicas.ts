/**
 * Acknowledged events a second of one, two and three relays on one PostgreSQL, each with its part of the connections, beside
 * one relay on SQLite. All on one machine and one disk: with two cores, more relays have less of a core each.
 *
 * Usage: npm run bench -- replicas [--rounds 3 --events 6000 --connections 96]
 */
import { makeStore, startDatabases } from './databases.ts';
import { bodyOf } from './events.ts';
import { inTurns, numbers, printTable } from './rounds.ts';
import { requests, sendAll } from './sender.ts';
import { killAll, relayFolder, removeAll, SERVE, type Server, startServer } from './servers.ts';

const { rounds, events, connections } = numbers({ rounds: 3, events: 6_000, connections: 96 });
const MOST = 3;
const held = { connector: 'file', path: './held.jsonl', enabled: false };

const database = await startDatabases();
const folders: string[] = [];
const servers: Server[] = [];

/** @param store an address; SQLite in the folder by default */
async function start(store?: string): Promise<Server> {
  const folder = await relayFolder({ one: held, two: held, three: held }, store);
  folders.push(folder);
  const server = await startServer(SERVE, folder);
  servers.push(server);
  return server;
}

/** Events a second, sent to each of these relays alike. */
async function acknowledged(relays: Server[]): Promise<number> {
  const each = Math.ceil(events / relays.length);
  const made = relays.map(({ url }) => requests(url, each));
  const began = performance.now();
  await Promise.all(
    relays.map(({ url }, n) => sendAll(url, Math.ceil(connections / relays.length), made[n] as Buffer[])),
  );
  return (each * relays.length * 1000) / (performance.now() - began);
}

try {
  const sqlite = await start();
  const runs: Record<string, () => Promise<number>> = { 'SQLite, one relay': () => acknowledged([sqlite]) };
  const store = await makeStore(database, 'replicas');
  const all: Server[] = [];
  for (let n = 1; n <= MOST; n += 1) all.push(await start(store));
  for (let n = 1; n <= MOST; n += 1) {
    runs[`PostgreSQL, ${n === 1 ? 'one relay' : `${n} relays`}`] = () => acknowledged(all.slice(0, n));
  }
  const figures = await inTurns(rounds, runs);
  const what = `${bodyOf().length} byte bodies, ${connections} connections, ${rounds} rounds of ${events} events, medians`;
  printTable(`acknowledged events a second, ${what}`, 'events/s', figures);
} finally {
  await killAll(servers);
  await removeAll(folders);
  await database.remove();
}
