/**
 * How soon a delivery follows its acknowledgement when the relay has nothing else to do: milliseconds from the
 * acknowledgement to the arrival at a local sink. Beside it, how long that sink takes to answer the same body posted straight
 * to it.
 *
 * Usage: npm run bench -- idle [--rounds 9 --events 100]
 */
import { randomUUID } from 'node:crypto';
import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { arrivalOf, startLocalSink } from './arrivals.ts';
import { bodyOf, post } from './events.ts';
import { inTurns, median, numbers, printTable } from './rounds.ts';
import { killAll, relayFolder, removeAll, SERVE, startServer } from './servers.ts';
import { webhooks } from './sinks.ts';

const { rounds, events } = numbers({ rounds: 9, events: 100 });
/** Milliseconds between two events. */
const REST = 5;

const agent = new Agent({ keepAlive: true });
const sink = await startLocalSink();
const folder = await relayFolder(webhooks([sink.healthy]));
const relay = await startServer(SERVE, folder);

async function medianOf(measure: () => Promise<number>): Promise<number> {
  const times: number[] = [];
  for (let n = 0; n < events; n += 1) {
    times.push(await measure());
    await sleep(REST);
  }
  return median(times);
}

async function acknowledgedToArrived(): Promise<number> {
  const id = randomUUID();
  const arrived = arrivalOf(id);
  await post(agent, `${relay.url}/webhooks/versive`, bodyOf(id));
  const acknowledged = performance.now();
  return (await arrived) - acknowledged;
}

try {
  const figures = await inTurns(rounds, {
    'acknowledged to arrived': () => medianOf(acknowledgedToArrived),
    'the sink alone: posted to answered': () => medianOf(() => post(agent, sink.healthy, bodyOf())),
  });
  printTable(`an idle relay, ${events} events one after the other, ${rounds} rounds, medians`, 'ms', figures);
} finally {
  agent.destroy();
  await killAll([relay]);
  await removeAll([folder]);
  sink.close();
}
