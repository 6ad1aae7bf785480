import type { EventRecord, EventState } from '../model.ts';
import { type Judged, parsePayload } from '../payload.ts';
import { pages } from '../store/pages.ts';
import type { StoredEvent } from '../store/store.ts';
import { deliveriesWith } from './chosen-deliveries.ts';
import { filterOf, nothingFound } from './listing.ts';
import { unknownIds } from './names.ts';
import { Progress } from './progress.ts';
import type { Recovery } from './recovery.ts';

export const DELIVERY_STATES = ['failed', 'discarded', 'pending', 'held', 'delivered'];
export const EVENT_STATES: EventState[] = ['routed', 'unrouted', 'quarantined'];

/** Does `--state` name a state of deliveries? */
export function isByDeliveries({ options: { state } }: Recovery): boolean {
  return state !== undefined && DELIVERY_STATES.includes(state);
}

/** An event to run again, without its body. */
export interface Chosen extends Pick<EventRecord, 'id' | 'subject'> {
  /** Undefined when it was chosen by its deliveries: it has some, so it was understood. */
  state?: EventState;
}

/**
 * The events that a replay was given: by their ids, or by filters.
 *
 * @param removed gathers the ids of those whose body was removed: there is nothing to run again
 * @throws RelayError RELAY_NOT_FOUND when there is none
 */
export async function* chosenEvents(recovery: Recovery, removed: string[]): AsyncGenerator<Chosen[]> {
  const { basics, store, ids, options } = recovery;
  const whole = <T extends Pick<EventRecord, 'id' | 'removedAt'>>(events: T[]): T[] => {
    removed.push(...events.filter(({ removedAt }) => removedAt !== undefined).map(({ id }) => id));
    return events.filter(({ removedAt }) => removedAt === undefined);
  };
  if (ids.length > 0) yield whole(await eventsById(recovery));
  else if (isByDeliveries(recovery)) yield* eventsByDeliveries(recovery);
  else {
    const state = EVENT_STATES.find((each) => each === options.state);
    const filter = { ...filterOf(options, basics.timezone), ...(state && { state }) };
    let found = false;
    using progress = new Progress('events looked at');
    for await (const page of pages((request) => store.events(filter, request))) {
      found = true;
      yield whole(page);
      progress.add(page.length);
    }
    if (!found) throw nothingFound('events', options, basics);
  }
}

async function eventsById({ store, ids }: Recovery): Promise<(Chosen & Pick<EventRecord, 'removedAt'>)[]> {
  const found: (Chosen & Pick<EventRecord, 'removedAt'>)[] = [];
  const unknown: string[] = [];
  for (const id of ids) {
    const event = await store.event(id);
    if (event) found.push({ id, subject: event.subject, state: event.state, removedAt: event.removedAt });
    else unknown.push(id);
  }
  if (unknown.length > 0) throw unknownIds('event', unknown);
  return found;
}

/** An event read and judged anew. */
export interface Reread {
  /** Undefined when it cannot be read. */
  event: StoredEvent | undefined;
  judged: Judged;
}

/** Reads a stored event again; undefined when it, or its body, is gone. One that the disk has changed is not understood. */
export async function readAgain(id: string, { store }: Pick<Recovery, 'store'>): Promise<Reread | undefined> {
  const event = await store.event(id);
  if (!event || event.removedAt !== undefined) return undefined;
  if (event.damage === undefined) return { event, judged: parsePayload(event.body.toString()) };
  const judged = { payload: undefined, reason: event.damage, eventType: '', subject: '', study: '' };
  return { event: undefined, judged };
}

/** The events of the deliveries that filters choose, each once. */
async function* eventsByDeliveries(recovery: Recovery): AsyncGenerator<Chosen[]> {
  const { basics, options } = recovery;
  const seen = new Set<string>();
  for await (const page of deliveriesWith(options, recovery)) {
    const fresh = page.filter(({ event }) => !seen.has(event)).map(({ event, subject }) => ({ id: event, subject }));
    for (const { id } of fresh) seen.add(id);
    yield [...new Map(fresh.map((event) => [event.id, event])).values()];
  }
  if (seen.size === 0) throw nothingFound('deliveries', options, basics);
}
