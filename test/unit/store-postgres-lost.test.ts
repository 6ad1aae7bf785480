import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { newEvent } from '../contracts/store/under-test.ts';
import { claim, endLaneSessions, lost, serve, takeAgain } from '../support/serving.ts';
import { isTested, makeDatabase, onServer } from '../support/stores.ts';

const strikesIn = async (location: string) =>
  (await onServer(location, 'SELECT strikes FROM versive_relay.delivery ORDER BY id')).map(({ strikes }) => strikes);

describe('a lane connection that is lost', { skip: !isTested('postgres') }, () => {
  test('is no crash: three losses in the middle of an attempt leave no strike, and all that waits pending', async (t) => {
    const location = await makeDatabase();
    const serving = await serve(t, location);
    await serving.store.accept(newEvent());
    for (let losses = 1; losses <= 3; losses += 1) {
      await takeAgain(serving, 'slack');
      const { failed } = await serving.store.release(['slack']);
      assert.deepEqual(failed, []);
      const claimed = await claim(serving);
      assert.equal(claimed.doubt !== undefined, losses > 1, 'its write may have landed');
      assert.equal(claimed.delivery.attempts, losses);
      const told = lost(serving);
      await endLaneSessions(location);
      await told;
    }
    await takeAgain(serving, 'slack');
    await serving.store.release(['slack']);
    assert.equal((await serving.store.delivery('d1'))?.state, 'pending');
    assert.deepEqual(await strikesIn(location), [0]);
    const { token } = await claim(serving);
    assert.equal(await serving.store.record(token, 't', { state: 'delivered', receipt: {} }), true);
  });

  test('frees what was under way as soon as it is back, with what a person wished for meanwhile', async (t) => {
    const location = await makeDatabase();
    const serving = await serve(t, location);
    for (const subject of ['a', 'b']) await serving.store.accept(newEvent({ subject }));
    await takeAgain(serving, 'slack');
    const [first] = await serving.store.claim({ destination: 'slack', target: 't', now: 1e6, limit: 2, except: [] });
    assert.equal(await serving.store.discard([first?.delivery.id ?? '']), 1);
    await endLaneSessions(location);
    const underWay = 'SELECT 1 FROM versive_relay.delivery WHERE token IS NOT NULL';
    while ((await onServer(location, underWay)).length > 0);
    assert.deepEqual(
      (await serving.store.deliveries({}, { limit: 10 })).map(({ id, state }) => [id, state]),
      [
        ['d2', 'pending'],
        ['d1', 'discarded'],
      ],
    );
    assert.deepEqual(await strikesIn(location), [0, 0]);
  });

  test('leaves a strike of a process that died, and what another process has under way', async (t) => {
    const location = await makeDatabase();
    const [died, other] = [await serve(t, location), await serve(t, location)];
    for (const subject of ['a', 'b']) await died.store.accept(newEvent({ subject }));
    await died.take('slack', []);
    await claim(died);
    await died.close();
    const third = await serve(t, location);
    await third.take('notion', []);
    const told = lost(third);
    await endLaneSessions(location);
    await told;
    await other.take('slack', []);
    await other.store.release(['slack']);
    assert.deepEqual(await strikesIn(location), [1, 0]);
    const { token } = await claim(other);
    await takeAgain(third, 'notion');
    await third.store.release(['notion']);
    assert.equal(await other.store.record(token, 't', { state: 'delivered', receipt: {} }), true);
  });
});
