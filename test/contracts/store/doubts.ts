import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { again, newEvent, type StoreUnderTest, TARGET } from './under-test.ts';

/** The ledger's doubts and generations. */
export function doubtsContract(t: StoreUnderTest): void {
  const accept = (receivedAt = 1000, destinations = ['slack']) =>
    t.store.accept(newEvent({ subject: 'x', receivedAt, destinations }));

  describe('doubt', () => {
    test('a claim puts its subject in doubt, which a crash leaves there', async () => {
      await accept();
      const first = await t.claimOne({ now: 5000 });
      assert.equal(first.doubt, undefined);
      await t.reopen();
      await t.store.release();
      const second = await t.claimOne({ now: 9000 });
      assert.deepEqual(second.doubt, { since: 5000, newer: false });
      await t.store.release();
      assert.deepEqual((await t.claimOne({ now: Date.now() + 10_000 })).doubt?.since, 5000, 'since the first of them');
    });

    test('the end of a claim leaves the doubt that it is told, and no other', async () => {
      await accept();
      const first = await t.claimOne();
      await t.store.record(first.token, TARGET, { ...again(1001), doubt: 4000 });
      const second = await t.claimOne();
      assert.deepEqual(second.doubt, { since: 4000, newer: false });
      await t.store.record(second.token, TARGET, again(1001));
      const third = await t.claimOne();
      assert.equal(third.doubt, undefined);
      await t.store.record(third.token, TARGET, { ...again(1001), doubt: 6000 });
      await t.store.record((await t.claimOne()).token, TARGET, { state: 'delivered', receipt: { ts: '1' } });
      await accept();
      assert.deepEqual([(await t.claimOne()).doubt], [undefined]);
    });

    test('it belongs to the subject: a later event meets it, also after a failure or a discard', async () => {
      await accept(100);
      const failed = await t.claimOne({ now: 100 });
      await t.store.record(failed.token, TARGET, {
        state: 'failed',
        reason: 'timeout',
        detail: '',
        fix: '',
        doubt: 4000,
      });
      await accept(200);
      const next = await t.claimOne({ now: 200 });
      assert.deepEqual(next.doubt, { since: 4000, newer: false });
      await t.store.record(next.token, TARGET, { ...again(300), doubt: 4000 });
      assert.equal(await t.store.discard([failed.delivery.id, next.delivery.id]), 2);
      await accept(400);
      assert.deepEqual((await t.claimOne({ now: 400 })).doubt?.since, 4000);
    });

    test('an older event is told that the doubt is of a newer one', async () => {
      await accept(100);
      await t.store.record((await t.claimOne({ now: 100 })).token, TARGET, again(900));
      await accept(200);
      const newer = await t.claimOne({ now: 300 });
      await t.store.record(newer.token, TARGET, { ...again(5000), doubt: 300 });
      const older = await t.claimOne({ now: 900 });
      assert.deepEqual([older.event.id, older.doubt], ['e1', { since: 300, newer: true }]);
    });

    test('a newer event that was given up meanwhile stands in nobody’s way', async () => {
      await accept(100);
      await t.store.record((await t.claimOne({ now: 100 })).token, TARGET, again(900));
      await accept(200);
      const newer = await t.claimOne({ now: 300 });
      const failed = { state: 'failed', reason: 'timeout', detail: '', fix: '', doubt: 300 } as const;
      await t.store.record(newer.token, TARGET, failed);
      assert.deepEqual((await t.claimOne({ now: 900 })).doubt, { since: 300, newer: false });
    });

    test('a rename onto a name that is in use loses no doubt and no receipt', async () => {
      await accept(100, ['slack', 'alerts']);
      const old = await t.claimOne({ now: 300 });
      await t.store.record(old.token, TARGET, { ...again(5000), doubt: 300 });
      const kept = await t.claimOne({ destination: 'alerts', now: 400 });
      await t.store.record(kept.token, TARGET, { state: 'delivered', receipt: { ts: 'kept' } });
      await t.store.rename('slack', 'alerts');
      await accept(600, ['alerts']);
      const merged = await t.claimOne({ destination: 'alerts', now: 600 });
      assert.deepEqual([merged.receipt, merged.doubt?.since], [{ ts: 'kept' }, 300]);
    });

    test('where each event stands by itself, none is superseded, and none is in the way of another', async () => {
      await accept(100);
      await t.store.record((await t.claimOne({ now: 100 })).token, TARGET, again(900));
      await accept(200);
      await t.store.record((await t.claimOne({ now: 300 })).token, TARGET, {
        state: 'delivered',
        receipt: { id: '2' },
      });
      assert.equal((await t.claimOne({ now: 900, standsAlone: true })).superseded, false);
    });

    test('a claim is told when another target has a receipt of the subject, also under a former name', async () => {
      await accept();
      const first = await t.claimOne();
      assert.equal(first.elsewhere, false);
      await t.store.record(first.token, TARGET, { state: 'delivered', receipt: { ts: '1' } });
      await accept();
      const moved = await t.claimOne({ target: 'slack:C2' });
      assert.deepEqual([moved.elsewhere, moved.receipt], [true, undefined]);
      await t.store.record(moved.token, 'slack:C2', again(1001));
      const next = await t.claimOne({ target: 'slack:C2' });
      assert.equal(next.elsewhere, true, 'until it has a receipt there, too');
      await t.store.record(next.token, 'slack:C2', { state: 'delivered', receipt: { ts: '2' } });
      await t.store.replay([first.delivery.id], { renew: true });
      const renewed = await t.claimOne({ target: 'slack:C4', now: Date.now() });
      assert.equal(renewed.elsewhere, false, 'who wants it anew looks for nothing');
      await t.store.record(renewed.token, 'slack:C4', { state: 'delivered', receipt: { ts: '4' } });
      await accept();
      await t.store.rename('slack', 'alerts');
      const renamed = await t.claimOne({ destination: 'alerts', target: 'slack:C3' });
      assert.equal(renamed.elsewhere, true);
      await t.store.accept(newEvent({ subject: 'y', destinations: ['alerts'] }));
      assert.equal((await t.claimOne({ destination: 'alerts', target: 'slack:C3' })).elsewhere, false);
    });

    test('a checkpoint and its doubt go together; another target knows of neither', async () => {
      await accept();
      const first = await t.claimOne({ now: 2000 });
      await t.store.checkpoint(first.token, TARGET, { page: 'half' });
      await t.store.release();
      const elsewhere = await t.claimOne({ target: 'slack:C2' });
      assert.deepEqual([elsewhere.receipt, elsewhere.doubt], [undefined, undefined]);
      await t.store.record(elsewhere.token, 'slack:C2', again(1001));
      const back = await t.claimOne();
      assert.deepEqual([back.receipt, back.doubt], [{ page: 'half' }, { since: 2000, newer: false }]);
    });

    test('a superseded claim adds no doubt', async () => {
      await accept(100);
      await t.store.record((await t.claimOne({ now: 100 })).token, TARGET, again(900));
      await accept(200);
      await t.store.record((await t.claimOne({ now: 300 })).token, TARGET, {
        state: 'delivered',
        receipt: { ts: '2' },
      });
      assert.equal((await t.claimOne({ now: 900 })).superseded, true);
      await t.store.release();
      await t.store.record((await t.claimOne({ now: 900 })).token, TARGET, {
        state: 'delivered',
        receipt: { ts: '2' },
      });
      await accept(1000);
      assert.equal((await t.claimOne({ now: 1000 })).doubt, undefined);
    });

    test('a rename carries doubts, receipts and what the service knows them by', async () => {
      await accept();
      const first = await t.claimOne({ now: 3000 });
      assert.equal(first.identity.destination, 'slack');
      await t.store.release();
      await t.store.rename('slack', 'alerts');
      const renamed = await t.claimOne({ destination: 'alerts' });
      assert.deepEqual(renamed.identity, { destination: 'slack', subject: 'x', generation: 1 });
      assert.equal(renamed.doubt?.since, 3000);
      await t.store.record(renamed.token, TARGET, { state: 'delivered', receipt: { ts: '1' } });
      await t.store.accept(newEvent({ subject: 'y', destinations: ['alerts'] }));
      assert.equal((await t.claimOne({ destination: 'alerts' })).identity.destination, 'alerts');
    });
  });

  describe('generations', () => {
    test('a replay that renews starts one: no receipt, and the earlier ones are told', async () => {
      await accept();
      const first = await t.claimOne();
      await t.store.record(first.token, TARGET, { state: 'delivered', receipt: { ts: '1' } });
      await t.store.replay([first.delivery.id], { renew: true });
      const second = await t.claimOne({ now: Date.now() });
      assert.equal(second.identity.generation, 2);
      assert.deepEqual([second.receipt, second.earlier, second.superseded], [undefined, [{ ts: '1' }], false]);
      await t.store.release();
      const third = await t.claimOne({ now: Date.now() });
      assert.equal(third.identity.generation, 2, 'a crash starts none');
      assert.ok(third.doubt);
      await t.store.record(third.token, TARGET, { state: 'delivered', receipt: { ts: '2' } });
      await t.store.replay([first.delivery.id], { renew: false });
      const fourth = await t.claimOne({ now: Date.now() });
      assert.deepEqual([fourth.identity.generation, fourth.receipt, fourth.earlier], [2, { ts: '2' }, [{ ts: '1' }]]);
    });
  });
}
