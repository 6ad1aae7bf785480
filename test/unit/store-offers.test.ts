import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { openStore, serveStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { newEvent, TARGET } from '../contracts/store/under-test.ts';
import { openFolder } from '../support/folder.ts';

const OFFER = { destination: 'slack', target: TARGET };
const REQUEST = { target: TARGET, now: 1_000_000, limit: 10, except: [] };

/** A SQLite file, as verbs and tests open it, and as `serve` does. */
const OPENED = {
  'in the same thread': openStore,
  'on its own thread': async (file: string) => (await serveStore(file)).store,
};

async function fileOf(t: TestContext): Promise<string> {
  const { folder, remove } = await openFolder();
  t.after(remove);
  return path.join(folder, 'relay.db');
}

for (const [where, open] of Object.entries(OPENED)) {
  const opened = async (t: TestContext, file?: string): Promise<Store> => {
    const store = await open(file ?? (await fileOf(t)));
    t.after(() => store.close());
    return store;
  };

  describe(`SQLite takes offers, ${where}`, () => {
    test('what is claimed with the commit is what a claim would give', async (t) => {
      const store = await opened(t);
      const event = newEvent({ destinations: ['slack', 'notion'], routes: ['a'], body: Buffer.from('{"a":1}') });
      const { claims } = await store.accept(event, [OFFER]);
      const [claimed] = claims;
      const [asked] = await store.claim({ ...REQUEST, destination: 'notion' });
      assert.ok(claimed && asked);
      assert.ok(claimed.body.equals(event.body) && asked.body.equals(event.body));
      assert.notEqual(claimed.token, asked.token);
      assert.equal((await store.delivery(claimed.delivery.id))?.destination, 'slack');
      const like = { ...asked, token: claimed.token, body: claimed.body };
      assert.deepEqual(claimed, {
        ...like,
        delivery: { ...like.delivery, id: claimed.delivery.id, destination: 'slack' },
        identity: { ...like.identity, destination: 'slack' },
      });
    });

    test('only what is claimed is under way, and its end is recorded', async (t) => {
      const store = await opened(t);
      const both = [OFFER, { destination: 'notion', target: TARGET }];
      const { claims } = await store.accept(newEvent({ destinations: ['sheet', 'notion', 'slack'] }), both);
      assert.deepEqual(claims.map(({ delivery }) => delivery.destination).sort(), ['notion', 'slack']);
      assert.deepEqual(await store.claim({ ...REQUEST, destination: 'slack' }), []);
      assert.equal((await store.claim({ ...REQUEST, destination: 'sheet' })).length, 1);
      for (const { token, delivery } of claims) {
        assert.equal(await store.record(token, TARGET, { state: 'delivered', receipt: { url: 'https://x' } }), true);
        const { state, url, attempts } = (await store.delivery(delivery.id)) ?? {};
        assert.deepEqual({ state, url, attempts }, { state: 'delivered', url: 'https://x', attempts: 1 });
      }
    });

    test('a subject of which anything is known waits its turn', async (t) => {
      const store = await opened(t);
      await store.accept(newEvent({ subject: 'x', destinations: ['notion'] }));
      assert.deepEqual((await store.accept(newEvent({ subject: 'x' }), [OFFER])).claims, []);
    });

    test('so does one that the ledger alone knows: its event was judged anew', async (t) => {
      const store = await opened(t);
      const { id, claims } = await store.accept(newEvent({ subject: 'x' }), [OFFER]);
      await store.record(claims[0]?.token ?? '', TARGET, { state: 'delivered', receipt: { ts: '1' } });
      const judged = { eventType: '', subject: 'y', study: '', state: 'routed' as const, routes: [] };
      await store.add([{ event: id, destinations: ['notion'], renew: false, judged }]);
      assert.deepEqual((await store.accept(newEvent({ subject: 'x' }), [OFFER])).claims, []);
      const [next] = await store.claim({ ...REQUEST, destination: 'slack' });
      assert.deepEqual(next?.receipt, { ts: '1' });
    });

    test('of events that come together, all new subjects are claimed', async (t) => {
      const store = await opened(t);
      const accepted = await Promise.all(Array.from({ length: 40 }, () => store.accept(newEvent(), [OFFER])));
      const tokens = accepted.flatMap(({ claims }) => claims.map(({ token }) => token));
      assert.equal(new Set(tokens).size, 40);
      const ended = await Promise.all(
        tokens.map((token) => store.record(token, TARGET, { state: 'delivered', receipt: {} })),
      );
      assert.ok(ended.every(Boolean));
    });
  });
}

test('what was claimed with the commit when the relay died is in doubt, and counts a strike', async (t) => {
  const file = await fileOf(t);
  const before = await openStore(file);
  const subject = randomUUID();
  const [claimed] = (await before.accept(newEvent({ subject }), [OFFER])).claims;
  await before.close();
  const store = await openStore(file);
  t.after(() => store.close());
  assert.deepEqual(await store.release(), { freed: 1, failed: [] });
  const [next] = await store.claim({ ...REQUEST, destination: 'slack', now: Date.now() + 60_000 });
  assert.equal(next?.delivery.id, claimed?.delivery.id);
  assert.equal(next?.delivery.attempts, 2);
  assert.deepEqual(next?.doubt, { since: 1000, newer: false });
});
