import type { Config } from '../config/config.ts';
import { openStore } from '../store/open.ts';
import type { Store } from '../store/store.ts';

/**
 * Runs a verb on the store of the config, and closes it.
 *
 * @param options.create makes a store that is not there yet; it must be there by default
 */
export async function withStore<T>(
  { store: file }: Pick<Config, 'store'>,
  run: (store: Store) => Promise<T>,
  options: { create: boolean } = { create: false },
): Promise<T> {
  const store = await openStore(file, options);
  try {
    return await run(store);
  } finally {
    await store.close();
  }
}
