import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Store } from '../../../src/store/store.ts';
import { newEvent, type StoreUnderTest, TARGET } from './under-test.ts';

export function listsContract(t: StoreUnderTest): void {
  describe('lists', () => {
    /** e1 … e6: two studies, two destinations, one unrouted, one quarantined. d1 delivered, d2 failed, the rest pending. */
    const fill = async () => {
      const routed = [
        { subject: 'i1', study: 's1', receivedAt: 100, routes: ['r1', 'r2'], destinations: ['slack', 'notion'] },
        { subject: 'i2', study: 's1', receivedAt: 200, routes: ['r1'], destinations: ['slack'] },
        { subject: 'i3', study: 's2', receivedAt: 300, routes: ['r2'], destinations: ['notion'] },
        { subject: 'i1', study: 's2', receivedAt: 400, routes: ['r2'], destinations: ['notion'] },
      ];
      for (const event of routed) await t.store.accept(newEvent(event));
      await t.store.accept(newEvent({ state: 'unrouted', study: 's1', receivedAt: 500, routes: [], destinations: [] }));
      await t.store.accept(
        newEvent({ state: 'quarantined', study: '', receivedAt: 600, routes: [], destinations: [] }),
      );
      const first = await t.claimOne();
      await t.store.record(first.token, TARGET, { state: 'delivered', receipt: { url: 'https://slack.test/1' } });
      const second = await t.claimOne({ destination: 'notion' });
      await t.store.record(second.token, 'n', { state: 'failed', reason: 'invalid', detail: 'no', fix: 'yes' });
    };
    const page = { limit: 50 };
    const ids = (records: { id: string }[]) => records.map(({ id }) => id).join(' ');

    test('events are listed newest first, by every filter', async () => {
      await fill();
      const cases: [Parameters<Store['events']>[0], string][] = [
        [{}, 'e6 e5 e4 e3 e2 e1'],
        [{ state: 'routed' }, 'e4 e3 e2 e1'],
        [{ state: 'unrouted' }, 'e5'],
        [{ state: 'quarantined' }, 'e6'],
        [{ destination: 'slack' }, 'e2 e1'],
        [{ route: 'r1' }, 'e2 e1'],
        [{ route: 'r' }, ''],
        [{ study: 's1' }, 'e5 e2 e1'],
        [{ interview: 'i1' }, 'e4 e1'],
        [{ since: 300 }, 'e6 e5 e4 e3'],
        [{ until: 300 }, 'e2 e1'],
        [{ since: 200, until: 400 }, 'e3 e2'],
        [{ study: 's2', destination: 'notion', route: 'r2', interview: 'i1', state: 'routed' }, 'e4'],
        [{ study: 's2', destination: 'slack' }, ''],
      ];
      for (const [filter, expected] of cases) {
        assert.equal(ids(await t.store.events(filter, page)), expected, JSON.stringify(filter));
      }
    });

    test('deliveries are listed newest first, by every filter', async () => {
      await fill();
      const cases: [Parameters<Store['deliveries']>[0], string][] = [
        [{}, 'd5 d4 d3 d2 d1'],
        [{ state: 'delivered' }, 'd1'],
        [{ state: 'failed' }, 'd2'],
        [{ state: 'pending' }, 'd5 d4 d3'],
        [{ state: 'discarded' }, ''],
        [{ destination: 'notion' }, 'd5 d4 d2'],
        [{ state: 'pending', destinations: ['notion', 'gone'] }, 'd5 d4'],
        [{ destinations: [] }, ''],
        [{ route: 'r1' }, 'd3 d2 d1'],
        [{ study: 's2' }, 'd5 d4'],
        [{ interview: 'i1' }, 'd5 d2 d1'],
        [{ since: 200, until: 400 }, 'd4 d3'],
        [{ interview: 'i1', destination: 'notion', state: 'failed', study: 's1', route: 'r2', since: 100 }, 'd2'],
      ];
      for (const [filter, expected] of cases) {
        assert.equal(ids(await t.store.deliveries(filter, page)), expected, JSON.stringify(filter));
      }
    });

    test('pages join without a gap or a repeat, and hold at most 1,000', async () => {
      await Promise.all(Array.from({ length: 1005 }, () => t.store.accept(newEvent())));
      for (const list of [t.store.events.bind(t.store, {}), t.store.deliveries.bind(t.store, {})]) {
        const all: { id: string }[] = [];
        for (;;) {
          const last = all.at(-1)?.id;
          const next = await list({ limit: 400, ...(last !== undefined && { before: last }) });
          if (next.length === 0) break;
          all.push(...next);
        }
        assert.equal(new Set(all.map(({ id }) => id)).size, 1005);
        assert.match(all[0]?.id ?? '', /1005$/);
        assert.equal((await list({ limit: 5000 })).length, 1000);
      }
    });

    test('the deliveries of events come by event', async () => {
      await fill();
      const found = await t.store.deliveriesOf(['e1', 'e5', 'e4', 'nonsense']);
      assert.deepEqual(
        ['e1', 'e5', 'e4', 'nonsense'].map((id) => ids(found.get(id) ?? [])),
        ['d1 d2', '', 'd5', ''],
      );
      assert.equal((await t.store.deliveriesOf([])).size, 0);
    });

    test('what is not there is undefined', async () => {
      for (const id of [
        'e1',
        'd1',
        '',
        'e',
        'e0',
        'e-1',
        'e1.5',
        'e1e3',
        '1',
        '__proto__',
        "e1' OR 1",
        'e99999999999999999999',
      ]) {
        assert.equal(await t.store.event(id), undefined);
        assert.equal(await t.store.delivery(id), undefined);
      }
    });

    test('the backlog counts what is pending, with the age of the oldest', async () => {
      await fill();
      const backlog = (await t.store.backlog()).sort((a, b) => a.destination.localeCompare(b.destination));
      assert.deepEqual(backlog, [
        { destination: 'notion', pending: 2, oldest: 300 },
        { destination: 'slack', pending: 1, oldest: 200 },
      ]);
      const { token } = await t.claimOne();
      assert.equal(
        (await t.store.backlog()).find(({ destination }) => destination === 'slack')?.pending,
        1,
        'under way',
      );
      await t.store.record(token, TARGET, { state: 'delivered', receipt: {} });
      assert.deepEqual(
        (await t.store.backlog()).map(({ destination }) => destination),
        ['notion'],
      );
    });
  });
}
