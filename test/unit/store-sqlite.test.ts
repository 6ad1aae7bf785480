import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openStore } from '../../src/store/open.ts';
import { storeContract } from '../contracts/store.ts';

storeContract('sqlite', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'relay-store-'));
  const file = path.join(folder, 'relay.db');
  let store = await openStore(file);
  return {
    store,
    reopen: async () => {
      await store.close();
      store = await openStore(file);
      return store;
    },
    close: async () => {
      await store.close();
      await rm(folder, { recursive: true });
    },
  };
});
