import type { Attempt, Destination, Item } from '../connector.ts';
import { delivered, type Outcome, type Sighting, unknown } from '../outcome.ts';
import type { Claim } from '../store/store.ts';
import type { Doubts } from './doubts.ts';
import { thrown } from './thrown.ts';

/** Nothing is there yet, and something may still come: it costs no attempt to ask again later. */
export interface Waiting {
  kind: 'waiting';
  reason: 'timeout';
  detail: string;
  afterMs: number;
}

/** What is known of an item once the service has been asked. */
export type Looked =
  /** The doubt is over: deliver, with the receipt that the item has now, if it has one. */
  | { kind: 'settled'; saw: 'found' | 'absent' }
  /** Nobody can tell: deliver, and say so. */
  | { kind: 'blind'; asked: boolean; note?: { detail: string; fix: string } }
  /** Do not deliver now. The doubt stays unless it was delivered. */
  | { kind: 'ended'; outcome: Outcome | Waiting };

/**
 * Asks the service what became of earlier writes of unknown end, before anything is sent again; and whether a place that
 * the config calls by another name has the item already. What is found goes into the ledger and the item as its receipt,
 * so that the delivery goes on as an update.
 *
 * @returns by item; those that were not asked for are not in it
 */
export async function look(
  claims: Claim[],
  items: Item[],
  destination: Destination,
  { handle, doubts }: { handle: Attempt; doubts: Doubts },
): Promise<Map<Item, Looked>> {
  const claimOf = new Map(items.map((item, index) => [item, claims[index] as Claim]));
  const isInDoubt = (item: Item) => claimOf.get(item)?.doubt !== undefined;
  if (!destination.find) return new Map(items.filter(isInDoubt).map((item) => [item, { kind: 'blind', asked: false }]));
  const asked = items.filter((item) => isInDoubt(item) || claimOf.get(item)?.elsewhere);
  if (asked.length === 0) return new Map();
  let sightings: Sighting[];
  try {
    sightings = await destination.find(asked, handle);
  } catch (error) {
    // Nothing was sent, and those without a doubt need not wait for it.
    sightings = asked.map(() => thrown(error));
  }
  // Known from now on, whatever becomes of this attempt.
  const receipts = asked.map((item, index) => [item, sightings[index]] as const);
  await Promise.all(
    receipts.map(([item, seen]) => (seen?.kind === 'found' ? handle.checkpoint(item, seen.receipt) : undefined)),
  );
  return new Map(
    asked.map((item, index): [Item, Looked] => {
      const sighting = sightings[index];
      switch (sighting?.kind) {
        case 'found': {
          // Older words must not go over those of a later event, whose write this may be.
          if (claimOf.get(item)?.doubt?.newer) {
            return [item, { kind: 'ended', outcome: delivered(sighting.receipt) }];
          }
          return [item, { kind: 'settled', saw: 'found' }];
        }
        case 'absent': {
          const afterMs = isInDoubt(item) ? doubts.unsettled(item.identity.subject) : 0;
          if (afterMs <= 0) return [item, { kind: 'settled', saw: 'absent' }];
          return [item, { kind: 'ended', outcome: waiting(afterMs) }];
        }
        case 'blind': {
          const { detail, fix } = sighting;
          // With a receipt it is updated: only what someone has deleted could be there twice.
          const mayDouble = isInDoubt(item) && item.receipt === undefined;
          return [item, { kind: 'blind', asked: true, ...(mayDouble && { note: { detail, fix } }) }];
        }
        default: {
          const bug = unknown('bug', `the connector gave ${sightings.length} sightings for ${asked.length} items`);
          return [item, { kind: 'ended', outcome: sighting ?? bug }];
        }
      }
    }),
  );
}

function waiting(afterMs: number): Waiting {
  const detail = 'an earlier try may still arrive: it is looked for again before anything else is sent';
  return { kind: 'waiting', reason: 'timeout', detail, afterMs: Math.ceil(afterMs) };
}
