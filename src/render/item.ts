import type { Item } from '../item.ts';
import type { EventRecord, Payload } from '../model.ts';
import { interviewView } from './interview.ts';

/** What an item says of its event. */
export type ShownEvent = Pick<EventRecord, 'id' | 'eventType' | 'source' | 'svixId' | 'receivedAt'>;

/** An event, and the delivery that a connector is shown it for. */
interface Shown extends Pick<Item, 'identity' | 'receipt' | 'earlier'> {
  doubt?: { since: number } | undefined;
  event: ShownEvent;
  /** As received; `parsePayload` found a payload in it. */
  body: Buffer;
}

/** The item of a delivery, as a connector gets it. */
export function renderItem({ event, body, identity, receipt, earlier, doubt }: Shown, timezone: string): Item {
  const payload = JSON.parse(body.toString('utf8')) as Payload;
  return {
    event: {
      id: event.id,
      type: event.eventType,
      source: event.source,
      svixId: event.svixId,
      receivedAt: new Date(event.receivedAt),
    },
    payload,
    body,
    identity,
    receipt,
    earlier,
    ...(doubt && { doubt: new Date(doubt.since) }),
    view: interviewView(payload, timezone),
  };
}
