import pRetry from 'p-retry';
import type { Attempt, Destination, Item } from '../connector.ts';
import { type Outcome, unknown } from '../outcome.ts';
import { renderItem } from '../render/item.ts';
import { TemplateRenderError } from '../render/template.ts';
import type { Claim, Store } from '../store/store.ts';
import { insist } from './insist.ts';

/** Milliseconds before the second and third try of a blip, inside one attempt. */
const BLIP = { retries: 2, minTimeout: 250, factor: 4 };

/** Surely not delivered, and the service said nothing about when to come back. */
class Blip extends Error {}

/** What a connector is shown of a claim. */
function itemOf({ event, delivery, body, receipt, generation }: Claim, timezone: string): Item {
  const { destination, subject } = delivery;
  return renderItem({ event, body, receipt, identity: { destination, subject, generation } }, timezone);
}

/**
 * One attempt of one delivery, or of a batch of them: the connector is called, a blip is bridged, and whatever happens
 * comes out as one outcome a claim. Never throws.
 */
export async function attempt(
  claims: Claim[],
  destination: Destination,
  context: {
    store: Store;
    timezone: string;
    /** Cuts the calls off. */
    signal: AbortSignal;
    /** Ends the tries to store a checkpoint. */
    giveUp: AbortSignal;
    scrub: (text: string) => string;
  },
): Promise<Outcome[]> {
  try {
    const items = claims.map((claim) => itemOf(claim, context.timezone));
    const tokens = new Map(items.map((item, index) => [item, claims[index]?.token ?? '']));
    const number = Math.min(...claims.map((claim) => claim.delivery.attempts));
    const handle: Attempt = {
      number,
      signal: context.signal,
      async checkpoint(item, receipt) {
        item.receipt = receipt;
        const token = tokens.get(item) ?? '';
        const ours = await insist(() => context.store.checkpoint(token, destination.target, receipt), context.giveUp);
        // Whoever holds the delivery now must not meet our next call.
        if (!ours) throw new Error('the delivery is no longer ours');
      },
    };
    const outcomes = await bridged(() => call(destination, items, handle), context.signal);
    if (outcomes.length === claims.length) return outcomes.map((outcome) => scrubbed(outcome, context.scrub));
    return claims.map(() =>
      unknown('bug', `the connector gave ${outcomes.length} outcomes for ${claims.length} items`),
    );
  } catch (error) {
    return claims.map(() => scrubbed(thrown(error), context.scrub));
  }
}

/** A batch of one goes by `deliver`, and so is the same at every connector. */
async function call(destination: Destination, items: Item[], handle: Attempt): Promise<Outcome[]> {
  const [first] = items;
  if (items.length > 1 && destination.deliverMany) {
    try {
      return await destination.deliverMany(items, handle);
    } catch (error) {
      if (!(error instanceof TemplateRenderError)) throw error;
      // One item's words must not keep the others back.
      const outcomes: Outcome[] = [];
      for (const item of items) outcomes.push(await destination.deliver(item, handle).catch(thrown));
      return outcomes;
    }
  }
  return first ? [await destination.deliver(first, handle)] : [];
}

async function bridged(deliver: () => Promise<Outcome[]>, signal: AbortSignal): Promise<Outcome[]> {
  let blip: Outcome[] | undefined;
  try {
    return await pRetry(
      async () => {
        const outcomes = await deliver();
        if (!outcomes.every(isBlip)) return outcomes;
        blip = outcomes;
        throw new Blip();
      },
      { ...BLIP, signal, shouldRetry: ({ error }) => error instanceof Blip },
    );
  } catch (error) {
    // Used up, or stopped between two tries: what the last one said still holds.
    if (blip && (error instanceof Blip || error === signal.reason)) return blip;
    throw error;
  }
}

function isBlip(outcome: Outcome): boolean {
  return (
    outcome.kind === 'retry' &&
    outcome.afterMs === undefined &&
    (outcome.reason === 'network' || outcome.reason === 'server')
  );
}

function thrown(error: unknown): Outcome {
  if (error instanceof TemplateRenderError) {
    return {
      kind: 'reject',
      reason: 'invalid',
      detail: `a template could not be rendered: ${error.message}`,
      fix: 'Correct the template in the config.',
    };
  }
  if (error instanceof Error && error.name === 'AbortError') return unknown('timeout', 'the relay was stopped');
  return unknown('bug', error instanceof Error ? `${error.name}: ${error.message}` : String(error));
}

/** A service may quote our token back at us, or send a page of HTML. */
function scrubbed(outcome: Outcome, scrub: (text: string) => string): Outcome {
  if (outcome.kind === 'delivered') return outcome;
  return { ...outcome, detail: scrub(outcome.detail).slice(0, 500) };
}
