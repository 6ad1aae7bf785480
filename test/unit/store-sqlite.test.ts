import path from 'node:path';
import { openStore } from '../../src/store/open.ts';
import { storeContract } from '../contracts/store.ts';
import { openFolder } from '../support/folder.ts';

storeContract('sqlite', async () => {
  const { folder, remove } = await openFolder();
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
      await remove();
    },
  };
});
