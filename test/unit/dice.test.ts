import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Dice } from '../chaos/dice.ts';

test('the same seed throws the same dice, and they are even', () => {
  const [one, same, other] = [new Dice(7), new Dice(7), new Dice(8)];
  const rolls = Array.from({ length: 10_000 }, () => one.roll());
  assert.deepEqual(
    rolls.slice(0, 100),
    Array.from({ length: 100 }, () => same.roll()),
  );
  assert.notEqual(rolls[0], other.roll());
  assert.ok(rolls.every((roll) => roll >= 0 && roll < 1));
  const low = rolls.filter((roll) => roll < 0.2).length;
  assert.ok(low > 1800 && low < 2200, `${low}`);
  assert.notEqual(new Dice().seed, new Dice().seed);
});
