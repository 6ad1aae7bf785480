import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lazily } from '../../src/render/lazily.ts';

test('what is worked out lazily is worked out once, and a copy has it', () => {
  let made = 0;
  const define = <T extends object>(owner: T) =>
    Object.defineProperty(
      owner,
      'sum',
      lazily<{ sum: number }>('sum', () => ++made),
    ) as T & { sum: number };
  const one = define({ a: 1 });
  assert.equal(made, 0);
  assert.deepEqual({ ...one }, { a: 1, sum: 1 });
  assert.equal(one.sum, 1);
  assert.equal(Object.freeze(define({})).sum, 2);
});
