import type { Config } from '../config/config.ts';
import type { DeliveryRecord } from '../model.ts';
import { pages } from '../store/pages.ts';
import type { DeliveryFilter, Store } from '../store/store.ts';
import type { RelayState } from './control.ts';

/** What the page shows of a relay: each destination that a route leads to, with how many deliveries stand where. */
export async function relayState(store: Store, config: Config): Promise<RelayState> {
  const [deliveries, lanes] = await Promise.all([allDeliveries(store, {}), store.lanes()]);
  const routed = new Set(config.table.routes.filter(({ enabled }) => enabled).flatMap(({ to }) => to));
  const shown = [...config.destinations.values()].filter(({ name, enabled }) => enabled && routed.has(name));
  const destinations = shown.map(({ name, connector }) => {
    const own = deliveries.filter(({ destination }) => destination === name);
    const pending = own.filter(({ state }) => state === 'pending');
    const retrying = pending.filter(({ reason }) => reason !== undefined);
    const due = retrying.flatMap(({ nextAttemptAt }) => nextAttemptAt ?? []);
    const lane = lanes.find(({ destination }) => destination === name);
    return {
      name,
      connector: connector.name,
      delivered: own.filter(({ state }) => state === 'delivered').length,
      failed: own.filter(({ state }) => state === 'failed').length,
      pending: pending.length - retrying.length,
      retrying: retrying.length,
      reason: retrying[0]?.reason,
      nextAttemptAt: due.length > 0 ? Math.min(...due) : undefined,
      halted: lane?.halt?.fix,
    };
  });
  return { events: await countEvents(store), destinations };
}

/** All deliveries that fit, newest first. */
export async function allDeliveries(store: Store, filter: DeliveryFilter): Promise<DeliveryRecord[]> {
  return (await Array.fromAsync(pages((page) => store.deliveries(filter, page)))).flat();
}

async function countEvents(store: Store): Promise<number> {
  let count = 0;
  for await (const page of pages((request) => store.events({}, request))) count += page.length;
  return count;
}
