import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Claim, Settlement } from '../../../src/store/store.ts';
import { again, newEvent, type StoreUnderTest, TARGET } from './under-test.ts';

const FAILED: Settlement = { state: 'failed', reason: 'invalid', detail: 'bad', fix: 'Mend it.' };
const DELIVERED: Settlement = { state: 'delivered', receipt: { ts: '1' } };

/** Dead letters and replays: retry, discard, replay, add. */
export function recoveryContract(t: StoreUnderTest): void {
  const claimed = async (): Promise<Claim> => {
    await t.store.accept(newEvent({ subject: 'x' }));
    return t.claimOne();
  };
  const ended = async (settlement: Settlement): Promise<string> => {
    const { token, delivery } = await claimed();
    await t.store.record(token, TARGET, settlement);
    return delivery.id;
  };
  const due = () => t.claim({ now: Date.now() });

  describe('verbs', () => {
    test('retry brings failed, discarded and waiting deliveries back, with their whole schedule before them', async () => {
      const failed = await ended(FAILED);
      const waiting = await ended(again(9_000_000_000_000));
      const discarded = await ended(FAILED);
      await t.store.discard([discarded]);
      const delivered = await ended(DELIVERED);
      assert.equal(await t.store.retry([failed, waiting, discarded, delivered, 'd999', 'nonsense']), 3);
      assert.equal(await t.stateOf(delivered), 'delivered');
      for (const id of [failed, waiting, discarded]) {
        const delivery = await t.store.delivery(id);
        assert.deepEqual([delivery?.state, delivery?.attempts, delivery?.reason], ['pending', 0, undefined]);
        assert.ok((delivery?.nextAttemptAt ?? Number.POSITIVE_INFINITY) <= Date.now());
      }
    });

    test('discard gives up what is pending or failed, and counts it no longer as backlog', async () => {
      const failed = await ended(FAILED);
      const waiting = await ended(again(5000));
      const delivered = await ended(DELIVERED);
      assert.equal(await t.store.discard([failed, waiting, delivered]), 2);
      assert.deepEqual(await Promise.all([failed, waiting, delivered].map((id) => t.stateOf(id))), [
        'discarded',
        'discarded',
        'delivered',
      ]);
      assert.deepEqual(await t.store.backlog(), []);
      assert.deepEqual(await t.claim(), []);
    });

    test('replay brings delivered ones back too, and they update what is there', async () => {
      const id = await ended(DELIVERED);
      assert.equal(await t.store.replay([id, 'd999'], { renew: false }), 1);
      const [claim] = await due();
      assert.deepEqual([claim?.delivery.id, claim?.receipt, claim?.superseded], [id, { ts: '1' }, false]);
    });

    for (const [wish, settlement, state] of [
      ['retry', FAILED, 'pending'],
      ['retry', again(9_000_000_000_000), 'pending'],
      ['retry', DELIVERED, 'delivered'],
      ['discard', FAILED, 'discarded'],
      ['discard', again(5000), 'discarded'],
      ['discard', DELIVERED, 'delivered'],
      ['replay', FAILED, 'pending'],
      ['replay', DELIVERED, 'pending'],
    ] as const) {
      test(`${wish} of one under way waits for its end: ${settlement.state} becomes ${state}`, async () => {
        const { token, delivery } = await claimed();
        const ask = {
          retry: () => t.store.retry([delivery.id]),
          discard: () => t.store.discard([delivery.id]),
          replay: () => t.store.replay([delivery.id], { renew: false }),
        };
        assert.equal(await ask[wish](), 1);
        assert.equal(await t.stateOf(delivery.id), 'pending');
        assert.deepEqual(await due(), [], 'it stays under way');
        assert.equal(await t.store.record(token, TARGET, settlement), true);
        assert.equal(await t.stateOf(delivery.id), state);
        assert.equal((await due()).length, state === 'pending' ? 1 : 0);
        // The wish is done: another end does not repeat it.
        await t.store.release();
        for (const claim of await due()) await t.store.record(claim.token, TARGET, DELIVERED);
        assert.equal(await t.stateOf(delivery.id), state === 'discarded' ? 'discarded' : 'delivered');
      });
    }

    test('a wish outlives a crash, and a replay that renews is not lost to a later retry', async () => {
      const first = await claimed();
      await t.store.discard([first.delivery.id]);
      await t.reopen();
      assert.equal((await t.store.release()).freed, 1);
      assert.equal(await t.stateOf(first.delivery.id), 'discarded');

      const second = await claimed();
      await t.store.replay([second.delivery.id], { renew: true });
      await t.store.retry([second.delivery.id]);
      await t.store.record(second.token, TARGET, DELIVERED);
      const [again] = await due();
      assert.deepEqual([again?.delivery.id, again?.identity.generation], [second.delivery.id, 2]);
    });

    test('more than a step of them are done in several commits, all of them', async () => {
      const ids = await Promise.all(
        Array.from({ length: 1203 }, async (_, n) => {
          await t.store.accept(newEvent({ subject: `s${n}` }));
          return `d${n + 1}`;
        }),
      );
      assert.equal(await t.store.discard(ids), 1203);
      assert.equal(await t.store.retry(ids), 1203);
    });
  });

  describe('add', () => {
    test('makes the deliveries that an event does not have, once, due at once', async () => {
      const { id } = await t.store.accept(newEvent({ subject: 'x', destinations: ['notion'] }));
      const addition = { event: id, destinations: ['slack', 'notion'], renew: false };
      assert.equal(await t.store.add([addition]), 1);
      assert.equal(await t.store.add([addition, { ...addition, event: 'e999' }]), 0);
      const claims = await due();
      assert.deepEqual(
        claims.map(({ delivery }) => [delivery.event, delivery.subject, delivery.destination]),
        [[id, 'x', 'slack']],
      );
    });

    test('what is thought of the event today is kept with it', async () => {
      const { id } = await t.store.accept(
        newEvent({ state: 'quarantined', eventType: '', subject: '', study: '', reason: 'new', destinations: [] }),
      );
      const judged = {
        eventType: 'interview.completed',
        subject: 'int_9',
        study: 'study_9',
        state: 'routed',
        routes: ['all'],
      } as const;
      const addition = { event: id, destinations: ['slack'], renew: true, judged: { ...judged, routes: ['all'] } };
      assert.equal(await t.store.add([addition]), 1);
      const event = await t.store.event(id);
      assert.deepEqual(
        [event?.state, event?.subject, event?.study, event?.routes, event?.reason],
        ['routed', 'int_9', 'study_9', ['all'], undefined],
      );
      const [claim] = await due();
      assert.deepEqual([claim?.delivery.subject, claim?.identity.generation], ['int_9', 1]);
    });
  });

  test('a clock that is set back, also while no process runs, lets nothing wait for the same hour again', async ({
    mock,
  }) => {
    const now = Date.now();
    const clock = mock.method(Date, 'now', () => now + 3_600_000);
    const waiting = await ended(again(now + 3_660_000));
    const failed = await ended(FAILED);
    await t.store.accept(newEvent({ subject: 'under way', receivedAt: now + 3_600_000 }));
    const killed = await t.claimOne({ now: now + 3_600_000 });
    await t.reopen();
    clock.mock.mockImplementation(() => now);
    await t.store.release();
    const freed = await t.claim({ now, except: ['x'] });
    assert.deepEqual(
      freed.map(({ delivery }) => delivery.id),
      [killed.delivery.id],
    );
    const [claim] = await t.claim({ now });
    assert.equal(claim?.delivery.id, waiting);
    assert.equal(await t.stateOf(failed), 'failed');

    await t.store.record(claim?.token ?? '', TARGET, again(now + 60_000));
    clock.mock.mockImplementation(() => now - 3_600_000);
    await new Promise<void>((resolve) => t.store.watch(() => resolve()));
    assert.equal((await t.claim({ now: now - 3_600_000 })).length, 1, 'a running relay notices, and is told to look');
  });
}
