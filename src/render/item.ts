import type { Item } from '../item.ts';
import type { EventRecord } from '../model.ts';
import { interviewView } from './interview.ts';
import { lazily } from './lazily.ts';

/** What an item says of its event. */
export type ShownEvent = Pick<EventRecord, 'id' | 'eventType' | 'source' | 'svixId' | 'receivedAt'>;

/** An event, and the delivery that a connector is shown it for. */
interface Shown extends Pick<Item, 'identity' | 'receipt' | 'earlier'> {
  doubt?: { since: number } | undefined;
  event: ShownEvent;
  /** As received; `parsePayload` found a payload in it. */
  body: Buffer;
}

/** What is worked out of an item's body, by timezone. */
const WORKED_OUT = new Map<string, PropertyDescriptorMap>();

/** The item of a delivery, as a connector gets it. What it says of the event is worked out when it is first asked for. */
export function renderItem({ event, body, identity, receipt, earlier, doubt }: Shown, timezone: string): Item {
  const item: Omit<Item, 'payload' | 'view'> = {
    event: {
      id: event.id,
      type: event.eventType,
      source: event.source,
      svixId: event.svixId,
      receivedAt: new Date(event.receivedAt),
    },
    body,
    identity,
    receipt,
    earlier,
    ...(doubt && { doubt: new Date(doubt.since) }),
  };
  return Object.defineProperties(item, workedOut(timezone)) as Item;
}

function workedOut(timezone: string): PropertyDescriptorMap {
  const known = WORKED_OUT.get(timezone);
  if (known) return known;
  const made = {
    payload: lazily<Item>('payload', ({ body }) => JSON.parse(body.toString('utf8'))),
    view: lazily<Item>('view', ({ payload }) => interviewView(payload, timezone)),
  };
  WORKED_OUT.set(timezone, made);
  return made;
}
