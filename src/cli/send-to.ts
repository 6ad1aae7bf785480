import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { styleText } from 'node:util';
import { shownStore } from '../address.ts';
import type { Config, SourceConfig } from '../config/config.ts';
import { EXIT, RelayError } from '../errors.ts';
import type { DeliveryRecord } from '../model.ts';
import { parsePayload } from '../payload.ts';
import { isServed } from '../store/open.ts';
import type { Store } from '../store/store.ts';
import { findHolds, type Hold, holdOf } from './holds.ts';
import { named } from './names.ts';
import { withStore } from './with-store.ts';

/** Milliseconds between looks at a delivery. */
const POLL = 100;

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
  named('destination', to, config.destinations);
  if (!(await isServed(config.store))) {
    throw new RelayError('RELAY_NOT_RUNNING', `no relay is serving the store ${shownStore(config.store)}`, {
      fix: 'Start it with `versive-relay serve`, with the same config.',
    });
  }
  await withStore(config, async (store) => {
    for (const body of bodies) {
      const event = await acceptFor(store, body, source.name, to);
      const { delivery, hold } = await ended(config, store, event, patience);
      if (!print(delivery, hold, patience)) process.exitCode = EXIT.no;
    }
  });
}

async function acceptFor(store: Store, body: Buffer, source: string, to: string): Promise<string> {
  const judged = parsePayload(body.toString());
  if (!judged.payload) {
    const fix = 'Give an event as Versive documents it, or leave the file away for a sample.';
    throw new RelayError('RELAY_USAGE', `the event file is no event: ${judged.reason}`, { fix });
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

/** The event's delivery once it is settled or held, or the time is up, and what holds it. */
async function ended(config: Config, store: Store, event: string, patience: number): Promise<Ended> {
  const deadline = performance.now() + patience;
  for (;;) {
    const delivery = (await store.deliveriesOf([event])).get(event)?.[0];
    if (!delivery) throw new RelayError('RELAY_NOT_FOUND', `the delivery of ${event} is gone from the store`);
    const hold = holdOf(delivery, await findHolds(config, store));
    // A halted lane may try this delivery to see whether it still has to stand: its end is then awaited.
    const isHeld = hold !== undefined && (hold.reason === undefined || delivery.reason !== undefined);
    if (delivery.state !== 'pending' || isHeld || performance.now() > deadline) return { delivery, hold };
    await wait(POLL);
  }
}

interface Ended {
  delivery: DeliveryRecord;
  hold: Hold | undefined;
}

/** Says how a delivery ended; true when it arrived. */
function print(delivery: DeliveryRecord, hold: Hold | undefined, patience: number): boolean {
  const { id, state, destination, url } = delivery;
  if (state === 'delivered') {
    const done = styleText('green', 'delivered', { stream: process.stdout });
    process.stdout.write(`${id}  ${done} to ${destination}${url === undefined ? '' : `  ${url}`}\n`);
    return true;
  }
  const { detail, fix } = hold ?? delivery;
  const isLate = state === 'pending' && !hold;
  const told = detail === undefined ? '' : `: ${detail}`;
  const because = isLate ? `not delivered within ${patience / 1000} s${told}` : detail;
  const next = fix ?? (isLate ? `It stays queued: \`versive-relay deliveries ${id}\` shows it.` : undefined);
  const stream = process.stderr;
  stream.write(`${id}  ${styleText('red', hold ? 'held' : state, { stream })}  ${because}\n`);
  if (next) stream.write(`${styleText('cyan', '  fix', { stream })} ${next}\n`);
  return false;
}
