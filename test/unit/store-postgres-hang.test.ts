import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Network } from '../chaos/network.ts';
import { newEvent } from '../contracts/store/under-test.ts';
import { serve } from '../support/serving.ts';
import { isTested, makeDatabase, onServer } from '../support/stores.ts';

describe('a PostgreSQL store whose network swallows all', { skip: !isTested('postgres') }, () => {
  test('is told of before a sender gives up; what was refused is stored once when it is sent again', async (t) => {
    const location = new URL(await makeDatabase());
    const network = await Network.open(Number(location.port));
    t.after(() => network.close());
    const through = new URL(location);
    through.port = `${network.port}`;
    const { store } = await serve(t, through.href);
    await store.accept(newEvent());
    const event = newEvent();

    network.hang();
    const began = performance.now();
    const seconds = async (answer: Promise<unknown>) => {
      await assert.rejects(answer, { code: 'RELAY_STORE_BUSY', message: /has not answered for/, fix: /database/ });
      return (performance.now() - began) / 1000;
    };
    const [ping, accept] = await Promise.all([seconds(store.ping()), seconds(store.accept(event))]);
    assert.ok(ping < 5 && accept < 12, `after ${ping} s and ${accept} s`);

    network.heal();
    // The writes that hung end with their connections.
    while (!(await store.accept(event).catch(() => undefined)));
    assert.equal((await store.accept(event)).duplicate, true);
    await store.ping();
    assert.deepEqual(await onServer(location.href, 'SELECT count(*)::integer FROM versive_relay.event'), [
      { count: 2 },
    ]);
  });
});
