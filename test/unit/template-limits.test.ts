import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { JsonObject } from '../../src/model.ts';
import { compileTemplate, TemplateRenderError } from '../../src/render/template.ts';
import { makeItem, makePayload } from '../support/item.ts';

const SENTENCE = 'I was confused by the shipping step because the price changed, and 40 seconds is a long time. ';

function conversation(turns: number): JsonObject[] {
  return Array.from({ length: turns }, (_, index) => ({
    role: index % 2 === 0 ? 'assistant' : 'user',
    content: SENTENCE.repeat(2),
  }));
}

/** An item with a conversation of at least so many bytes. */
function itemOf(bytes: number) {
  const turns = conversation(Math.ceil(bytes / (2 * SENTENCE.length)));
  return makeItem(makePayload({ interview: { parsed_conversation_json: turns, transcript: null } }));
}

suite('the time of a template', () => {
  test('is 0.3 s, and longer with the event', (t) => {
    // A clock by which each look at it takes 10 ms, and so every part of a template.
    let now = 0;
    t.mock.method(performance, 'now', () => {
      now += 10;
      return now;
    });
    const parts = (count: number) => compileTemplate('{{ study.title }}'.repeat(count), { timezone: 'UTC' });
    const usual = makeItem();
    assert.ok(parts(25)(usual).length > 0);
    assert.throws(() => parts(40)(usual), TemplateRenderError);
    const large = itemOf(5_000_000);
    assert.ok(parts(150)(large).length > 0);
    assert.throws(() => parts(250)(large), TemplateRenderError);
  });

  test('does not count what the view works out once for all templates', (t) => {
    let now = 0;
    t.mock.method(performance, 'now', () => now);
    const item = makeItem();
    let quotes: string[] | undefined;
    const view = Object.defineProperty({ ...item.view }, 'quotes', {
      get: () => {
        if (quotes === undefined) now += 3_000;
        quotes ??= ['Honestly, it was slow.'];
        return quotes;
      },
    });
    const template = compileTemplate('{{ interview | quotes }} · {{ study.title }}', { timezone: 'UTC' });
    assert.equal(template({ ...item, view }), 'Honestly, it was slow. · Checkout research');
    assert.equal(now, 3_000);
  });

  test('suffices for 5 MB', () => {
    const item = itemOf(5_000_000);
    const text = (source: string) => compileTemplate(source, { timezone: 'UTC' })(item);
    assert.match(text('{{ interview | quotes }} · {{ study.title }}'), /confused.* · Checkout research$/s);
    assert.ok(text('{{ interview | turns }} · {{ study.title }}').length > 4_000_000);
    assert.ok(text('{{ interview | participant_words }} · {{ study.title }}').length > 2_000_000);
    const loop = '{% assign ts = interview | turns %}{% for t in ts %}{{ t.speaker }}: {{ t.text }}\n{% endfor %}.';
    assert.ok(text(loop).length > 4_000_000);
  });
});
