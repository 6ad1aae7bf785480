import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { clip, pieces } from '../../src/text.ts';

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** Parts that join, or do not, with what stands beside them: each rule of the segmentation has some. */
const part = fc.constantFrom(
  ...['\r\n', '\r', '\n', ' ', 'a', 'é', '\u0301', '\u200d', '©', '\u00ad', '❤\ufe0f', '👩', '👩‍🚀', '🏽', '🇩', '🇪'],
  ...[
    'ᄒ',
    'ᅡ',
    'ᆫ',
    '한',
    '하',
    'Ж',
    '\u0483',
    'か',
    '\u3099',
    'ﾞ',
    '漢',
    '\ufe00',
    'क',
    '्',
    'ष',
    'ि',
    '\u0600',
    'ก',
    'ำ',
    '\ud83d',
  ],
);
const text = fc.array(part, { maxLength: 60 }).map((parts) => parts.join(''));

describe('a cut', () => {
  it('is where the last whole character ends, whatever stands before it', () => {
    fc.assert(
      fc.property(text, fc.integer({ min: 2, max: 100 }), (whole, limit) => {
        fc.pre(whole.length > limit);
        const index = graphemes.segment(whole).containing(limit - 1)?.index ?? 0;
        const head = whole.slice(0, index);
        const space = head.search(/\s\S*$/);
        const kept = space >= head.length * 0.8 ? head.slice(0, space) : head;
        assert.equal(clip(whole, limit), `${kept.trimEnd()}…`);
      }),
      { numRuns: 5_000 },
    );
  });

  it('asks the segmenter for a few characters only', (t) => {
    const asked: number[] = [];
    const { segment } = Intl.Segmenter.prototype;
    t.mock.method(Intl.Segmenter.prototype, 'segment', function (this: Intl.Segmenter, input: string) {
      asked.push(input.length);
      return segment.call(this, input);
    });
    for (const words of [
      'Some words of a long answer. ',
      'Ein 🙂 und eine 👩‍👩‍👧‍👦. ',
      'なるほど漢字',
      '한국어로 ',
      'Слова ',
    ]) {
      pieces(words.repeat(4_000), 2_000);
      clip(words.repeat(4_000), 9_999);
    }
    assert.ok(Math.max(0, ...asked) <= 128, `${Math.max(...asked)}`);
  });
});
