import { setTimeout as sleep } from 'node:timers/promises';
import pRetry from 'p-retry';
import type { Attempt, Destination, Item } from '../connector.ts';
import { RelayError } from '../errors.ts';
import type { Payload } from '../model.ts';
import { type Outcome, unknown } from '../outcome.ts';
import { interviewView } from '../render/interview.ts';
import { TemplateRenderError } from '../render/template.ts';
import type { Claim, Settlement, Store } from '../store/store.ts';

/** Milliseconds before the second and third try of a blip, inside one attempt. */
const BLIP = { retries: 2, minTimeout: 250, factor: 4 };

/** Milliseconds between tries to record an outcome that the store could not commit. */
const RECORD_AGAIN = 1_000;

/** A blip: surely not delivered, and the service said nothing about when to come back. */
class Blip extends Error {
  readonly outcomes: Outcome[];

  constructor(outcomes: Outcome[]) {
    super('blip');
    this.outcomes = outcomes;
  }
}

/** What a connector is shown of a claim. */
function itemOf(claim: Claim, timezone: string): Item {
  const { event, delivery } = claim;
  const payload = JSON.parse(claim.body.toString('utf8')) as Payload;
  return {
    event: {
      id: event.id,
      type: event.eventType,
      source: event.source,
      svixId: event.svixId,
      receivedAt: new Date(event.receivedAt),
    },
    payload,
    body: claim.body,
    identity: { destination: delivery.destination, subject: delivery.subject, generation: claim.generation },
    receipt: claim.receipt,
    view: interviewView(payload, timezone),
  };
}

/**
 * One attempt of one delivery, or of a batch of them: the connector is called, a blip is bridged, and whatever happens
 * comes out as one outcome a claim. Never throws.
 */
export async function attempt(
  claims: Claim[],
  destination: Destination,
  context: { store: Store; timezone: string; signal: AbortSignal; scrub: (text: string) => string },
): Promise<Outcome[]> {
  try {
    const items = claims.map((claim) => itemOf(claim, context.timezone));
    const tokens = new Map(items.map((item, index) => [item, claims[index]?.token ?? '']));
    const number = Math.min(...claims.map((claim) => claim.delivery.attempts));
    const handle: Attempt = {
      number,
      signal: context.signal,
      async checkpoint(item, receipt) {
        await context.store.checkpoint(tokens.get(item) ?? '', destination.target, receipt);
        item.receipt = receipt;
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
  if (items.length > 1 && destination.deliverMany) return destination.deliverMany(items, handle);
  return first ? [await destination.deliver(first, handle)] : [];
}

async function bridged(deliver: () => Promise<Outcome[]>, signal: AbortSignal): Promise<Outcome[]> {
  try {
    return await pRetry(
      async () => {
        const outcomes = await deliver();
        if (!outcomes.every(isBlip)) return outcomes;
        throw new Blip(outcomes);
      },
      { ...BLIP, signal, shouldRetry: ({ error }) => error instanceof Blip },
    );
  } catch (error) {
    if (error instanceof Blip) return error.outcomes;
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

/**
 * Records how a claim ended, however long the store cannot commit: the outcome of a call that was made must not be lost.
 * Gives false when the claim is no longer ours, or when the relay stops first; the delivery is then tried again.
 */
export async function record(
  store: Store,
  claim: Claim,
  target: string,
  settlement: Settlement,
  signal: AbortSignal,
): Promise<boolean> {
  for (;;) {
    try {
      return await store.record(claim.token, target, settlement);
    } catch (error) {
      if (!(error instanceof RelayError) || error.code !== 'RELAY_STORE_BUSY') throw error;
      if (signal.aborted) return false;
      await sleep(RECORD_AGAIN);
    }
  }
}
