import type { Config } from '../config/config.ts';
import { RelayError } from '../errors.ts';
import { isServed } from '../store/open.ts';
import type { LaneRecord, Store } from '../store/store.ts';
import { didYouMean } from '../suggest.ts';
import { readBasics } from './common.ts';
import { named } from './names.ts';
import { withStore } from './with-store.ts';
import { count } from './words.ts';

/** One destination, and what there is of it, as `pause` and `resume` find it. */
export interface LaneView {
  /** Undefined when it cannot be read. */
  config: Config | undefined;
  store: Store;
  destination: string;
  lane: LaneRecord;
  /** Whether a relay is running on the store. */
  served: boolean;
  /** How many of its deliveries are pending. */
  pending: number;
}

/**
 * Runs a verb on one destination of the config, or of the store when it left the config.
 *
 * @throws RelayError RELAY_NOT_FOUND with a suggestion when neither knows it
 */
export async function onLane(file: string, destination: string, run: (view: LaneView) => Promise<void>): Promise<void> {
  const { store: storeFile, config } = await readBasics(file);
  await withStore(
    { store: storeFile },
    async (store) => {
      const [lanes, backlog] = [await store.lanes(), await store.backlog()];
      const lane = lanes.find((each) => each.destination === destination);
      const pending = backlog.find((each) => each.destination === destination)?.pending ?? 0;
      if (lane === undefined && pending === 0) {
        // An error, unless the config knows it.
        if (config) named('destination', destination, config.destinations);
        else await provesKnown(destination, store);
      }
      await run({
        config,
        store,
        destination,
        lane: lane ?? { destination, paused: false, halt: undefined },
        served: await isServed(storeFile),
        pending,
      });
    },
    // Never one of which the config says only half.
    { create: config !== undefined },
  );
}

/** @throws RelayError RELAY_NOT_FOUND when the store holds nothing of the destination */
async function provesKnown(destination: string, store: Store): Promise<void> {
  const [delivery] = await store.deliveries({ destination }, { limit: 1 });
  if (delivery) return;
  const names = [...(await store.lanes()), ...(await store.backlog())].map((each) => each.destination);
  const message = `The store has nothing of a destination "${destination}", and the config cannot be asked.`;
  throw new RelayError('RELAY_NOT_FOUND', `${message}${didYouMean(destination, names)}`, {
    fix: 'Is the name right? If so, put the config right first.',
  });
}

/** `no delivery waits`, `12 deliveries wait`. */
export function waiting(pending: number): string {
  return pending === 0 ? 'no delivery waits' : count(pending, 'delivery waits', 'deliveries wait');
}
