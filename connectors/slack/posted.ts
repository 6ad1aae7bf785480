import type { Item, JsonObject, Receipt } from 'versive-relay/connector';

/** Of the metadata that each delivered message carries, and is known again by. */
const EVENT_TYPE = 'versive_relay_delivery';

/** Where a delivered message is. */
export interface Posted {
  channel: string;
  ts: string;
}

/** The metadata of an item's message. */
export function metadataOf({ identity }: Item): JsonObject {
  return { event_type: EVENT_TYPE, event_payload: { ...identity } };
}

/** Whether metadata that Slack shows is that of this item's message, and of no other destination or generation. */
export function isMetadataOf(metadata: unknown, { identity }: Item): boolean {
  const { event_type, event_payload } = (metadata ?? {}) as { event_type?: unknown; event_payload?: unknown };
  if (event_type !== EVENT_TYPE || typeof event_payload !== 'object' || event_payload === null) return false;
  const { destination, subject, generation } = event_payload as Record<string, unknown>;
  return (
    destination === identity.destination &&
    subject === identity.subject &&
    // Slack promises nothing of a number's type in metadata.
    String(generation) === String(identity.generation)
  );
}

/** Where a receipt's message is; undefined for none, or one that names no message. */
export function postedOf(receipt: Receipt | undefined): Posted | undefined {
  const { channel, ts } = receipt ?? {};
  return typeof channel === 'string' && typeof ts === 'string' ? { channel, ts } : undefined;
}

/**
 * Where the message is that Slack just took.
 * @param channel where it went, should the answer not say
 */
export function postedIn(answer: object, channel: string): Posted {
  const { ts, channel: there } = answer as { ts?: unknown; channel?: unknown };
  if (typeof ts !== 'string') throw new TypeError('an answer without ts');
  return { channel: typeof there === 'string' ? there : channel, ts };
}

/** @param team `https://team.slack.com/`; without it the receipt has no link */
export function receiptOf({ channel, ts }: Posted, team: string | undefined): Receipt {
  return { channel, ts, ...(team && { url: `${team}archives/${channel}/p${ts.replace('.', '')}` }) };
}
