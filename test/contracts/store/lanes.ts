import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Receipt } from '../../../src/model.ts';
import type { Halt } from '../../../src/store/store.ts';
import { newEvent, type StoreUnderTest, subjects, TARGET } from './under-test.ts';

const HALT: Halt = { reason: 'auth', detail: 'invalid_auth', fix: 'Put a new token in.', since: 1_700_000_000_000 };

export function lanesContract(t: StoreUnderTest): void {
  describe('lanes', () => {
    test('nextDue is the first time at which something is due that is not under way', async () => {
      assert.equal(await t.store.nextDue('slack'), undefined);
      await t.store.accept(newEvent({ subject: 'x', receivedAt: 10 }));
      await t.store.accept(newEvent({ subject: 'y', receivedAt: 20 }));
      await t.store.accept(newEvent({ subject: 'z', receivedAt: 5, destinations: ['notion'] }));
      assert.equal(await t.store.nextDue('slack'), 10);
      await t.claimOne();
      assert.equal(await t.store.nextDue('slack'), 20);
      await t.store.accept(newEvent({ subject: 'x', receivedAt: 15 }));
      assert.equal(await t.store.nextDue('slack'), 15, 'it waits for the other one of its subject');
      assert.deepEqual(subjects(await t.claim()), ['y']);
      assert.deepEqual(await t.claim(), []);
    });

    test('holds are known, and survive a restart', async () => {
      assert.deepEqual(await t.store.lanes(), []);
      await t.store.setPaused('slack', true);
      await t.store.setHalt('notion', HALT);
      await t.store.setHalt('slack', HALT);
      await t.store.setHalt('slack', undefined);
      await t.reopen();
      assert.deepEqual(
        (await t.store.lanes()).sort((a, b) => a.destination.localeCompare(b.destination)),
        [
          { destination: 'notion', paused: false, halt: HALT },
          { destination: 'slack', paused: true, halt: undefined },
        ],
      );
    });

    test('a lane that flows again has everything due at once', async () => {
      const soon = Date.now();
      const later = soon + 3_600_000;
      const letFlow = [() => t.store.setHalt('slack', undefined), () => t.store.setPaused('slack', false)];
      for (const flow of letFlow) {
        await t.store.accept(newEvent({ receivedAt: later, destinations: ['slack', 'notion'] }));
        await flow();
        assert.ok(((await t.store.nextDue('slack')) ?? Infinity) <= Date.now());
        const { token } = await t.claimOne({ now: Date.now() });
        await t.store.record(token, TARGET, { state: 'delivered', receipt: {} });
      }
      assert.equal(await t.store.nextDue('notion'), later);
    });

    test('a lane with more than a step of deliveries flows whole', async () => {
      const later = Date.now() + 3_600_000;
      await Promise.all(Array.from({ length: 1203 }, () => t.store.accept(newEvent({ receivedAt: later }))));
      await t.store.setPaused('slack', true);
      await t.store.setPaused('slack', false);
      const claims = [
        ...(await t.claim({ now: Date.now(), limit: 1000 })),
        ...(await t.claim({ now: Date.now(), limit: 1000 })),
      ];
      assert.equal(claims.length, 1203);
    });

    test('rename carries deliveries, lane and ledger over', async () => {
      await Promise.all(
        Array.from({ length: 1203 }, (_, index) =>
          t.store.accept(newEvent({ subject: `r${index}`, destinations: ['old'] })),
        ),
      );
      const done = await t.claimOne({ destination: 'old' });
      await t.store.record(done.token, TARGET, { state: 'delivered', receipt: { ts: '1' } });
      const underWay = await t.claimOne({ destination: 'old' });
      await t.store.setHalt('old', HALT);
      assert.equal(await t.store.rename('old', 'slack'), 1203);
      assert.equal(await t.store.rename('old', 'slack'), 0);
      assert.deepEqual(await t.store.lanes(), [{ destination: 'slack', paused: false, halt: HALT }]);
      assert.deepEqual(
        (await t.store.backlog()).map(({ destination, pending }) => [destination, pending]),
        [['slack', 1202]],
      );
      assert.equal((await t.store.deliveries({ destination: 'old' }, { limit: 10 })).length, 0);
      assert.equal(await t.store.record(underWay.token, TARGET, { state: 'delivered', receipt: {} }), true);
      await t.store.accept(newEvent({ subject: done.delivery.subject, receivedAt: 0 }));
      assert.deepEqual((await t.claimOne()).receipt, { ts: '1' });
    });

    test('rename onto a destination in use loses nothing, and the later receipt stays', async () => {
      const deliver = async (subject: string, destination: string, receipt: Receipt) => {
        await t.store.accept(newEvent({ subject, destinations: [destination] }));
        const { token } = await t.claimOne({ destination });
        await t.store.record(token, TARGET, { state: 'delivered', receipt });
      };
      await deliver('x', 'slack', { ts: 'older' });
      await deliver('x', 'old', { ts: 'newer' });
      await deliver('y', 'old', { ts: 'older' });
      await deliver('y', 'slack', { ts: 'newer' });
      await t.store.accept(newEvent({ subject: 'both', destinations: ['old', 'slack'] }));
      await t.store.setPaused('old', true);
      await t.store.setHalt('slack', HALT);
      assert.equal(await t.store.rename('old', 'slack'), 2);
      assert.deepEqual(await t.store.lanes(), [{ destination: 'slack', paused: true, halt: HALT }]);
      assert.equal((await t.store.deliveries({ interview: 'both' }, { limit: 10 })).length, 2);
      for (const subject of ['x', 'y']) {
        await t.store.accept(newEvent({ subject }));
        const claims = await t.claim();
        assert.deepEqual(
          claims.find(({ delivery }) => delivery.subject === subject)?.receipt,
          { ts: 'newer' },
          subject,
        );
      }
    });

    test('the pause of a limit key survives a restart, is never shortened, and ends', async ({ mock }) => {
      const now = Date.now();
      const clock = mock.method(Date, 'now', () => now);
      await t.store.pauseKey('token:1', 60_000);
      await t.store.pauseKey('token:1', 30_000);
      await t.store.pauseKey('host:2', 50_000);
      await t.reopen();
      clock.mock.mockImplementation(() => now + 49_999);
      assert.deepEqual(
        await t.store.pausedKeys(),
        new Map([
          ['host:2', 1],
          ['token:1', 10_001],
        ]),
      );
      clock.mock.mockImplementation(() => now + 50_000);
      assert.deepEqual(await t.store.pausedKeys(), new Map([['token:1', 10_000]]));
      clock.mock.mockImplementation(() => now + 60_000);
      assert.deepEqual(await t.store.pausedKeys(), new Map());
      clock.mock.mockImplementation(() => now - 3_600_000);
      assert.equal((await t.store.pausedKeys()).get('token:1'), 60_000, 'a clock that was set back stretches nothing');
    });
  });
}
