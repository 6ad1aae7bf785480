/**
 * Events a second, whole: received, stored and delivered to three webhooks. The time counts until the last delivery has
 * arrived. Beside it the script that people write: Fastify, svix' verify, `await Promise.all` of three fetches, and no
 * store. Both deliver to the same sink.
 *
 * Usage: npm run bench -- end-to-end [--rounds 5 --events 6000 --connections 32]
 */
import { bodyOf } from './events.ts';
import { inTurns, numbers, printTable } from './rounds.ts';
import { killAll, program, relayFolder, removeAll, SECRET, SERVE, startServer } from './servers.ts';
import { startSink, through, webhooks } from './sinks.ts';

const { rounds, events, connections } = numbers({ rounds: 5, events: 6000, connections: 32 });

const sink = await startSink();
const folder = await relayFolder(webhooks(sink.urls));
const servers = {
  'versive-relay: stored, then delivered': await startServer(SERVE, folder),
  'script: three fetches, nothing stored': await startServer([program('bare.ts'), SECRET, ...sink.urls]),
};

try {
  const runs = Object.entries(servers).map(([name, { url }]) => [name, () => through(url, sink, connections, events)]);
  const figures = await inTurns(rounds, Object.fromEntries(runs));
  const what = `${bodyOf().length} byte bodies, ${connections} connections, ${rounds} rounds of ${events} events, medians`;
  printTable(`events a second, to the last of three deliveries, ${what}`, 'events/s', figures);
} finally {
  await killAll([...Object.values(servers), sink]);
  await removeAll([folder]);
}
