import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { clip, pieces } from '../../src/text.ts';

/** Words, breaks, and characters that people see as one though they are many units: families, flags, accents. */
const unit = fc.constantFrom(
  'word',
  'a',
  ' ',
  '\n',
  '. ',
  '…',
  'é',
  'e\u0301',
  '🙂',
  '👩‍👩‍👧‍👦',
  '🇩🇪',
  '🇫🇷',
  '한',
  'नि',
);
const text = fc.oneof(
  fc.string({ unit, maxLength: 120 }),
  fc.string({ unit: 'grapheme', maxLength: 120 }),
  fc.string({ unit: fc.constantFrom('🇩🇪', '🇫🇷'), maxLength: 120 }),
);
const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** Where the text may be cut: the ends of what people see as one character. */
function ends(whole: string): Set<number> {
  return new Set([0, ...[...graphemes.segment(whole)].map(({ index, segment }) => index + segment.length)]);
}

describe('clip', () => {
  it('leaves a text that fits as it is', () => {
    fc.assert(fc.property(text, fc.nat(50), (whole, more) => assert.equal(clip(whole, whole.length + more), whole)));
  });

  it('never exceeds the limit, keeps the beginning, ends in an ellipsis, and cuts no character in two', () => {
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 200 }), (whole, limit) => {
        fc.pre(whole.length > limit);
        const cut = clip(whole, limit);
        assert.ok(cut.length <= limit);
        assert.ok(cut.endsWith('…'));
        const kept = cut.slice(0, -1);
        assert.ok(whole.startsWith(kept));
        // What the ellipsis replaced may begin with the white space that was trimmed.
        const after = whole.slice(kept.length);
        const trimmed = after.length - after.trimStart().length;
        const places = ends(whole);
        const isWhole = Array.from({ length: trimmed + 1 }, (_, i) => kept.length + i).some((place) =>
          places.has(place),
        );
        assert.ok(isWhole, JSON.stringify({ whole, kept }));
      }),
      { numRuns: 2_000 },
    );
  });

  it('cuts at a word where one ends near the limit', () => {
    assert.equal(clip('The quick brown fox jumps', 21), 'The quick brown fox…');
    assert.equal(clip('Donaudampfschifffahrtsgesellschaft', 10), 'Donaudamp…');
    assert.equal(clip('a 🙂', 3), 'a…');
    assert.equal(clip('🙂🙂', 2), '…');
    assert.equal(clip('anything', 0), '');
  });
});

describe('pieces', () => {
  it('joined are the text, each within the limit, none empty, none ending inside a character', () => {
    fc.assert(
      fc.property(text, fc.integer({ min: 16, max: 200 }), (whole, limit) => {
        const found = pieces(whole, limit);
        assert.equal(found.join(''), whole);
        const places = ends(whole);
        let at = 0;
        for (const piece of found) {
          at += piece.length;
          assert.ok(piece.length <= limit);
          assert.ok(piece !== '' || whole === '');
          assert.ok(places.has(at), JSON.stringify({ whole, piece }));
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('go on, by whole code points, when one character is longer than the limit', () => {
    fc.assert(
      fc.property(text, fc.integer({ min: 2, max: 15 }), (whole, limit) => {
        const found = pieces(whole, limit);
        assert.equal(found.join(''), whole);
        assert.ok(found.every((piece) => piece.length <= limit && piece.isWellFormed()));
      }),
    );
  });

  it('end after a paragraph, a sentence or a word where there is one', () => {
    assert.deepEqual(pieces('One two three.\nFour five. Six', 20), ['One two three.\n', 'Four five. Six']);
    assert.deepEqual(pieces('One two. Three four five', 12), ['One two. ', 'Three four ', 'five']);
    assert.deepEqual(pieces('', 10), ['']);
  });

  it('are quick for a long transcript of any kind', { timeout: 10_000 }, () => {
    for (const part of ['x', '👩‍👩‍👧‍👦', '🇩🇪', ' ', '. ', 'word ']) {
      const whole = part.repeat(300_000 / part.length);
      assert.equal(pieces(whole, 2000).join(''), whole);
      assert.ok(clip(whole, 40_000).length <= 40_000);
    }
  });
});
