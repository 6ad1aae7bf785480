import { RelayError } from '../errors.ts';
import type { DeliveryRecord } from '../model.ts';
import { pages } from '../store/pages.ts';
import { deliveryFilterOf, type FilterOptions, nothingFound } from './listing.ts';
import { unknownIds } from './names.ts';
import { Progress } from './progress.ts';
import type { Concerned, Standing } from './proposal.ts';
import type { Recovery } from './recovery.ts';
import { listed, plain } from './words.ts';

/**
 * The deliveries that `retry` and `discard` were given: by their ids, or by filters. Those of the oldest events first.
 *
 * @param otherwise the states that are meant when no filter names one
 * @throws RelayError RELAY_NOT_FOUND when there is none
 */
export async function chosenDeliveries(recovery: Recovery, otherwise: string[]): Promise<Standing[]> {
  const { basics, ids, options } = recovery;
  if (ids.length > 0) return deliveriesById(recovery);
  const states = options.state === undefined ? otherwise : [options.state];
  // By their ids: one may go from one state to the next between two lists.
  const found = new Map<string, Standing>();
  for (const state of states) {
    for await (const page of deliveriesWith({ ...options, state }, recovery)) {
      for (const delivery of page) found.set(delivery.id, delivery);
    }
  }
  if (found.size > 0) return [...found.values()].sort(byAge);
  const [only] = states;
  if (states.length === 1 && only !== undefined) throw nothingFound('deliveries', { ...options, state: only }, basics);
  throw nothingFound(`${states.join(' or ')} deliveries`, options, basics);
}

/** The deliveries that filters choose, page by page. */
export async function* deliveriesWith(options: FilterOptions, recovery: Recovery): AsyncGenerator<Standing[]> {
  const filter = await deliveryFilterOf(options, recovery);
  using progress = new Progress('deliveries counted');
  for await (const page of pages((request) => recovery.store.deliveries(filter, request))) {
    yield page.map(standing);
    progress.add(page.length);
  }
}

export function standing({ id, event, subject, destination, state }: DeliveryRecord): Standing {
  return { id, event, subject, destination, state };
}

/** The store's ids grow: what was accepted first comes first. */
export function byAge(a: Concerned, b: Concerned): number {
  return numberIn(a.event) - numberIn(b.event) || numberIn(a.id ?? 'd0') - numberIn(b.id ?? 'd0');
}

function numberIn(id: string): number {
  return Number(id.slice(1));
}

async function deliveriesById({ store, ids }: Recovery): Promise<DeliveryRecord[]> {
  const found: DeliveryRecord[] = [];
  const unknown: string[] = [];
  for (const id of ids) {
    const delivery = await store.delivery(id);
    if (delivery) found.push(delivery);
    else unknown.push(id);
  }
  if (unknown.length > 0) throw unknownIds('delivery', unknown);
  return found.sort(byAge);
}

/** @throws RelayError RELAY_STATE when some were delivered, with what to do about these instead */
export function refuseDelivered(
  chosen: (Standing & { url?: string | undefined })[],
  fix: (first: Standing) => string,
): void {
  const delivered = chosen.filter(({ state }) => state === 'delivered');
  const [first] = delivered;
  if (!first) return;
  const names = delivered.map(
    ({ id, destination, url }) => `${id} (${destination}${url === undefined ? '' : `, ${plain(url)}`})`,
  );
  const message = `${listed(names)} ${delivered.length === 1 ? 'was' : 'were'} delivered. Nothing was changed.`;
  throw new RelayError('RELAY_STATE', message, { fix: fix(first) });
}
