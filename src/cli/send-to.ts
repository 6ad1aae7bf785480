import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { styleText } from 'node:util';
import type { Config, SourceConfig } from '../config/config.ts';
import { EXIT, RelayError } from '../errors.ts';
import type { DeliveryRecord } from '../model.ts';
import { parsePayload } from '../payload.ts';
import { isServed } from '../store/lock.ts';
import { openStore } from '../store/open.ts';
import type { Store } from '../store/store.ts';
import { didYouMean } from '../suggest.ts';

/** Milliseconds between looks at a delivery. */
const POLL = 100;

/** The names that there are, and the one that was surely meant. */
export function known(name: string, names: Map<string, unknown>): string {
  return `There are: ${[...names.keys()].join(', ')}.${didYouMean(name, names.keys())}`;
}

export interface DirectDelivery {
  config: Config;
  source: SourceConfig;
  to: string;
  /** Milliseconds. */
  patience: number;
}

/**
 * Puts events straight into the store of the running relay, for one destination, and says how each was delivered.
 *
 * @throws RelayError RELAY_NOT_RUNNING when no relay serves the store, RELAY_NOT_FOUND when there is no such destination
 */
export async function deliverDirectly(
  bodies: Buffer[],
  { config, source, to, patience }: DirectDelivery,
): Promise<void> {
  if (!config.destinations.has(to)) {
    const fix = known(to, config.destinations);
    throw new RelayError('RELAY_NOT_FOUND', `there is no destination "${to}" in the config`, { fix });
  }
  if (!isServed(config.store)) {
    throw new RelayError('RELAY_NOT_RUNNING', `no relay is serving the store ${config.store}`, {
      fix: 'Start it with `versive-relay serve`, with the same config.',
    });
  }
  const store = await openStore(config.store, { create: false });
  try {
    for (const body of bodies) {
      const event = await acceptFor(store, body, source.name, to);
      const isDisabled = config.destinations.get(to)?.enabled === false;
      const delivery = await ended(store, event, isDisabled ? 0 : patience);
      const why = delivery.state === 'pending' ? await holdOf(store, config, to) : undefined;
      if (!print(delivery, why, patience)) process.exitCode = EXIT.no;
    }
  } finally {
    await store.close();
  }
}

async function acceptFor(store: Store, body: Buffer, source: string, to: string): Promise<string> {
  const judged = parsePayload(body);
  if (!judged.payload) {
    const fix = 'Give an event as Versive documents it, or leave the file away for a sample.';
    throw new RelayError('RELAY_USAGE', `the event file is no event: ${judged.reason}`, { fix, exitCode: EXIT.usage });
  }
  const { event_type, interview, study } = judged.payload;
  const { id } = await store.accept({
    source,
    svixId: `msg_send_${randomUUID()}`,
    eventType: event_type,
    subject: interview.id,
    study: study.id,
    state: 'routed',
    receivedAt: Date.now(),
    routes: [],
    destinations: [to],
    body,
  });
  return id;
}

/** The event's delivery once it is settled, or its lane stands still, or the time is up. */
async function ended(store: Store, event: string, patience: number): Promise<DeliveryRecord> {
  const deadline = performance.now() + patience;
  for (;;) {
    const delivery = (await store.deliveriesOf([event])).get(event)?.[0];
    if (!delivery) throw new RelayError('RELAY_NOT_FOUND', `the delivery of ${event} is gone from the store`);
    if (delivery.state !== 'pending' || performance.now() > deadline) return delivery;
    const lane = (await store.lanes()).find(({ destination }) => destination === delivery.destination);
    if (lane?.paused || (lane?.halt && delivery.reason !== undefined)) return delivery;
    await wait(POLL);
  }
}

/** Why a pending delivery is held, if it is. */
async function holdOf(store: Store, config: Config, to: string): Promise<{ because: string; fix: string } | undefined> {
  const lane = (await store.lanes()).find(({ destination }) => destination === to);
  if (lane?.paused) return { because: `${to} is paused`, fix: `Let it flow with \`versive-relay resume ${to}\`.` };
  if (lane?.halt) return { because: `${to} is halted: ${lane.halt.detail}`, fix: lane.halt.fix };
  if (config.destinations.get(to)?.enabled === false) {
    return { because: `${to} is disabled in the config`, fix: 'Set enabled: true.' };
  }
  return undefined;
}

/** Says how a delivery ended; true when it arrived. */
function print(
  delivery: DeliveryRecord,
  hold: { because: string; fix: string } | undefined,
  patience: number,
): boolean {
  const { id, state, destination, url, detail, fix } = delivery;
  if (state === 'delivered') {
    const done = styleText('green', 'delivered', { stream: process.stdout });
    process.stdout.write(`${id}  ${done} to ${destination}${url === undefined ? '' : `  ${url}`}\n`);
    return true;
  }
  const label = hold ? 'held' : state;
  const told = detail === undefined ? '' : `: ${detail}`;
  const because = hold
    ? hold.because
    : state === 'pending'
      ? `not delivered within ${patience / 1000} s${told}`
      : detail;
  const next =
    hold?.fix ?? fix ?? (state === 'pending' ? `It stays queued: \`versive-relay deliveries ${id}\` shows it.` : '');
  process.stderr.write(`${id}  ${styleText('red', label, { stream: process.stderr })}  ${because}\n`);
  if (next !== '') process.stderr.write(`${styleText('cyan', '  fix', { stream: process.stderr })} ${next}\n`);
  return false;
}
