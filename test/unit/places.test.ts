import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Places } from '../../src/deliver/places.ts';

test('attempts that find no place get those of others, in their order', async () => {
  const places = new Places(2);
  const begun: number[] = [];
  const enter = async (number: number) => {
    await places.enter();
    begun.push(number);
  };
  const all = [1, 2, 3, 4].map(enter);
  await Promise.all(all.slice(0, 2));
  assert.deepEqual([places.free, places.hasWaitingPlace(0)], [-2, false]);
  places.leave();
  await all[2];
  assert.deepEqual(begun, [1, 2, 3]);
  places.leave();
  await all[3];
  assert.equal(places.free, 0);
  places.leave();
  assert.deepEqual([places.free, places.hasWaitingPlace(2), places.hasWaitingPlace(3)], [1, true, false]);
});
