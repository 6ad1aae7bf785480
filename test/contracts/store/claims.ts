import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Settlement } from '../../../src/store/store.ts';
import { again, newEvent, type StoreUnderTest, subjects, TARGET } from './under-test.ts';

export function claimsContract(t: StoreUnderTest): void {
  describe('claim', () => {
    test('gives the event, its body and the counted attempt', async () => {
      const event = newEvent({ body: Buffer.from('{"interview":{}}') });
      await t.store.accept(event);
      const claimed = await t.claimOne();
      const { body, ...record } = (await t.store.event('e1')) ?? assert.fail();
      assert.deepEqual(claimed.event, record);
      assert.deepEqual(claimed.body, body);
      assert.deepEqual(claimed.delivery, await t.store.delivery('d1'));
      assert.equal(claimed.delivery.attempts, 1);
      assert.deepEqual(claimed.identity, { destination: 'slack', subject: event.subject, generation: 1 });
      assert.equal(claimed.doubt, undefined);
      assert.equal(claimed.receipt, undefined);
      assert.ok(claimed.token.length > 8);
    });

    test('takes what is due, by due time and then by acceptance', async () => {
      for (const [subject, receivedAt] of [
        ['late', 30],
        ['a', 20],
        ['b', 20],
        ['early', 10],
        ['future', 41],
      ] as const) {
        await t.store.accept(newEvent({ subject, receivedAt }));
      }
      assert.deepEqual(subjects(await t.claim({ now: 40 })), ['early', 'a', 'b', 'late']);
      assert.deepEqual(await t.claim({ now: 40 }), []);
      assert.deepEqual(subjects(await t.claim({ now: 41 })), ['future']);
    });

    test('takes no more than the limit, and of its own destination only', async () => {
      for (let index = 0; index < 5; index += 1) await t.store.accept(newEvent({ destinations: ['slack', 'notion'] }));
      assert.equal((await t.claim({ limit: 2 })).length, 2);
      assert.equal((await t.claim({ limit: 10 })).length, 3);
      assert.equal((await t.claim({ destination: 'notion' })).length, 5);
      assert.equal((await t.claim({ destination: 'nowhere' })).length, 0);
    });

    test('takes one delivery of a subject at a time, and none of those excepted', async () => {
      await t.store.accept(newEvent({ subject: 'x' }));
      await t.store.accept(newEvent({ subject: 'x' }));
      await t.store.accept(newEvent({ subject: 'y' }));
      await t.store.accept(newEvent({ subject: 'z' }));
      const claims = await t.claim({ except: ['z'] });
      assert.deepEqual(subjects(claims), ['x', 'y']);
      assert.deepEqual(subjects(await t.claim({ except: ['z'] })), [], 'the second x while the first is under way');
      await t.store.record(claims[0]?.token ?? '', TARGET, { state: 'delivered', receipt: {} });
      assert.deepEqual(subjects(await t.claim()), ['x', 'z']);
    });

    test('concurrent claims never share a delivery', async () => {
      for (let index = 0; index < 20; index += 1) await t.store.accept(newEvent());
      const claims = (await Promise.all(Array.from({ length: 10 }, () => t.claim({ limit: 3 })))).flat();
      assert.equal(claims.length, 20);
      assert.equal(new Set(claims.map(({ delivery }) => delivery.id)).size, 20);
      assert.equal(new Set(claims.map(({ token }) => token)).size, 20);
    });
  });

  describe('record', () => {
    test('delivered: the delivery has the link and nothing to fix, and the next of its subject gets the receipt', async () => {
      await t.store.accept(newEvent({ subject: 'x' }));
      const first = await t.claimOne();
      await t.store.record(first.token, TARGET, { ...again(1500), fix: 'Wait.' } as Settlement);
      const second = await t.claimOne();
      const receipt = { url: 'https://slack.test/1', ts: '1.2', deep: { list: [1, null, true] } };
      assert.equal(await t.store.record(second.token, TARGET, { state: 'delivered', receipt }), true);
      const delivery = await t.store.delivery(second.delivery.id);
      assert.equal(delivery?.state, 'delivered');
      assert.equal(delivery?.url, 'https://slack.test/1');
      assert.equal(delivery?.attempts, 2);
      assert.equal(delivery?.nextAttemptAt, undefined);
      assert.deepEqual([delivery?.reason, delivery?.detail, delivery?.fix], [undefined, undefined, undefined]);
      await t.store.accept(newEvent({ subject: 'x' }));
      assert.deepEqual((await t.claimOne()).receipt, receipt);
    });

    test('an older event that comes after a newer one is told so, and its end leaves the newer in charge', async () => {
      await t.store.accept(newEvent({ subject: 'int_1', receivedAt: 100 }));
      const old = await t.claimOne({ now: 100 });
      assert.equal(old.superseded, false);
      const later = { state: 'pending', nextAttemptAt: 500, reason: 'server', detail: '', counted: true } as const;
      await t.store.record(old.token, TARGET, later);
      await t.store.accept(newEvent({ subject: 'int_1', receivedAt: 200 }));
      const newer = await t.claimOne({ now: 300 });
      assert.equal(newer.superseded, false);
      await t.store.record(newer.token, TARGET, { state: 'delivered', receipt: { ts: 'new' } });
      const again = await t.claimOne({ now: 500 });
      assert.deepEqual([again.event.id, again.superseded, again.receipt], ['e1', true, { ts: 'new' }]);
      await t.store.record(again.token, TARGET, { state: 'delivered', receipt: { ts: 'new' } });
      await t.store.accept(newEvent({ subject: 'int_1', receivedAt: 600 }));
      assert.equal((await t.claimOne({ now: 600 })).superseded, false);
    });

    test('a newer event that was only begun does not stand in for an older one', async () => {
      await t.store.accept(newEvent({ subject: 'int_1', receivedAt: 100 }));
      const old = await t.claimOne({ now: 100 });
      const later = { state: 'pending', nextAttemptAt: 500, reason: 'server', detail: '', counted: true } as const;
      await t.store.record(old.token, TARGET, later);
      await t.store.accept(newEvent({ subject: 'int_1', receivedAt: 200 }));
      const newer = await t.claimOne({ now: 300 });
      await t.store.checkpoint(newer.token, TARGET, { page: 'half' });
      await t.store.record(newer.token, TARGET, { state: 'failed', reason: 'invalid', detail: '', fix: '' });
      const again = await t.claimOne({ now: 500 });
      assert.deepEqual([again.event.id, again.superseded, again.receipt], ['e1', false, { page: 'half' }]);
    });

    test('a receipt belongs to its destination, target and subject', async () => {
      await t.store.accept(newEvent({ subject: 'x', destinations: ['slack', 'notion'] }));
      const { token } = await t.claimOne();
      await t.store.record(token, TARGET, { state: 'delivered', receipt: { ts: '1' } });
      assert.equal((await t.claimOne({ destination: 'notion' })).receipt, undefined);
      await t.store.accept(newEvent({ subject: 'x' }));
      const moved = await t.claimOne({ target: 'slack:C2' });
      assert.equal(moved.receipt, undefined);
      await t.store.record(moved.token, 'slack:C2', { state: 'delivered', receipt: { ts: '2' } });
      await t.store.accept(newEvent({ subject: 'y' }));
      assert.equal((await t.claimOne()).receipt, undefined);
      await t.store.accept(newEvent({ subject: 'x' }));
      assert.deepEqual((await t.claimOne()).receipt, { ts: '1' });
    });

    test('failed: it keeps the reason and its fix, and is not claimed again', async () => {
      await t.store.accept(newEvent());
      const { token, delivery } = await t.claimOne();
      await t.store.record(token, TARGET, {
        state: 'failed',
        reason: 'invalid',
        detail: 'bad block',
        fix: 'Change it.',
      });
      const failed = await t.store.delivery(delivery.id);
      assert.deepEqual(
        [failed?.state, failed?.reason, failed?.detail, failed?.fix, failed?.nextAttemptAt, failed?.attempts],
        ['failed', 'invalid', 'bad block', 'Change it.', undefined, 1],
      );
      assert.deepEqual(await t.claim(), []);
    });

    test('pending: it is due again when it was said, and costs an attempt only when it counts', async () => {
      await t.store.accept(newEvent());
      const first = await t.claimOne();
      await t.store.record(first.token, TARGET, again(5000));
      assert.deepEqual(await t.claim({ now: 4999 }), []);
      const second = await t.claimOne({ now: 5000 });
      assert.equal(second.delivery.attempts, 2);
      await t.store.record(second.token, TARGET, {
        ...again(6000, false),
        reason: 'rate_limited',
        detail: '429',
      } as Settlement);
      const waiting = await t.store.delivery(first.delivery.id);
      assert.deepEqual(
        [waiting?.state, waiting?.attempts, waiting?.reason, waiting?.detail, waiting?.fix, waiting?.nextAttemptAt],
        ['pending', 1, 'rate_limited', '429', undefined, 6000],
      );
      assert.equal((await t.claimOne({ now: 6000 })).delivery.attempts, 2);
    });

    test('a stale token changes nothing', async () => {
      await t.store.accept(newEvent({ subject: 'x' }));
      const stale = await t.claimOne();
      await t.store.record(stale.token, TARGET, again(1001));
      const current = await t.claimOne();
      assert.notEqual(current.token, stale.token);
      for (const token of [stale.token, 'nonsense', '']) {
        assert.equal(await t.store.record(token, TARGET, { state: 'delivered', receipt: { ts: 'stale' } }), false);
        assert.equal(await t.store.record(token, TARGET, again(9000)), false);
        assert.equal(
          await t.store.record(token, TARGET, { state: 'failed', reason: 'bug', detail: 'stale', fix: '' }),
          false,
        );
        assert.equal(await t.store.checkpoint(token, TARGET, { ts: 'stale' }), false);
      }
      assert.equal(await t.stateOf(current.delivery.id), 'pending');
      assert.equal(await t.store.record(current.token, TARGET, { state: 'delivered', receipt: { ts: 'new' } }), true);
      await t.store.accept(newEvent({ subject: 'x' }));
      assert.deepEqual((await t.claimOne()).receipt, { ts: 'new' });
    });

    test('a checkpoint reaches the next attempt, and a failure keeps it', async () => {
      await t.store.accept(newEvent());
      const first = await t.claimOne();
      assert.equal(await t.store.checkpoint(first.token, TARGET, { page: 'p1', url: 'https://notion.test/p1' }), true);
      assert.equal(
        await t.store.checkpoint(first.token, TARGET, { page: 'p1', blocks: 100, url: 'https://notion.test/p1' }),
        true,
      );
      assert.equal((await t.store.delivery(first.delivery.id))?.url, 'https://notion.test/p1');
      await t.store.record(first.token, TARGET, again(1001));
      assert.deepEqual((await t.claimOne()).receipt, { page: 'p1', blocks: 100, url: 'https://notion.test/p1' });
    });
  });

  describe('release', () => {
    test('of some lanes leaves what is under way in others', async () => {
      await t.store.accept(newEvent({ destinations: ['slack', 'notion'] }));
      await t.claimOne();
      const other = await t.claimOne({ destination: 'notion' });
      assert.equal((await t.store.release(['slack', 'sheets'])).freed, 1);
      assert.equal((await t.claim()).length, 1);
      assert.equal(await t.store.record(other.token, TARGET, { state: 'delivered', receipt: {} }), true);
    });

    test('frees what another process had claimed, and its token is stale', async () => {
      await t.store.accept(newEvent());
      await t.store.accept(newEvent());
      const [left] = await t.claim();
      await t.reopen();
      assert.deepEqual(await t.claim(), []);
      assert.equal((await t.store.release()).freed, 2);
      assert.equal((await t.store.release()).freed, 0);
      assert.equal(await t.store.record(left?.token ?? '', TARGET, { state: 'delivered', receipt: {} }), false);
      const claims = await t.claim();
      assert.equal(claims.length, 2);
      assert.ok(claims.every(({ delivery }) => delivery.attempts === 2));
    });

    test('an end before anything was sent is no sign that a delivery does not take the relay down', async () => {
      await t.store.accept(newEvent());
      const later = () => t.claimOne({ now: Date.now() + 10_000 });
      await t.claimOne();
      await t.store.release();
      await t.store.record((await later()).token, TARGET, { ...again(1001, false), unsent: true } as Settlement);
      await later();
      await t.store.release();
      await later();
      const { failed } = await t.store.release();
      assert.deepEqual(failed, ['d1']);
      assert.equal(await t.stateOf('d1'), 'failed');
    });

    test('one that met two crashes is claimed alone, so that a third takes no other along', async () => {
      for (const subject of ['a', 'b', 'c']) await t.store.accept(newEvent({ subject }));
      for (const count of [3, 3]) {
        assert.equal((await t.claim({ now: Date.now() + 10_000 })).length, count);
        await t.store.release();
      }
      await t.store.accept(newEvent({ subject: 'fresh', receivedAt: 2_000_000 }));
      assert.deepEqual(subjects(await t.claim({ now: 2_000_000 })), ['fresh']);
      await t.store.accept(newEvent({ subject: 'sound', receivedAt: 1 }));
      assert.deepEqual(subjects(await t.claim({ now: Date.now() + 10_000 })), ['sound'], 'it leaves them apart, too');
      const alone = await t.claim({ now: Date.now() + 10_000 });
      assert.equal(alone.length, 1);
    });

    test('three claims in a row that ended with no outcome make a delivery failed', async () => {
      await t.store.accept(newEvent());
      const { delivery } = await t.claimOne();
      await t.store.release();
      await t.claimOne();
      await t.store.release();
      await t.store.record((await t.claimOne({ now: Date.now() + 10_000 })).token, TARGET, again(1001));
      for (let strike = 0; strike < 3; strike += 1) {
        assert.equal(await t.stateOf(delivery.id), 'pending', `strike ${strike}`);
        // After two strikes it stands apart from others that met the same crashes.
        assert.equal((await t.claim({ now: Date.now() })).length, strike < 2 ? 1 : 0);
        if (strike === 2) await t.claimOne({ now: Date.now() + 10_000 });
        assert.equal((await t.store.release()).freed, 1);
      }
      const failed = await t.store.delivery(delivery.id);
      assert.deepEqual([failed?.state, failed?.reason, failed?.nextAttemptAt], ['failed', 'bug', undefined]);
      assert.match(failed?.detail ?? '', /3 times/);
      assert.ok(failed?.fix);
      assert.deepEqual(await t.claim(), []);
    });
  });
}
