import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { chooseQuotes } from '../../src/render/quotes.ts';

suite('the quotes', () => {
  test('are the sentences in which people say what they think and why, in their order', () => {
    const quotes = chooseQuotes([
      'Hello! Yes, happy to help. Thank you for having me.',
      'We open it in the morning. It is on my desk. I switched from Acme because it lost 3 of our invoices last year.',
      'Yes. Sure, okay.',
      'Could you repeat the question? The export is what I hate most: I never know whether it has finished.',
      'That one is fine I guess. Um, I mean.',
      'If only it told me the price before I enter my card, I would have bought it on the spot.',
      'Thanks, bye!',
    ]);
    assert.deepEqual(quotes, [
      'I switched from Acme because it lost 3 of our invoices last year.',
      'The export is what I hate most: I never know whether it has finished.',
      'If only it told me the price before I enter my card, I would have bought it on the spot.',
    ]);
  });

  test('are of different turns, and no two say the same', () => {
    const complaint = 'I really hate that the search is so slow, because I use it 40 times a day.';
    const quotes = chooseQuotes([
      complaint,
      `Well, ${complaint}`,
      `${complaint.toUpperCase()} But I love the new calendar, since it finally shows my whole team.`,
    ]);
    assert.deepEqual(quotes, [complaint, 'But I love the new calendar, since it finally shows my whole team.']);
  });

  test('are not made of small talk', () => {
    assert.deepEqual(
      chooseQuotes(['Yes.', 'No, thank you!', 'Okay okay okay okay okay okay.', 'Hi, good morning.']),
      [],
    );
    assert.deepEqual(chooseQuotes([]), []);
  });

  test('are found in other languages', () => {
    const german = 'Ich habe den Anbieter gewechselt, weil mir 2024 niemand die Rechnung erklären konnte.';
    assert.deepEqual(chooseQuotes(['Ja, hallo.', `Gerne. ${german}`]), [german]);
    const japanese = '以前のアプリは起動に三十秒もかかったので、毎朝とてもイライラしていました。';
    assert.deepEqual(chooseQuotes([`はい。${japanese}`]), [japanese]);
  });

  test('are cut at a word when they are long', () => {
    const [quote] = chooseQuotes([`I gave up because ${'the very long form wanted more '.repeat(40)}and more.`]);
    assert.match(quote ?? '', /^I gave up because .{150,221}\w…$/);
  });

  test('are always words of the participant, three at most', () => {
    const words = fc.constantFrom(
      'I',
      'love',
      'because',
      'yes',
      '7',
      'the form',
      'Ana',
      'ungern',
      '😀',
      '。',
      '. ',
      '? ',
      '\n',
      '',
    );
    const answer = fc.array(words, { maxLength: 40 }).map((parts) => parts.join(' '));
    fc.assert(
      fc.property(fc.array(answer, { maxLength: 8 }), (answers) => {
        const quotes = chooseQuotes(answers);
        const said = answers.map((text) => text.replace(/\s+/g, ' '));
        assert.ok(quotes.length <= 3);
        for (const quote of quotes)
          assert.ok(
            said.some((text) => text.includes(quote.replace(/…$/, ''))),
            quote,
          );
      }),
    );
  });
});
