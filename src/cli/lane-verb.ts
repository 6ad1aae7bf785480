import type { Config } from '../config/config.ts';
import { isServed } from '../store/open.ts';
import type { LaneRecord, Store } from '../store/store.ts';
import { readConfig } from './common.ts';
import { named } from './names.ts';
import { withStore } from './with-store.ts';
import { count } from './words.ts';

/** One destination, and what there is of it, as `pause` and `resume` find it. */
export interface LaneView {
  config: Config;
  store: Store;
  destination: string;
  lane: LaneRecord;
  /** Whether a relay is running on the store. */
  served: boolean;
  /** How many deliveries are pending. */
  pending: number;
}

/**
 * Runs a verb on one destination of the config, or of the store when it left the config.
 *
 * @throws RelayError RELAY_NOT_FOUND with a suggestion when neither knows it
 */
export async function onLane(file: string, destination: string, run: (view: LaneView) => Promise<void>): Promise<void> {
  const config = await readConfig(file);
  await withStore(
    config,
    async (store) => {
      const [lanes, backlog] = [await store.lanes(), await store.backlog()];
      const lane = lanes.find((each) => each.destination === destination);
      const pending = backlog.find((each) => each.destination === destination)?.pending ?? 0;
      // An error, unless the config knows it.
      if (lane === undefined && pending === 0) named('destination', destination, config.destinations);
      await run({
        config,
        store,
        destination,
        lane: lane ?? { destination, paused: false, halt: undefined },
        served: isServed(config.store),
        pending,
      });
    },
    { create: true },
  );
}

/** `no delivery waits`, `12 deliveries wait`. */
export function waiting(pending: number): string {
  return pending === 0 ? 'no delivery waits' : count(pending, 'delivery waits', 'deliveries wait');
}
