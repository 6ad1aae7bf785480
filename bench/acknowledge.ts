/**
 * Acknowledged events a second: the relay, which verifies, routes and syncs each event to disk, beside Fastify with svix'
 * verify and beside Fastify with Node's own HMAC, both without a store.
 *
 * Usage: npm run bench -- acknowledge [--rounds 5 --events 10000 --connections 64]
 */
import { bodyOf } from './events.ts';
import { inTurns, numbers, printTable } from './rounds.ts';
import { requests, sendAll } from './sender.ts';
import { killAll, program, relayFolder, removeAll, SECRET, SERVE, startServer } from './servers.ts';

const { rounds, events, connections } = numbers({ rounds: 5, events: 10_000, connections: 64 });

/** Holds what it gets, so that receiving alone is measured. */
const held = (name: string) => ({ connector: 'file', path: `./${name}.jsonl`, enabled: false });

const folder = await relayFolder({ one: held('one'), two: held('two'), three: held('three') });
const servers = {
  'versive-relay: routed to 3, synced to disk': await startServer(SERVE, folder),
  "Fastify, svix' verify, nothing stored": await startServer([program('bare.ts'), SECRET]),
  "Fastify, Node's own HMAC, nothing stored": await startServer([program('bare.ts'), SECRET, '--native']),
};
try {
  const acknowledged = async (url: string) =>
    (events * 1000) / (await sendAll(url, connections, requests(url, events)));
  const runs = Object.entries(servers).map(([name, { url }]) => [name, () => acknowledged(url)]);
  const figures = await inTurns(rounds, Object.fromEntries(runs));
  const what = `${bodyOf().length} byte bodies, ${connections} connections, ${rounds} rounds of ${events} events, medians`;
  printTable(`acknowledged events a second, ${what}`, 'events/s', figures);
} finally {
  await killAll(Object.values(servers));
  await removeAll([folder]);
}
