import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { NewEvent, Pruned, PruneRequest, Settlement } from '../../../src/store/store.ts';
import { again, newEvent, type StoreUnderTest, TARGET } from './under-test.ts';

const FAILED: Settlement = { state: 'failed', reason: 'invalid', detail: 'bad', fix: 'Mend it.' };
const DELIVERED: Settlement = { state: 'delivered', receipt: { ts: '1' } };
const BEFORE = 2000;

/** Bodies and deliveries of old events are removed; what else is known of them stays. */
export function pruneContract(t: StoreUnderTest): void {
  /** Stores an event and ends its deliveries so. */
  const settled = async (settlement: Settlement, event: Partial<NewEvent> = {}): Promise<string> => {
    const { id } = await t.store.accept(newEvent(event));
    for (const destination of event.destinations ?? ['slack']) {
      const { token } = await t.claimOne({ destination });
      await t.store.record(token, TARGET, settlement);
    }
    return id;
  };
  const prune = async (request: Partial<PruneRequest> = {}): Promise<Pruned> =>
    (await t.store.prune({ before: BEFORE, ...request })) ?? assert.fail('another process prunes');
  const isRemoved = async (id: string): Promise<boolean> => (await t.store.event(id))?.removedAt !== undefined;

  describe('prune', () => {
    test('takes the body and the deliveries of old events that are settled, and leaves what is known of them', async () => {
      const started = Date.now();
      const delivered = newEvent({ subject: 'x', destinations: ['slack', 'notion'], body: Buffer.from('{"said":1}') });
      const id = await settled(DELIVERED, delivered);
      const discarded = await settled(FAILED);
      await t.store.discard(['d3']);
      await t.store.accept(newEvent({ state: 'unrouted', destinations: [], routes: [] }));
      await t.store.accept(newEvent({ state: 'quarantined', destinations: [], routes: [] }));
      const recent = await settled(DELIVERED, { receivedAt: BEFORE });
      assert.deepEqual(await prune(), {
        removed: [id, discarded, 'e3', 'e4'],
        deliveries: 3,
        failed: 0,
        pending: 0,
        after: undefined,
        done: 'e4',
      });
      const event = await t.store.event(id);
      const { source, svixId, subject, study, state, receivedAt, routes } = delivered;
      assert.partialDeepStrictEqual(event, { source, svixId, subject, study, state, receivedAt, routes });
      assert.equal(event?.body.length, 0);
      assert.equal(event?.damage, undefined, 'it is not damaged');
      assert.ok((event?.removedAt ?? 0) >= started);
      assert.deepEqual((await t.store.deliveriesOf([id])).get(id), []);
      assert.equal(await t.store.delivery('d1'), undefined);
      assert.deepEqual(
        (await t.store.events({}, { limit: 10 })).map((each) => each.removedAt === undefined),
        [true, false, false, false, false],
      );
      assert.equal(await isRemoved(recent), false);
      assert.equal((await t.store.event(recent))?.body.toString(), '{}');
      await t.reopen();
      assert.equal(await isRemoved(id), true);
    });

    test('an event with a delivery that failed, waits or is under way stays with all that it has', async () => {
      const failed = await settled(FAILED, { destinations: ['slack', 'notion'] });
      const waiting = await settled(again(9_000_000_000_000), { destinations: ['slack'] });
      const { id: underWay } = await t.store.accept(newEvent({ destinations: ['slack', 'sheets'] }));
      const { token } = await t.claimOne();
      const both = await settled(FAILED, { destinations: ['notion', 'hook'] });
      await t.store.retry(['d7']);
      const found = await prune();
      assert.deepEqual([found.removed, found.deliveries, found.failed, found.pending], [[], 0, 2, 2]);
      for (const id of [failed, waiting, underWay, both]) {
        assert.equal(await isRemoved(id), false);
        assert.equal((await t.store.event(id))?.body.toString(), '{}');
      }
      assert.equal(await t.store.record(token, TARGET, DELIVERED), true);
      assert.equal((await t.store.retry(['d1'])) + (await t.store.discard(['d2'])), 2);
    });

    test('goes on step by step, past what stays, and meets nothing twice', async () => {
      const kept = [await settled(FAILED), await settled(FAILED)];
      for (let n = 0; n < 5; n += 1) await settled(DELIVERED);
      await settled(DELIVERED, { receivedAt: BEFORE });
      const steps: Pruned[] = [];
      for (let after: string | undefined; steps.length < 10; ) {
        const step = await prune({ limit: 2, ...(after !== undefined && { after }) });
        steps.push(step);
        after = step.after;
        if (after === undefined) break;
      }
      assert.deepEqual(
        steps.map(({ removed, failed, after, done }) => [removed.join(' '), failed, after, done]),
        [
          ['', 2, 'e2', undefined],
          ['e3 e4', 0, 'e4', 'e4'],
          ['e5 e6', 0, 'e6', 'e6'],
          ['e7', 0, 'e8', 'e7'],
          ['', 0, undefined, undefined],
        ],
      );
      assert.deepEqual(await prune(), {
        removed: [],
        deliveries: 0,
        failed: 2,
        pending: 0,
        after: undefined,
        done: undefined,
      });
      assert.equal(await t.store.discard([`d${kept[0]?.slice(1)}`]), 1);
      assert.deepEqual((await prune()).removed, ['e1']);
    });

    test('a dry run counts the same, and changes nothing', async () => {
      const id = await settled(DELIVERED);
      await settled(FAILED);
      const counted = await prune({ dryRun: true });
      assert.deepEqual(counted, { removed: [id], deliveries: 1, failed: 1, pending: 0, after: undefined, done: id });
      assert.equal((await t.store.event(id))?.body.toString(), '{}');
      assert.deepEqual(await prune(), counted);
    });

    test('the same svix-id is known still, and a later event of the interview updates what is there', async () => {
      const sent = newEvent({ subject: 'x', svixId: 'msg_old' });
      const id = await settled(DELIVERED, sent);
      await prune();
      assert.deepEqual(await t.store.accept(sent), { id, duplicate: true, deliveries: 0, claims: [] });
      assert.deepEqual(await t.claim(), []);
      await t.store.accept(newEvent({ subject: 'x', receivedAt: BEFORE }));
      const { receipt, superseded, identity } = await t.claimOne();
      assert.deepEqual([receipt, superseded, identity.generation], [{ ts: '1' }, false, 1]);
    });

    test('an older event, brought back, still does not overwrite what a removed one has left', async () => {
      await settled(FAILED, { subject: 'x' });
      const newer = await settled(DELIVERED, { subject: 'x' });
      assert.deepEqual((await prune()).removed, [newer]);
      await t.store.retry(['d1']);
      const claim = await t.claimOne({ now: Date.now() });
      assert.deepEqual([claim.event.id, claim.superseded], ['e1', true]);
    });

    test('a removed event gets no delivery any more, and is judged no more', async () => {
      const id = await settled(DELIVERED);
      await prune();
      const judged = { eventType: 'other', subject: 'y', study: 's', state: 'routed', routes: ['new'] } as const;
      const addition = { event: id, destinations: ['notion'], renew: false, judged: { ...judged, routes: ['new'] } };
      assert.equal(await t.store.add([addition]), 0);
      assert.equal(await t.store.replay(['d1'], { renew: false }), 0);
      assert.notEqual((await t.store.event(id))?.subject, 'y');
      assert.deepEqual(await t.store.backlog(), []);
    });
  });
}
