import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parsePayload } from '../../src/payload.ts';
import { makePayload } from '../support/item.ts';

/** A good body with `metadata` in which so many lists, or objects, hold each other. */
function bodyWith(levels: number, [open, close]: [string, string]): string {
  const nested = `${open.repeat(levels)}1${close.repeat(levels)}`;
  const text = JSON.stringify(makePayload({ interview: { id: 'int_deep', metadata: { nested: 'HERE' } } }));
  return text.replace('"HERE"', nested);
}

describe('a body', () => {
  for (const brackets of [
    ['[', ']'],
    ['{"a":', '}'],
  ] as [string, string][]) {
    it(`of up to 100 levels (${brackets[0]}) is understood, and one deeper is kept with the reason`, () => {
      // The body, the interview and its metadata are three levels.
      assert.ok(parsePayload(bodyWith(97, brackets)).payload);
      const judged = parsePayload(bodyWith(98, brackets));
      assert.deepEqual(judged, {
        payload: undefined,
        reason: 'the body is nested deeper than 100 levels',
        eventType: 'interview.completed',
        subject: 'int_deep',
        study: 'study_123',
      });
    });

    it(`of 1,000,000 levels (${brackets[0]}) ends nothing`, () => {
      assert.equal(parsePayload(bodyWith(1_000_000, brackets)).payload, undefined);
    });
  }
});
