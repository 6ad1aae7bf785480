import { RelayError } from '../errors.ts';
import { deliveriesWith, standing } from './chosen-deliveries.ts';
import { nothingFound } from './listing.ts';
import type { Concerned } from './proposal.ts';
import { type Chosen, chosenEvents, isByDeliveries, readAgain } from './replay-choice.ts';
import {
  alreadyRemoved,
  arranged,
  type Draft,
  identityOf,
  notUnderstood,
  type Puzzling,
  type Replay,
} from './replay-draft.ts';
import { count } from './words.ts';

/**
 * What a replay to where the events went would do.
 *
 * @throws RelayError when nothing is left of what was chosen
 */
export async function whereTheyWent(recovery: Replay): Promise<Draft> {
  const { store, options } = recovery;
  if (isByDeliveries(recovery)) return arranged(await byDeliveries(recovery), options);
  const concerned: Concerned[] = [];
  const astray: Chosen[] = [];
  const removed: string[] = [];
  for await (const batch of chosenEvents(recovery, removed)) {
    const deliveries = await store.deliveriesOf(batch.map(({ id }) => id));
    for (const event of batch) {
      const own = deliveries.get(event.id) ?? [];
      if (own.length === 0) astray.push(event);
      for (const delivery of own) {
        if ((options.destination ?? delivery.destination) === delivery.destination) concerned.push(standing(delivery));
      }
    }
  }
  const [first] = astray;
  if (concerned.length === 0 && first) throw wentNowhere(astray, first);
  const notes = alreadyRemoved(removed, concerned.length > 0);
  if (astray.length > 0) {
    const events = count(astray.length, 'event');
    const text = `${events} went nowhere (${statesOf(astray)}), so nothing is sent again; --reroute asks today's routes.`;
    notes.push({ text, style: 'yellow' });
  }
  return arranged({ concerned, judged: new Map(), notes }, options);
}

/** What a state of deliveries chooses is found without a look at all events. */
async function byDeliveries(recovery: Replay): Promise<Draft> {
  const { basics, options } = recovery;
  const concerned: Concerned[] = [];
  for await (const page of deliveriesWith(options, recovery)) concerned.push(...page);
  if (concerned.length === 0) throw nothingFound('deliveries', options, basics);
  return { concerned, judged: new Map(), notes: [] };
}

function wentNowhere(astray: Chosen[], first: Chosen): RelayError {
  const one = astray.length === 1;
  const which = one ? `The event ${first.id}` : `Each of the ${astray.length} events`;
  const how = one ? `replay ${first.id} --reroute` : 'replay --reroute';
  return new RelayError('RELAY_STATE', `${which} went nowhere (${statesOf(astray)}). Nothing was changed.`, {
    fix: `\`versive-relay ${how}\` asks today's routes; --to <destination> sends without asking them.`,
  });
}

/** `2 unrouted, 1 quarantined`. */
function statesOf(events: Chosen[]): string {
  const groups = [...Map.groupBy(events, ({ state }) => state)];
  return groups.map(([state, own]) => (events.length === 1 ? `${state}` : `${own.length} ${state}`)).join(', ');
}

/**
 * What a replay to one destination would do, whether or not the events went there before.
 *
 * @throws RelayError when nothing is left of what was chosen
 */
export async function toOne(destination: string, recovery: Replay): Promise<Draft> {
  const { store, options } = recovery;
  const draft: Draft = { concerned: [], judged: new Map(), notes: [] };
  const puzzling: Puzzling[] = [];
  const removed: string[] = [];
  for await (const batch of chosenEvents(recovery, removed)) {
    const deliveries = await store.deliveriesOf(batch.map(({ id }) => id));
    for (const { id: event, subject, state } of batch) {
      const there = deliveries.get(event)?.find((each) => each.destination === destination);
      if (there) draft.concerned.push(standing(there));
      else if (state !== 'quarantined') draft.concerned.push({ event, subject, destination });
      else await readQuarantined(event, destination, { recovery, draft, puzzling });
    }
  }
  draft.notes.push(...notUnderstood(puzzling, draft.concerned.length > 0));
  draft.notes.push(...alreadyRemoved(removed, draft.concerned.length > 0));
  return arranged(draft, options);
}

/** Adds a quarantined event to a draft, if it is understood by now. */
async function readQuarantined(
  event: string,
  destination: string,
  { recovery, draft, puzzling }: { recovery: Replay; draft: Draft; puzzling: Puzzling[] },
): Promise<void> {
  const { judged } = (await readAgain(event, recovery)) ?? {};
  if (!judged?.payload) {
    puzzling.push({ event, reason: judged?.reason ?? 'it is gone' });
    return;
  }
  // No route took it, now as before: it goes there because someone said so.
  const judgement = { ...identityOf(judged.payload), state: 'unrouted' as const, routes: [] };
  draft.judged.set(event, judgement);
  draft.concerned.push({ event, subject: judgement.subject, destination });
}
