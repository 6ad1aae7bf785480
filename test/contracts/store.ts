import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { acceptContract } from './store/accept.ts';
import { claimsContract } from './store/claims.ts';
import { doubtsContract } from './store/doubts.ts';
import { lanesContract } from './store/lanes.ts';
import { listsContract } from './store/lists.ts';
import { offersContract } from './store/offers.ts';
import { pruneContract } from './store/prune.ts';
import { recoveryContract } from './store/recovery.ts';
import { newEvent, type OpenedStore, StoreUnderTest, TARGET } from './store/under-test.ts';

/** The suite that every store must pass. Each test gets an empty store from `open`. */
export function storeContract(name: string, open: () => Promise<OpenedStore>): void {
  describe(`storeContract: ${name}`, () => {
    const t = new StoreUnderTest(open);
    beforeEach(() => t.start());
    afterEach(() => t.end());

    acceptContract(t);
    offersContract(t);
    claimsContract(t);
    doubtsContract(t);
    recoveryContract(t);
    lanesContract(t);
    listsContract(t);
    pruneContract(t);

    test('what was stored survives a restart', async () => {
      await t.store.accept(newEvent({ subject: 'x', body: Buffer.from('{"kept":true}') }));
      const { token } = await t.claimOne();
      await t.store.record(token, TARGET, { state: 'delivered', receipt: { ts: '1' } });
      await t.reopen();
      assert.equal((await t.store.event('e1'))?.body.toString(), '{"kept":true}');
      await t.store.accept(newEvent({ subject: 'x' }));
      const claimed = await t.claimOne();
      assert.equal(claimed.event.id, 'e2');
      assert.deepEqual(claimed.receipt, { ts: '1' });
    });

    test('ping tells that it can commit, and no longer once it is closed', async () => {
      await t.store.ping();
      await t.store.close();
      await assert.rejects(t.store.ping(), { code: 'RELAY_STORE_BUSY' });
      await assert.rejects(t.store.accept(newEvent()), { code: 'RELAY_STORE_BUSY' });
      await t.store.close();
    });

    test('closing ends the writes that wait', async () => {
      const writes = Array.from({ length: 5 }, () => t.store.accept(newEvent()));
      await t.store.close();
      assert.equal((await Promise.all(writes)).length, 5);
      await t.reopen();
      assert.equal((await t.store.events({}, { limit: 10 })).length, 5);
    });
  });
}
