import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import type { EventState, Receipt } from '../../../src/model.ts';
import { again, newEvent, type StoreUnderTest, TARGET } from './under-test.ts';

const HOSTILE = [`it's "quoted"; DROP TABLE event; --`, 'a\u0000b', '👩‍👩‍👧 ünï', '__proto__', '%_\\', ' '];

export function acceptContract(t: StoreUnderTest): void {
  describe('accept', () => {
    test('keeps an event with its deliveries', async () => {
      const event = newEvent({ destinations: ['slack', 'notion'], routes: ['a', 'b'], body: Buffer.from('{"a":1}') });
      const accepted = await t.store.accept(event);
      assert.deepEqual(accepted, { id: 'e1', duplicate: false, deliveries: 2, claims: [] });
      assert.deepEqual(await t.store.event('e1'), {
        id: 'e1',
        source: 'versive',
        svixId: event.svixId,
        eventType: 'interview.completed',
        subject: event.subject,
        study: 'study_1',
        state: 'routed',
        reason: undefined,
        receivedAt: 1000,
        removedAt: undefined,
        routes: ['a', 'b'],
        body: event.body,
      });
      assert.deepEqual(await t.store.delivery('d1'), {
        id: 'd1',
        event: 'e1',
        subject: event.subject,
        destination: 'slack',
        state: 'pending',
        attempts: 0,
        nextAttemptAt: 1000,
        reason: undefined,
        detail: undefined,
        fix: undefined,
        url: undefined,
      });
    });

    test('keeps an unrouted and a quarantined event', async () => {
      await t.store.accept(newEvent({ state: 'unrouted', routes: [], destinations: [] }));
      await t.store.accept(
        newEvent({
          state: 'quarantined',
          reason: 'not JSON',
          eventType: '',
          subject: '',
          study: '',
          destinations: [],
        }),
      );
      assert.equal((await t.store.event('e1'))?.state, 'unrouted');
      const quarantined = await t.store.event('e2');
      assert.equal(quarantined?.state, 'quarantined');
      assert.equal(quarantined?.reason, 'not JSON');
      assert.deepEqual(await t.store.backlog(), []);
    });

    test('a destination that is named twice gets one delivery', async () => {
      const { deliveries } = await t.store.accept(newEvent({ destinations: ['slack', 'slack'] }));
      assert.equal(deliveries, 1);
    });

    test('the same svix-id at a source is a duplicate, and writes nothing', async () => {
      const event = newEvent({ destinations: ['slack', 'notion'] });
      const first = await t.store.accept(event);
      const second = await t.store.accept({ ...event, body: Buffer.from('other'), destinations: ['sheet'] });
      assert.deepEqual(second, { id: first.id, duplicate: true, deliveries: 2, claims: [] });
      assert.equal((await t.store.event(first.id))?.body.toString(), '{}');
      assert.equal((await t.store.deliveries({}, { limit: 10 })).length, 2);
      assert.equal((await t.store.accept({ ...event, source: 'other' })).duplicate, false);
    });

    test('of concurrent calls with one svix-id, exactly one is new', async () => {
      const event = newEvent();
      const accepted = await Promise.all(Array.from({ length: 20 }, () => t.store.accept(event)));
      assert.equal(accepted.filter(({ duplicate }) => !duplicate).length, 1);
      assert.equal(new Set(accepted.map(({ id }) => id)).size, 1);
      assert.ok(accepted.every(({ deliveries }) => deliveries === 1));
    });

    test('ids grow with acceptance', async () => {
      const accepted = await Promise.all(Array.from({ length: 12 }, () => t.store.accept(newEvent())));
      assert.deepEqual(
        accepted.map(({ id }) => id),
        Array.from({ length: 12 }, (_, index) => `e${index + 1}`),
      );
    });

    test('a write that fails takes no other one with it', async () => {
      const event = newEvent();
      // Its second delivery is refused when the event, its body and a delivery stand already.
      const broken = { ...event, destinations: ['slack', null as unknown as string] };
      const nonsense = newEvent({ state: 'nonsense' as EventState });
      const writes = [newEvent(), broken, nonsense, newEvent()].map((each) => t.store.accept(each));
      const ended = await Promise.allSettled(writes);
      assert.deepEqual(
        ended.map(({ status }) => status),
        ['fulfilled', 'rejected', 'rejected', 'fulfilled'],
      );
      assert.equal((await t.store.events({}, { limit: 10 })).length, 2);
      assert.equal((await t.store.deliveries({}, { limit: 10 })).length, 2);
      assert.equal((await t.store.accept(event)).duplicate, false);
    });

    test('a body comes back byte for byte', async () => {
      const bodies = [
        Buffer.alloc(0),
        Buffer.from([0, 255, 10, 13]),
        randomBytes(5_000_000),
        Buffer.alloc(5_000_000, 'a'),
      ];
      for (const body of bodies) {
        const { id } = await t.store.accept(newEvent({ body }));
        assert.ok((await t.store.event(id))?.body.equals(body));
        assert.ok((await t.claimOne()).body.equals(body));
      }
    });

    test('hostile text is only text', async () => {
      for (const text of HOSTILE) {
        const event = newEvent({ svixId: text, subject: text, study: text, routes: [text], destinations: [text] });
        const { id } = await t.store.accept(event);
        assert.equal((await t.store.accept(event)).duplicate, true);
        const found = await t.store.events(
          { study: text, interview: text, route: text, destination: text },
          { limit: 10 },
        );
        assert.deepEqual(
          found.map((record) => [record.id, record.svixId, record.subject, record.study, record.routes]),
          [[id, text, text, text, [text]]],
        );
        assert.deepEqual(await t.claim({ destination: text, except: [text] }), []);
        const { token } = await t.claimOne({ destination: text, target: text });
        const receipt: Receipt = JSON.parse(`{"__proto__": {"a": 1}, "text": ${JSON.stringify(text)}}`);
        assert.equal(await t.store.record(token, text, { state: 'delivered', receipt }), true);
        await t.store.accept({ ...event, svixId: `${text}2` });
        assert.equal(
          JSON.stringify((await t.claimOne({ destination: text, target: text })).receipt),
          JSON.stringify(receipt),
        );
      }
    });

    test('any clock is kept, to the millisecond', async () => {
      const clocks = [0, -1, 1_700_000_000_123, 8.64e15, -8.64e15];
      for (const receivedAt of clocks) {
        const { id } = await t.store.accept(newEvent({ receivedAt }));
        assert.equal((await t.store.event(id))?.receivedAt, receivedAt);
      }
      const { token, delivery } = await t.claimOne();
      await t.store.record(token, TARGET, again(2000.6));
      assert.equal((await t.store.delivery(delivery.id))?.nextAttemptAt, 2001);
      const second = await t.claimOne();
      await t.store.record(second.token, TARGET, again(Number.POSITIVE_INFINITY));
      assert.equal((await t.store.delivery(second.delivery.id))?.nextAttemptAt, 8.64e15);
    });
  });
}
