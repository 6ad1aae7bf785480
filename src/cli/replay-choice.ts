import { RelayError } from '../errors.ts';
import type { DeliveryState, EventRecord, EventState } from '../model.ts';
import { type Judged, parsePayload } from '../payload.ts';
import { pages } from '../store/pages.ts';
import type { DeliveryFilter } from '../store/store.ts';
import { filterOf, nothingFound } from './listing.ts';
import { unknownIds } from './names.ts';
import { Progress } from './progress.ts';
import type { Recovery } from './recovery.ts';

export const DELIVERY_STATES: DeliveryState[] = ['failed', 'discarded', 'pending', 'delivered'];
export const EVENT_STATES: EventState[] = ['routed', 'unrouted', 'quarantined'];

/** The state of deliveries, or of events, that `--state` names. */
export function stateOf({ options: { state } }: Recovery): { delivery?: DeliveryState; event?: EventState } {
  const delivery = DELIVERY_STATES.find((each) => each === state);
  const event = EVENT_STATES.find((each) => each === state);
  return { ...(delivery && { delivery }), ...(event && { event }) };
}

/** An event to run again, without its body. */
export interface Chosen extends Pick<EventRecord, 'id' | 'subject'> {
  /** Undefined when it was chosen by its deliveries: it has some, so it was understood. */
  state?: EventState;
}

/**
 * The events that a replay was given: by their ids, or by filters.
 *
 * @throws RelayError RELAY_NOT_FOUND when there is none
 */
export async function* chosenEvents(recovery: Recovery): AsyncGenerator<Chosen[]> {
  const { basics, store, ids, options } = recovery;
  if (ids.length > 0) yield await eventsById(recovery);
  else if (stateOf(recovery).delivery) yield* eventsByDeliveries(recovery);
  else {
    const { event: state } = stateOf(recovery);
    const filter = { ...filterOf(options, basics.timezone), ...(state && { state }) };
    let found = false;
    using progress = new Progress('events looked at');
    for await (const page of pages((request) => store.events(filter, request))) {
      found = true;
      yield page;
      progress.add(page.length);
    }
    if (!found) throw nothingFound('events', options, basics);
  }
}

async function eventsById({ store, ids }: Recovery): Promise<Chosen[]> {
  const found: Chosen[] = [];
  const unknown: string[] = [];
  for (const id of ids) {
    const event = await store.event(id);
    if (event) found.push({ id, subject: event.subject, state: event.state });
    else unknown.push(id);
  }
  if (unknown.length > 0) throw unknownIds('event', unknown);
  return found;
}

/** An event read and judged anew. */
export interface Reread {
  /** Undefined when it cannot be read. */
  event: (EventRecord & { body: Buffer }) | undefined;
  judged: Judged;
}

/** Reads a stored event again; undefined when it is gone. One that the disk has changed is not understood. */
export async function readAgain(id: string, { store }: Pick<Recovery, 'store'>): Promise<Reread | undefined> {
  try {
    const event = await store.event(id);
    return event && { event, judged: parsePayload(event.body) };
  } catch (error) {
    if (error instanceof RelayError) throw error;
    const reason = `the stored event cannot be read: ${error instanceof Error ? error.message : String(error)}`;
    return { event: undefined, judged: { payload: undefined, reason, eventType: '', subject: '', study: '' } };
  }
}

/** The deliveries that the filters choose, one of which is a state of deliveries. */
export function deliveryFilter(recovery: Recovery): DeliveryFilter {
  const { delivery } = stateOf(recovery);
  return { ...filterOf(recovery.options, recovery.basics.timezone), ...(delivery && { state: delivery }) };
}

/** The events of such deliveries, each once. */
async function* eventsByDeliveries(recovery: Recovery): AsyncGenerator<Chosen[]> {
  const { basics, store, options } = recovery;
  const filter = deliveryFilter(recovery);
  const seen = new Set<string>();
  using progress = new Progress('deliveries looked at');
  for await (const page of pages((request) => store.deliveries(filter, request))) {
    const fresh = page.filter(({ event }) => !seen.has(event)).map(({ event, subject }) => ({ id: event, subject }));
    for (const { id } of fresh) seen.add(id);
    yield [...new Map(fresh.map((event) => [event.id, event])).values()];
    progress.add(page.length);
  }
  if (seen.size === 0) throw nothingFound('deliveries', options, basics);
}
