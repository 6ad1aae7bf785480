/**
 * What a dead destination costs another one: milliseconds from the posting of an event to its arrival at a healthy
 * endpoint, once with that endpoint alone in the routes and once beside one that never answers. Both relays run at once
 * and take turns; the medians count.
 *
 * Usage: npm run bench -- isolation [--rounds 9 --events 200]
 */
import { randomUUID } from 'node:crypto';
import { Agent } from 'node:http';
import { arrivalOf, startLocalSink } from './arrivals.ts';
import { bodyOf, post } from './events.ts';
import { inTurns, median, numbers, printTable } from './rounds.ts';
import { killAll, relayFolder, removeAll, SERVE, startServer } from './servers.ts';
import { webhooks } from './sinks.ts';

const { rounds, events } = numbers({ rounds: 9, events: 200 });

const agent = new Agent({ keepAlive: true });
const sink = await startLocalSink();
const start = async (...urls: string[]) => {
  const folder = await relayFolder(webhooks(urls));
  return { ...(await startServer(SERVE, folder)), folder };
};
const relays = {
  'beside a dead one': await start(sink.healthy, sink.dead),
  'the healthy one alone': await start(sink.healthy),
};

/** Milliseconds from the posting of an event to its arrival; the median of all that are posted, one after the other. */
async function measure(url: string): Promise<number> {
  const times: number[] = [];
  for (let n = 0; n < events; n += 1) {
    const id = randomUUID();
    const arrived = arrivalOf(id);
    const began = performance.now();
    await post(agent, `${url}/webhooks/versive`, bodyOf(id));
    times.push((await arrived) - began);
  }
  return median(times);
}

try {
  const runs = Object.entries(relays).map(([name, { url }]) => [name, () => measure(url)]);
  const figures = await inTurns(rounds, Object.fromEntries(runs));
  printTable(`posting to arrival, ${events} events one after the other, ${rounds} rounds, medians`, 'ms', figures);
} finally {
  agent.destroy();
  await killAll(Object.values(relays));
  await removeAll(Object.values(relays).map(({ folder }) => folder));
  sink.close();
}
