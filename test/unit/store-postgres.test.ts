import { serveStore } from '../../src/store/open.ts';
import type { Serving, Store } from '../../src/store/store.ts';
import { storeContract } from '../contracts/store.ts';
import { isTested, makeDatabase } from '../support/stores.ts';

/**
 * Takes the lane of each claim first, as the relay does when it starts one; and leaves all lanes before it frees the claims
 * that are nobody's, as one that died has.
 */
function takingLanes({ store, take, give }: Serving): Store {
  const taken = new Set<string>();
  return new Proxy(store, {
    get(target, name) {
      if (name === 'claim') {
        return async (request: Parameters<Store['claim']>[0]) => {
          await take(request.destination, []);
          taken.add(request.destination);
          return target.claim(request);
        };
      }
      if (name === 'release') {
        return async (destinations?: readonly string[]) => {
          if (!destinations) for (const lane of taken) await give(lane);
          return target.release(destinations);
        };
      }
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

if (isTested('postgres')) {
  storeContract('postgres', async () => {
    const location = await makeDatabase();
    let serving = await serveStore(location);
    return {
      store: takingLanes(serving),
      reopen: async () => {
        await serving.close();
        serving = await serveStore(location);
        return takingLanes(serving);
      },
      close: () => serving.close(),
    };
  });
}
