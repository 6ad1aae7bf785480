import type { InterviewView, Item } from '../item.ts';
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

/** The item of a delivery, as a connector gets it. What it says of the event is worked out when it is first asked for. */
export function renderItem({ event, body, identity, receipt, earlier, doubt }: Shown, timezone: string): Item {
  let payload: Payload | undefined;
  let view: InterviewView | undefined;
  return {
    event: {
      id: event.id,
      type: event.eventType,
      source: event.source,
      svixId: event.svixId,
      receivedAt: new Date(event.receivedAt),
    },
    get payload() {
      payload ??= JSON.parse(body.toString('utf8')) as Payload;
      return payload;
    },
    body,
    identity,
    receipt,
    earlier,
    ...(doubt && { doubt: new Date(doubt.since) }),
    get view() {
      view ??= interviewView(this.payload, timezone);
      return view;
    },
  };
}
