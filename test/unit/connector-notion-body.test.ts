import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import type { JsonObject } from '../../src/connector.ts';
import { makeItem, makePayload } from '../support/item.ts';
import { notionScene, sequence, spoken, withTurns } from '../support/notion.ts';

describe('notion: the body of a page', () => {
  const { standIn, calls, saved, counted, attempt, open, deliver, receiptOf, onlyPage } = notionScene();

  describe('body', () => {
    it('tells facts, recording, quotes and every turn', async () => {
      receiptOf(await deliver());
      const text = standIn.text(onlyPage());
      for (const part of [
        'Study: Checkout research',
        'Duration: 9 m 29 s',
        'plan: enterprise',
        'Watch the recording',
        'felt a bit tricked',
      ]) {
        assert.ok(text.includes(part), part);
      }
      assert.ok(text.includes('Interviewer\nHow did that make you feel?'), text);
      assert.deepEqual(calls, [
        `GET /data_sources/${standIn.dataSource}`,
        'POST /pages',
        `GET /blocks/${onlyPage().id}/children`,
      ]);
    });

    it('is left out on request', async () => {
      receiptOf(await deliver(makeItem(), open({ body: 'none' })));
      assert.equal(standIn.text(onlyPage()), '');
    });

    it('is complete and in order at 1,500 turns, in few calls and with a small receipt', async () => {
      const receipt = receiptOf(await deliver(makeItem(withTurns(1500))));
      assert.deepEqual(spoken(standIn.text(onlyPage())), sequence(1500));
      assert.ok(calls.length <= 1 + 2 + 14, `${calls.length} calls`);
      assert.ok(JSON.stringify(receipt).length < 1000);
      assert.equal(saved.length, 16, 'after the page, its first blocks, and each append');
    });

    it('keeps to the bytes of a request, whatever the script', async () => {
      const content = '你好，世界。'.repeat(330);
      const conversation = Array.from({ length: 260 }, () => ({ role: 'user', content }));
      const payload = makePayload({ interview: { parsed_conversation_json: conversation } });
      receiptOf(await deliver(makeItem(payload)));
      assert.equal(standIn.text(onlyPage()).split(`Participant\n${content}`).length, 261);
    });

    it('is not touched by a replay that says the same', async () => {
      const receipt = receiptOf(await deliver(makeItem(withTurns(250))));
      calls.length = 0;
      receiptOf(await deliver(makeItem(withTurns(250), { receipt })));
      assert.deepEqual(calls.slice(1), [`PATCH /pages/${receipt.page}`]);
    });

    it('is replaced where it stands, and what the team wrote around it stays', async () => {
      const receipt = receiptOf(await deliver(makeItem(withTurns(150))));
      const page = onlyPage();
      standIn.addNote(page, 'NOTE at the end');
      standIn.addNote(page, 'NOTE after the facts', page.children[0]);
      const second = receiptOf(await deliver(makeItem(withTurns(270), { receipt })));
      const text = standIn.text(onlyPage());
      assert.deepEqual(spoken(text), sequence(270));
      assert.equal(text.split('Study: ').length, 2, 'one set of facts');
      assert.match(text, /^NOTE after the facts/);
      assert.match(text, /NOTE at the end$/);
      assert.equal(second.page, receipt.page);
    });

    it('stays where the team wrote inside it, and says so', async () => {
      const receipt = receiptOf(await deliver(makeItem(withTurns(10))));
      const toggle = standIn.workspace.childrenOf(onlyPage()).at(-1);
      assert.ok(toggle);
      const note = { paragraph: { rich_text: [{ text: { content: 'NOTE between the turns' } }] } };
      standIn.workspace.addBlocks(toggle, [note], { author: 'person' });
      receiptOf(await deliver(makeItem(withTurns(12), { receipt })));
      const text = standIn.text(onlyPage());
      assert.ok(text.includes('NOTE between the turns') && text.includes('Earlier transcript'), text);
      assert.equal(spoken(text).length, 22);
    });

    for (const kind of ['500', 'reset', 'reset-after-write', '503-after-write'] as const) {
      it(`goes on where ${kind} stopped it in the middle, with every turn once`, async () => {
        const first = open();
        standIn.faults.inject({ kind: 'slow', ms: 0, times: 2, path: '/v1/blocks/' });
        // The page's listing and the first append are served, the second append is not.
        standIn.faults.inject({ kind, times: 1, path: '/v1/blocks/' });
        const outcome = await first.deliver(makeItem(withTurns(520)), attempt);
        if (kind === '503-after-write') assert.equal(outcome.kind, 'delivered', 'Notion says what it has saved');
        else assert.equal(outcome.kind, 'unknown', inspect(outcome));
        const receipt = saved.at(-1);
        receiptOf(await deliver(makeItem(withTurns(520), { receipt })));
        assert.deepEqual(spoken(standIn.text(onlyPage())), sequence(520));
      });
    }

    it('goes on after a crash at any moment', async () => {
      const item = makeItem(withTurns(420));
      receiptOf(await deliver(item));
      const moments = saved;
      assert.ok(moments.length > 4);
      const whole = standIn.text(onlyPage());
      for (const receipt of moments) {
        receiptOf(await deliver({ ...item, receipt }));
        assert.equal(standIn.text(onlyPage()), whole);
      }
    });

    it('is replaced once, also after a crash at any moment of that', async () => {
      const start = receiptOf(await deliver(makeItem(withTurns(130))));
      saved.length = 0;
      const item = makeItem(withTurns(340), { receipt: start });
      receiptOf(await deliver(item));
      const whole = standIn.text(onlyPage());
      for (const receipt of saved) {
        receiptOf(await deliver({ ...item, receipt }));
        assert.equal(standIn.text(onlyPage()), whole);
      }
    });
  });

  describe('its page', () => {
    it('is taken over, when Notion says 503 after creating it', async () => {
      standIn.faults.inject({ kind: '503-after-write', times: 1, path: '/v1/pages' });
      const receipt = receiptOf(await deliver(makeItem(withTurns(130))));
      assert.equal(receipt.page, onlyPage().id);
      assert.deepEqual(spoken(standIn.text(onlyPage())), sequence(130));
    });

    it('is made anew, once it was deleted at Notion', async () => {
      const receipt = receiptOf(await deliver());
      standIn.trash(onlyPage());
      const second = receiptOf(await deliver(makeItem(makePayload(), { receipt })));
      assert.notEqual(second.page, receipt.page);
      assert.equal(onlyPage().id, second.page);
      const unknownPage = { ...second, page: '00000000-0000-4000-8000-000000000000' };
      standIn.trash(onlyPage());
      receiptOf(await deliver(makeItem(makePayload(), { receipt: unknownPage })));
      assert.equal(standIn.pages().length, 1);
    });

    it('can be retried when it was deleted while it was being written', async () => {
      receiptOf(await deliver(makeItem(withTurns(250))));
      const receipt = saved.at(-1);
      const page = onlyPage();
      const trashing: typeof fetch = (input, init) => {
        const answer = counted(input, init);
        return init?.method === 'PATCH' && String(input).includes('/pages/')
          ? answer.finally(() => standIn.trash(page))
          : answer;
      };
      const item = makeItem(withTurns(260), { receipt });
      const outcome = await deliver(item, open({}, { fetch: trashing }));
      assert.ok(outcome.kind === 'retry', inspect(outcome));
      receiptOf(await deliver(item));
      assert.deepEqual(spoken(standIn.text(onlyPage())), sequence(260));
    });
  });

  describe('properties that hold for every interview', () => {
    const text = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 200 }),
      fc.string({ unit: 'binary', maxLength: 200 }),
      fc
        .tuple(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: 2000 }))
        .map(([piece, times]) => piece.repeat(times)),
    );
    const turns = fc.array(fc.record({ role: fc.constantFrom('assistant', 'user'), content: text }), {
      maxLength: 130,
    });

    it('the strict stand-in takes every request, and no word of a transcript is lost', async () => {
      const destination = open();
      const strip = (words: string) => words.replace(/[\s\p{Cc}\ufffd]/gu, '');
      const judge = async (conversation: { role: string; content: string }[], metadata: JsonObject) => {
        standIn.workspace.pages.clear();
        const payload = makePayload({
          interview: { parsed_conversation_json: conversation, transcript: null, metadata },
        });
        const item = makeItem(payload);
        receiptOf(await deliver(item, destination));
        const written = strip(standIn.text(onlyPage()));
        const said = item.view.turns.map((turn) => strip(turn.text.toWellFormed()));
        let from = 0;
        for (const words of said) {
          const at = written.indexOf(words, from);
          assert.ok(at >= 0, `lost: ${inspect(words.slice(0, 100))}`);
          from = at + words.length;
        }
      };
      const metadata = fc.dictionary(
        fc.oneof(fc.constantFrom('plan', 'status', 'tags', 'contact email'), fc.string()),
        fc.oneof(text, fc.integer(), fc.boolean(), fc.constant(null)),
        { maxKeys: 8 },
      );
      await fc.assert(fc.asyncProperty(turns, metadata, judge), { numRuns: 60 });
    });
  });
});
