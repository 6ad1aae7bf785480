import { RelayError } from '../errors.ts';
import type { Payload } from '../model.ts';
import type { Addition } from '../store/store.ts';
import { byAge } from './chosen-deliveries.ts';
import type { Concerned } from './proposal.ts';
import type { Recovery, RecoveryOptions } from './recovery.ts';
import type { Cell } from './table.ts';
import { count, isOrAre, listed, plain } from './words.ts';

export interface ReplayOptions extends RecoveryOptions {
  to?: string;
  reroute?: true;
  new?: true;
}

export type Replay = Recovery<ReplayOptions>;

/** What is thought of an event now. */
export type Judgement = NonNullable<Addition['judged']>;

/** What a replay would do. */
export interface Draft {
  concerned: Concerned[];
  /** Of events that are thought of otherwise than before, by their ids. */
  judged: Map<string, Judgement>;
  notes: Cell[];
}

/** What an event that is understood calls itself. */
export function identityOf({ event_type, interview, study }: Payload): Omit<Judgement, 'state' | 'routes'> {
  return { eventType: event_type, subject: interview.id, study: study.id };
}

/** An event that is still not understood. */
export interface Puzzling {
  event: string;
  reason: string;
}

/**
 * That some events are left out, since they are not understood.
 *
 * @throws RelayError RELAY_STATE when there are no others
 */
export function notUnderstood(puzzling: Puzzling[], others: boolean): Cell[] {
  const [first] = puzzling;
  if (!first) return [];
  const why = puzzling.length === 1 ? first.reason : `${first.event}: ${first.reason}`;
  const message = `${listed(puzzling.map(({ event }) => event))} ${isOrAre(puzzling.length)} still not understood (${plain(why)})`;
  if (others) return [{ text: `${message} and left out.`, style: 'yellow' }];
  throw new RelayError('RELAY_STATE', `${message}. Nothing was changed.`, {
    fix: 'If Versive sent that, a newer version of the relay may understand it: the event is kept until then.',
  });
}

/**
 * That some events are left out, since their bodies were removed.
 *
 * @throws RelayError RELAY_STATE when there are no others
 */
export function alreadyRemoved(removed: string[], others: boolean): Cell[] {
  if (removed.length === 0) return [];
  const bodies = removed.length === 1 ? 'body was' : 'bodies were';
  const message = `${listed(removed)}: the ${bodies} removed, since ${removed.length === 1 ? 'it was' : 'they were'} old`;
  if (others) return [{ text: `${message}. Left out.`, style: 'yellow' }];
  throw new RelayError('RELAY_STATE', `${message}. Nothing was changed.`, {
    fix: 'What was delivered stays where it is. How long bodies are kept, `retention:` says.',
  });
}

/** Oldest first; with `--new` only the newest of several events of one interview at one destination. */
export function arranged({ concerned, judged, notes }: Draft, { new: renew }: ReplayOptions): Draft {
  concerned.sort(byAge);
  if (!renew) {
    const isThere = concerned.some(({ state }) => state === 'delivered');
    const text = 'What was delivered is updated in place; --new would post it anew.';
    return { concerned, judged, notes: isThere ? [...notes, { text }] : notes };
  }
  const newest = new Map(concerned.map((each) => [JSON.stringify([each.destination, each.subject]), each]));
  const kept = new Set(newest.values());
  const [posted, older] = [concerned.filter((each) => kept.has(each)), concerned.filter((each) => !kept.has(each))];
  // An event of which nothing is posted is not thought of otherwise either.
  const stays = new Set(older.map(({ event }) => event)).difference(new Set(posted.map(({ event }) => event)));
  const added: Cell[] = [];
  if (older.length > 0) {
    const deliveries = count(older.length, 'delivery of an older event is', 'deliveries of older events are');
    const text = `${deliveries} left out: of one interview, only the newest event is posted anew.`;
    added.push({ text, style: 'yellow' });
  }
  if (posted.length > 0) added.push({ text: 'Each is posted anew; what was posted before stays beside it.' });
  return {
    concerned: posted,
    judged: new Map([...judged].filter(([event]) => !stays.has(event))),
    notes: [...notes, ...added],
  };
}
