/**
 * The words of versive-relay, and the types behind them.
 *
 * - **source**: one webhook endpoint with its secrets, `POST /webhooks/<source>`.
 * - **event**: one verified, stored message of a source: the exact bytes received, with its `svix-id`.
 * - **subject**: what an event is about: for `interview.completed` the interview id. Two events can have one subject.
 * - **route**: a named filter and the destinations that its events go to.
 * - **destination**: a configured connector: this Slack channel, that Notion data source.
 * - **connector**: the plugin that knows one kind of service.
 * - **delivery**: one event on its way to one destination; the unit of retry, replay and display.
 * - **attempt**: one try of a delivery, with its outcome.
 * - **target**: the place inside a service that a destination writes to.
 * - **receipt**: what a service gave back, with a link that a person can open.
 * - **ledger**: receipts, and doubts, by destination, target and subject: how a second delivery updates in place.
 * - **doubt**: a write may have landed, and nobody knows; it belongs to the subject until someone has looked.
 * - **generation**: what a `--new` replay starts: a delivery that leaves alone what the subject has there already.
 * - **lane**: the queue of one destination: its own order, pace, breaker and batch.
 * - **sandbox**: local stand-ins for the services that enforce their real limits.
 */

export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };
export type JsonObject = { [key: string]: JsonValue };

/** The `interview` of a payload. Versive documents these fields; whatever else arrives is kept and usable. */
export interface Interview extends JsonObject {
  id: string;
}

/** The `study` of a payload. */
export interface Study extends JsonObject {
  id: string;
}

/** The one event that Versive documents (https://docs.getversive.com/webhooks), judged by `parsePayload`. */
export interface Payload {
  event_type: 'interview.completed';
  interview: Interview;
  study: Study;
  [extra: string]: JsonValue;
}

/** What filters see: the payload as it came, and the source that it came from. */
export interface RoutedFields {
  source: string;
  event_type: string;
  interview: JsonObject;
  study: JsonObject;
}

/**
 * - `routed`: at least one route took it.
 * - `unrouted`: valid, but no route (or its source's `when`) took it; kept, so that it can be replayed.
 * - `quarantined`: verified, but not what Versive documents; kept until the relay understands it.
 */
export type EventState = 'routed' | 'unrouted' | 'quarantined';

/** *Held* is no state: a pending delivery is held while its lane is halted, paused, disabled or absent. */
export type DeliveryState = 'pending' | 'delivered' | 'failed' | 'discarded';

/** Why an attempt did not deliver. A small set, because it is also a metrics label. */
export const REASONS = [
  'auth',
  'forbidden',
  'not_found',
  'invalid',
  'too_large',
  'rate_limited',
  'timeout',
  'network',
  'server',
  'bug',
] as const;
export type Reason = (typeof REASONS)[number];

/** What a service gave back. JSON, kept in the ledger; `url` is a link that a person can open. */
export interface Receipt {
  url?: string;
  [field: string]: JsonValue | undefined;
}

/** One verified and stored message, without its body. Times are epoch milliseconds. */
export interface EventRecord {
  /** `e` and a number that grows with acceptance: of two events, the one with the larger number came later. */
  id: string;
  source: string;
  svixId: string;
  /** As the payload says it; empty when a quarantined body has none. */
  eventType: string;
  /** Empty when a quarantined body has none. */
  subject: string;
  study: string;
  state: EventState;
  /** Why it was quarantined, in a sentence. */
  reason: string | undefined;
  receivedAt: number;
  /** When its body and deliveries were removed, since it was old; undefined while they are there. */
  removedAt: number | undefined;
  /** Names of the routes that took it. */
  routes: string[];
}

/** One event on its way to one destination. Times are epoch milliseconds. */
export interface DeliveryRecord {
  /** `d` and a number. */
  id: string;
  event: string;
  subject: string;
  destination: string;
  state: DeliveryState;
  /** Attempts that were begun. */
  attempts: number;
  /** When a pending delivery is due; undefined once it is settled. */
  nextAttemptAt: number | undefined;
  /** Of the last attempt that did not deliver. */
  reason: Reason | undefined;
  detail: string | undefined;
  fix: string | undefined;
  /** Of the receipt. */
  url: string | undefined;
}
