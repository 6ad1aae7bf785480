import { serveStore } from '../../src/store/open.ts';
import type { Serving, Store } from '../../src/store/store.ts';
import { storeContract } from '../contracts/store.ts';
import { isTested, makeDatabase } from '../support/stores.ts';

/** Takes the lane of each claim first, as the relay does when it starts one. */
function takingLanes({ store, take }: Serving): Store {
  return new Proxy(store, {
    get(target, name) {
      if (name === 'claim') {
        return async (request: Parameters<Store['claim']>[0]) => {
          await take(request.destination, []);
          return target.claim(request);
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
