/**
 * The contract of a connector: what a plugin imports, as `versive-relay/connector`. A connector is one job: a name, its
 * options, and `deliver`. It makes its calls through `context.fetch`, returns an outcome and never retries: the relay
 * owns time.
 */
import type { z } from 'zod';
import type { Item } from './item.ts';
import type { JsonValue, Receipt } from './model.ts';
import type { Outcome, Sighting } from './outcome.ts';

export type { InterviewView, Item, Turn } from './item.ts';
export type { Interview, JsonObject, JsonValue, Payload, Reason, Receipt, Study } from './model.ts';
export { type Secret, type Structure, secret, structure, type Template, template } from './options.ts';
export {
  absent,
  blind,
  delivered,
  type Failure,
  found,
  halt,
  type Outcome,
  reject,
  repeatable,
  retry,
  retryAfterMs,
  type Sighting,
  transportOutcome,
  unknown,
} from './outcome.ts';
export { nearest } from './suggest.ts';
export { clip, pieces } from './text.ts';

/** One try. */
export interface Attempt {
  /** 1 for the first. */
  number: number;
  /** Aborts when the relay must stop now. `context.fetch` listens to it by itself. */
  signal: AbortSignal;
  /** Saves the progress of long work on an item: should this attempt end badly, the next one gets the receipt. */
  checkpoint(item: Item, receipt: Receipt): Promise<void>;
}

export interface Limits {
  /** What the service counts calls by: the token's fingerprint, the host. Never the secret itself. */
  key: string;
  /** At most so many calls … */
  calls: number;
  /** … in so many milliseconds. */
  per: number;
  /** Destinations with one serial key are never written to at once. */
  serial?: string;
  /** The most items that `deliverMany` takes. */
  batch?: number;
  /** Deliveries under way at once; 1 by default. */
  concurrency?: number;
}

/** What `check --live` found: what is wrong, and what to click or change. */
export interface CheckFinding {
  level: 'error' | 'warning';
  message: string;
  fix: string;
}

/** News for the people who run the relay. */
export interface Notice {
  title: string;
  lines: string[];
}

/** A piece of a drawn line: text, text that stands out, or text that stands back. */
export type Drawn = string | { bold: string } | { dim: string };

/** An opened destination. */
export interface Destination {
  /** The place it writes to, as `slack:C0123456789`: receipts belong to it. Holds no secret. */
  target: string;
  limits: Limits;
  /** Delivers one item; with a receipt, updates what is there. A throw counts as `unknown`. */
  deliver(item: Item, attempt: Attempt): Promise<Outcome>;
  /** Delivers several items at once; the outcomes are in the items' order. */
  deliverMany?(items: Item[], attempt: Attempt): Promise<Outcome[]>;
  /**
   * Looks for what an earlier try of these items may have left, when its end is unknown: by their identity, and never what
   * `item.earlier` names. The sightings are in the items' order. Sends nothing. Without it, such items are sent again.
   */
  find?(items: Item[], attempt: Attempt): Promise<Sighting[]>;
  /**
   * Whether each event stands by itself there, so that one which comes late is delivered all the same. Otherwise an event
   * that is older than what stands there changes nothing: it would bring old words back.
   */
  standsAlone?: boolean;
  /**
   * Milliseconds within which a write may still land at the service after its call has ended; 10 s by default. 0 when
   * nothing outlives the call.
   */
  settles?: number;
  /** Exactly what `deliver` would send, without a call. */
  preview?(item: Item): JsonValue;
  /**
   * The same for a person at a terminal, in lines of 76 characters at most: how it will look, long texts clipped. Without
   * it, the preview's JSON is laid out.
   */
  draw?(item: Item): Drawn[][];
  /**
   * Asks the service whether deliveries would work, and sends nothing. A good destination gives [].
   *
   * @param example what an interview would give: with it, what templates make can be held against what the service takes
   */
  check?(example?: Item): Promise<CheckFinding[]>;
  /** Tells people; makes the destination able to serve in `on_failure`. */
  notify?(notice: Notice): Promise<Outcome>;
  close?(): Promise<void>;
}

export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** What a destination gets from the relay. */
export interface Context {
  /** Its name in the config. */
  destination: string;
  /** The folder of the config file: relative paths belong to it. */
  folder: string;
  /** IANA name, of dates in messages. */
  timezone: string;
  log: Log;
  /**
   * `fetch`, kept within the destination's limits and its `timeout` (each call by itself), and aborted at shutdown. While
   * the service's Retry-After lasts it answers 429 by itself, with the rest of the time in Retry-After. Give it to the
   * SDK, and turn the SDK's own retries and timeouts off. A call of bytes with plain headers that follows no redirect
   * (`redirect: 'manual'`) takes about a fifth of the processor time.
   */
  fetch: typeof fetch;
}

export interface Connector<Schema extends z.ZodType = z.ZodType> {
  /** As `connector:` names it in the config. */
  name: string;
  /** One line for the documentation and for editors. */
  description: string;
  /** A strict object, each option with a `.describe()`. */
  options: Schema;
  /** Opens a destination. Makes no call. */
  open(options: z.output<Schema>, context: Context): Destination;
}

/** Types a connector. A module of a connector exports it by default. */
export function defineConnector<Schema extends z.ZodType>(connector: Connector<Schema>): Connector<Schema> {
  return connector;
}
