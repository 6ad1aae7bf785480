import pRetry from 'p-retry';
import type { Attempt, Destination, Item } from '../connector.ts';
import { type Outcome, unknown } from '../outcome.ts';
import { renderItem } from '../render/item.ts';
import { TemplateRenderError } from '../render/template.ts';
import type { Claim, Store } from '../store/store.ts';
import type { Doubts } from './doubts.ts';
import { insist } from './insist.ts';
import { type Looked, look, type Waiting } from './look.ts';
import { thrown } from './thrown.ts';

/** Milliseconds before the second and third try of a blip, inside one attempt. */
const BLIP = { retries: 2, minTimeout: 250, factor: 4 };

/** Surely not delivered, and the service said nothing about when to come back. */
class Blip extends Error {}

interface AttemptContext {
  store: Store;
  timezone: string;
  /** Cuts the calls off. */
  signal: AbortSignal;
  /** Ends the tries to store a checkpoint. */
  giveUp: AbortSignal;
  scrub: (text: string) => string;
  doubts: Doubts;
}

/** How one claim's attempt ended, and what it leaves behind. */
export interface Ended {
  outcome: Outcome | Waiting;
  /** Since when a write may have landed without anyone knowing, epoch milliseconds. */
  doubt: number | undefined;
  /** What the service showed of an earlier try; undefined when it was not asked, or cannot be. */
  saw?: 'found' | 'absent' | 'unseen';
  /** The delivery was not even sent: what the service showed of an earlier try was enough, or it could not be asked. */
  unsent?: true;
  /** What a person should know of a delivery that arrived. */
  note?: { detail: string; fix: string };
}

/**
 * One attempt of one delivery, or of a batch of them: earlier tries of unknown end are looked for, the connector is called,
 * a blip is bridged, and whatever happens comes out as one end a claim. Never throws.
 */
export async function attempt(claims: Claim[], destination: Destination, context: AttemptContext): Promise<Ended[]> {
  const sent = new Map<Item, Outcome>();
  let items: Item[] = [];
  let looked = new Map<Item, Looked>();
  let otherwise: Outcome | undefined;
  try {
    items = claims.map((claim) => renderItem(claim, context.timezone));
    const handle = handleOf(claims, items, destination.target, context);
    looked = await look(claims, items, destination, { handle, doubts: context.doubts });
    const wanted = items.filter((item) => looked.get(item)?.kind !== 'ended');
    const outcomes = wanted.length === 0 ? [] : await bridged(() => call(destination, wanted, handle), context.signal);
    if (outcomes.length !== wanted.length) {
      otherwise = unknown('bug', `the connector gave ${outcomes.length} outcomes for ${wanted.length} items`);
    } else for (const [index, item] of wanted.entries()) sent.set(item, outcomes[index] as Outcome);
  } catch (error) {
    otherwise = thrown(error);
  }
  return claims.map((claim, index) => {
    const item = items[index];
    const outcome = (item && sent.get(item)) ?? otherwise ?? unknown('bug', 'the connector gave no outcome');
    return ended(claim, item && looked.get(item), outcome, context.scrub);
  });
}

function handleOf(claims: Claim[], items: Item[], target: string, { store, signal, giveUp }: AttemptContext): Attempt {
  const tokens = new Map(items.map((item, index) => [item, claims[index]?.token ?? '']));
  return {
    number: Math.min(...claims.map((claim) => claim.delivery.attempts)),
    signal,
    async checkpoint(item, receipt) {
      item.receipt = receipt;
      const token = tokens.get(item) ?? '';
      const ours = await insist(() => store.checkpoint(token, target, receipt), giveUp);
      // Whoever holds the delivery now must not meet our next call.
      if (!ours) throw new Error('the delivery is no longer ours');
    },
  };
}

/** A definite outcome ends its own doubt; an older doubt ends only by what the service showed, or by an arrival. */
function ended({ doubt }: Claim, looked: Looked | undefined, sent: Outcome, scrub: (text: string) => string): Ended {
  if (looked?.kind === 'ended') {
    const { outcome } = looked;
    const left = outcome.kind === 'delivered' ? undefined : doubt?.since;
    const saw = outcome.kind === 'delivered' ? 'found' : outcome.kind === 'waiting' ? 'absent' : 'unseen';
    return { outcome: scrubbed(outcome, scrub), doubt: left, saw, unsent: true };
  }
  const outcome = scrubbed(sent, scrub);
  const saw = sightingOf(looked);
  if (outcome.kind === 'delivered') {
    return { outcome, doubt: undefined, ...saw, ...(looked?.kind === 'blind' && looked.note && { note: looked.note }) };
  }
  const older = looked?.kind === 'settled' ? undefined : doubt?.since;
  return { outcome, doubt: older ?? (outcome.kind === 'unknown' ? Date.now() : undefined), ...saw };
}

function sightingOf(looked: Looked | undefined): Pick<Ended, 'saw'> {
  if (looked?.kind === 'settled') return { saw: looked.saw };
  return looked?.kind === 'blind' && looked.asked ? { saw: 'unseen' } : {};
}

/** A batch of one goes by `deliver`, and so is the same at every connector. */
async function call(destination: Destination, items: Item[], handle: Attempt): Promise<Outcome[]> {
  const [first] = items;
  if (!first) return [];
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
  return [await destination.deliver(first, handle)];
}

/** Delivers, and again within seconds while that surely did not arrive and the service did not say when to come back. */
async function bridged(deliver: () => Promise<Outcome[]>, signal: AbortSignal): Promise<Outcome[]> {
  let last: Outcome[] | undefined = await deliver();
  if (!last.every(isBlip)) return last;
  try {
    return await pRetry(
      async (number) => {
        // The first is what has been tried already.
        if (number > 1) last = undefined;
        last ??= await deliver();
        if (last.every(isBlip)) throw new Blip();
        return last;
      },
      { ...BLIP, signal, shouldRetry: ({ error }) => error instanceof Blip },
    );
  } catch (error) {
    // Used up, or stopped: what the last try said holds, if it came to an end. p-retry drops it when the signal has aborted.
    if (last && (error instanceof Blip || error === signal.reason)) return last;
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

/** A service may quote our token back at us, or send a page of HTML. */
function scrubbed<T extends Outcome | Waiting>(outcome: T, scrub: (text: string) => string): T {
  if (outcome.kind === 'delivered') return outcome;
  return { ...outcome, detail: scrub(outcome.detail).slice(0, 500) };
}
