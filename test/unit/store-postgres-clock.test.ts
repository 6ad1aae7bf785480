import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { again, newEvent } from '../contracts/store/under-test.ts';
import { claim, serve } from '../support/serving.ts';
import { isTested, makeDatabase, onServer } from '../support/stores.ts';

const HOUR = 3_600_000;

describe('the clocks of a PostgreSQL store', { skip: !isTested('postgres') }, () => {
  test('a replica whose clock is ahead makes nothing due that waits at another', async (t) => {
    const location = await makeDatabase();
    const now = Date.now();
    const one = await serve(t, location);
    await one.store.release();
    await one.take('slack', []);
    await one.store.accept(newEvent());
    await one.store.record((await claim(one)).token, 't', again(now + 60_000));

    const ahead = t.mock.method(Date, 'now', () => now + HOUR);
    const other = await serve(t, location);
    await other.store.release();
    await other.store.accept(newEvent({ destinations: ['notion'] }));
    await other.close();
    ahead.mock.restore();
    const [noted] = await onServer(location, 'SELECT last FROM versive_relay.clock');
    assert.equal(Number(noted?.last), now + HOUR);

    const due = async () => (await one.store.delivery('d1'))?.nextAttemptAt;
    await one.store.release(['slack']);
    assert.equal(await due(), now + 60_000);
    // It looks by itself, too, and tells of that: after a while, or at once when it has found a clock set back.
    t.mock.timers.enable({ apis: ['setInterval'] });
    const looked = new Promise<unknown>((resolve) => one.store.watch(resolve));
    t.mock.timers.tick(5_000);
    await looked;
    assert.equal(await due(), now + 60_000);
  });
});
