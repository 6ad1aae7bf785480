import type { Config } from '../config/config.ts';
import { RelayError } from '../errors.ts';
import { isServed, openStore } from '../store/open.ts';
import type { LaneRecord, Store } from '../store/store.ts';
import { readConfig } from './common.ts';
import { unknownName } from './listing.ts';

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
  const store = await openStore(config.store);
  try {
    const [lanes, backlog] = [await store.lanes(), await store.backlog()];
    const lane = lanes.find((each) => each.destination === destination);
    const pending = backlog.find((each) => each.destination === destination)?.pending ?? 0;
    if (!config.destinations.has(destination) && lane === undefined && pending === 0) {
      const fix = unknownName('destination', destination, config.destinations.keys()) ?? '';
      throw new RelayError('RELAY_NOT_FOUND', `There is no destination "${destination}".`, { fix });
    }
    await run({
      config,
      store,
      destination,
      lane: lane ?? { destination, paused: false, halt: undefined },
      served: isServed(config.store),
      pending,
    });
  } finally {
    await store.close();
  }
}

/** `no delivery waits`, `12 deliveries wait`. */
export function waiting(pending: number): string {
  if (pending === 0) return 'no delivery waits';
  return pending === 1 ? '1 delivery waits' : `${pending} deliveries wait`;
}
