import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { again, newEvent, type StoreUnderTest, TARGET } from './under-test.ts';

const OFFER = { destination: 'slack', target: TARGET };

/** Whether a store takes an offer is its own affair; what it may not do with one is not. */
export function offersContract(t: StoreUnderTest): void {
  describe('offers', () => {
    test('each delivery is claimed for an offer, or due; never both', async () => {
      const event = newEvent({ destinations: ['sheet', 'slack', 'notion'] });
      const offers = [OFFER, { destination: 'notion', target: TARGET }];
      const { deliveries, claims } = await t.store.accept(event, offers);
      assert.equal(deliveries, 3);
      for (const destination of event.destinations) {
        const offered = claims.filter(({ delivery }) => delivery.destination === destination);
        const due = await t.claim({ destination });
        assert.equal(offered.length + due.length, 1, destination);
        const [{ token } = { token: '' }] = [...offered, ...due];
        assert.equal(await t.store.record(token, TARGET, { state: 'delivered', receipt: {} }), true);
      }
    });

    test('of two events about one subject, one is under way at a time', async () => {
      const first = newEvent({ subject: 'x' });
      const { claims } = await t.store.accept(first, [OFFER]);
      const [{ token } = { token: '' }] = [...claims, ...(await t.claim())];
      const second = await t.store.accept(newEvent({ subject: 'x' }), [OFFER]);
      assert.deepEqual(second.claims, []);
      assert.deepEqual(await t.claim(), []);
      await t.store.record(token, TARGET, { state: 'delivered', receipt: { ts: '1' } });
      const next = await t.claimOne();
      assert.equal(next.event.id, second.id);
      assert.deepEqual(next.receipt, { ts: '1' });
    });

    test('a duplicate is not claimed again, whatever became of the first', async () => {
      const event = newEvent();
      const { claims } = await t.store.accept(event, [OFFER]);
      const [{ token } = { token: '' }] = [...claims, ...(await t.claim())];
      assert.deepEqual((await t.store.accept(event, [OFFER])).claims, []);
      await t.store.record(token, TARGET, again(5000));
      assert.deepEqual((await t.store.accept(event, [OFFER])).claims, []);
      assert.equal((await t.claim()).length, 1);
    });
  });
}
