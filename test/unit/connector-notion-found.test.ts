import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { inspect } from 'node:util';
import type { Item, JsonObject, Payload } from '../../src/connector.ts';
import type { NotionBlock } from '../../src/sandbox/notion/workspace.ts';
import { makeItem } from '../support/item.ts';
import { notionScene, sequence, spoken, withTurns } from '../support/notion.ts';

describe('notion: a page that was found', () => {
  const { standIn, calls, saved, open, deliver, find, foundBy, loseAnswer, receiptOf, onlyPage } = notionScene();

  const deletions = () => calls.filter((call) => call.startsWith('DELETE')).length;
  const blocks = () => standIn.workspace.childrenOf(onlyPage());
  const note = (parent: NotionBlock, words: string, author: 'person' | 'otherBot' = 'person') =>
    standIn.workspace.addBlocks(parent, [{ paragraph: { rich_text: [{ text: { content: words } }] } }], { author });

  /** The only page holds one body of so many turns, and what else is told. */
  function assertWhole(count: number, expected: string[] = []): void {
    const text = standIn.text(onlyPage());
    assert.deepEqual(spoken(text), sequence(count));
    assert.equal(text.split('Study: ').length, 2, 'one set of facts');
    assert.equal(text.split(/^Transcript · /m).length, 2, 'one transcript');
    for (const words of expected) assert.equal(text.split(words).length, 2, words);
  }

  /** The same interview in other words, from a turn of the interviewer on: none that a quote is made of. */
  function retold(payload: Payload, turn: number): Payload {
    const turns = structuredClone(payload.interview.parsed_conversation_json) as { role: string; content: string }[];
    const told = turns[turn];
    assert.ok(told?.role === 'assistant');
    told.content += 'RETOLD';
    return {
      ...payload,
      interview: { ...payload.interview, parsed_conversation_json: turns as unknown as JsonObject[] },
    };
  }

  const titled = (payload: Payload, title: string): Payload => ({ ...payload, study: { ...payload.study, title } });

  /** Delivers what was found; gives the receipt, which says that the body is done and names its blocks. */
  async function goOn(item: Item): Promise<void> {
    const receipt = receiptOf(await deliver(await foundBy(item)));
    const { done, blocks: named, old } = receipt as { done?: boolean; blocks?: string[]; old?: string[] };
    const ours = blocks().filter(({ author }) => author === 'bot');
    assert.deepEqual([done, named, old], [true, ours.map(({ id }) => id), undefined]);
  }

  beforeEach(() => {
    saved.length = 0;
  });

  it('half written is finished, and nothing of it is deleted', async () => {
    const item = makeItem(withTurns(260));
    await loseAnswer(item);
    assert.ok(spoken(standIn.text(onlyPage())).length < 260);
    await goOn(item);
    assertWhole(260);
    assert.equal(deletions(), 0);
  });

  it('whole is left as it is', async () => {
    const item = makeItem(withTurns(10));
    await loseAnswer(item);
    const before = standIn.text(onlyPage());
    await goOn(item);
    assert.equal(standIn.text(onlyPage()), before);
    assert.deepEqual([deletions(), calls.filter((call) => /^PATCH \/blocks/.test(call)).length], [0, 0]);
  });

  it('with a body that is not wanted has none more afterwards', async () => {
    const item = makeItem(withTurns(10));
    const bare = open({ body: 'none' });
    await loseAnswer(item, bare);
    const receipt = receiptOf(await deliver(await foundBy(item, bare), bare));
    assert.equal(receipt.done, true);
    assert.equal(standIn.text(onlyPage()), '');
    receiptOf(await deliver({ ...item, receipt }));
    assertWhole(10);
  });

  it('of a token that was changed for another connection’s goes on where it was', async () => {
    const item = makeItem(withTurns(260));
    receiptOf(await deliver(item));
    const [created] = saved;
    const toggle = blocks().at(-1);
    assert.ok(toggle);
    // As the creation left it, by the connection of then.
    for (const block of standIn.workspace.childrenOf(toggle).slice(100)) standIn.workspace.removeBlock(block);
    onlyPage().author = 'otherBot';
    for (const block of [...blocks(), ...standIn.workspace.childrenOf(toggle)]) block.author = 'otherBot';
    calls.length = 0;
    const receipt = receiptOf(await deliver({ ...item, receipt: created }));
    assertWhole(260);
    assert.equal(deletions(), 0);
    // And is replaced whole, though two connections wrote it.
    receiptOf(await deliver({ ...makeItem(withTurns(20)), receipt }));
    assertWhole(20);
    assert.doesNotMatch(standIn.text(onlyPage()), /Earlier transcript/);
  });

  it('that was never in doubt keeps what other tools wrote with the same connection', async () => {
    const bare = open({ body: 'none' });
    const receipt = receiptOf(await deliver(makeItem(withTurns(10)), bare));
    const summary = [{ paragraph: { rich_text: [{ text: { content: 'SUMMARY of a tool' } }] } }];
    standIn.workspace.addBlocks(onlyPage(), summary);
    const second = receiptOf(await deliver(makeItem(withTurns(10), { receipt })));
    assertWhole(10, ['SUMMARY of a tool']);
    receiptOf(await deliver(makeItem(withTurns(12), { receipt: second })));
    assertWhole(12, ['SUMMARY of a tool']);
  });

  describe('with the body of other words', () => {
    const first = withTurns(150);
    const others: [what: string, payload: Payload, expected: string[]][] = [
      ['facts', titled(first, 'Another title'), ['Another title']],
      ['a turn that came with the page', retold(first, 2), ['RETOLD']],
      ['a turn that did not come with the page', retold(first, 148), ['RETOLD']],
      ['the number of turns', withTurns(320), []],
      ['fewer turns', withTurns(40), []],
      [
        'the address of the recording alone',
        { ...first, interview: { ...first.interview, recording_url: 'https://recordings.example.com/cut.mp4' } },
        [],
      ],
    ];
    for (const [what, payload, expected] of others) {
      it(`has one body in the end: ${what}`, async () => {
        await loseAnswer(makeItem(first));
        const item = makeItem(payload);
        await goOn(item);
        assertWhole(item.view.turns.length, expected);
        const recording = JSON.stringify({ url: item.view.recordingUrl });
        assert.ok(JSON.stringify(blocks()).includes(recording), 'it leads to the newer recording');
      });
    }

    it('keeps what people wrote on the page, and the blocks of other connections', async () => {
      await loseAnswer(makeItem(first));
      standIn.addNote(onlyPage(), 'NOTE after the facts', onlyPage().children[0]);
      standIn.addNote(onlyPage(), 'NOTE at the end');
      standIn.workspace.addBlocks(onlyPage(), [{ paragraph: { rich_text: [{ text: { content: 'BY A BOT' } }] } }], {
        author: 'otherBot',
      });
      await goOn(makeItem(titled(first, 'Another title')));
      assertWhole(150, ['Another title', 'NOTE after the facts', 'NOTE at the end', 'BY A BOT']);
    });

    it('keeps what people wrote inside the transcript, and says so', async () => {
      await loseAnswer(makeItem(first));
      const toggle = blocks().at(-1);
      assert.ok(toggle);
      note(toggle, 'NOTE between the turns');
      const item = makeItem(titled(first, 'Another title'));
      receiptOf(await deliver(await foundBy(item)));
      const text = standIn.text(onlyPage());
      assert.ok(text.includes('NOTE between the turns') && text.includes('Earlier transcript'), text);
      assert.equal(text.split(/^Transcript · /m).length, 2, 'one transcript that counts');
      // Once more in doubt: what is kept is not taken for a body that is to be replaced.
      calls.length = 0;
      const { blocks: named, turns, done, ...rest } = saved.at(-1) as JsonObject;
      assert.equal(done, true);
      receiptOf(await deliver({ ...item, receipt: { ...rest, blocks: [], turns: 0, done: false } }));
      assert.equal(deletions(), 0);
      assert.ok(named && turns);
    });

    it('goes on inside a transcript with notes of people in it, where the words are the same', async () => {
      const item = makeItem(withTurns(260));
      await loseAnswer(item);
      const toggle = blocks().at(-1);
      assert.ok(toggle);
      note(toggle, 'NOTE of a person');
      note(toggle, 'NOTE of a bot', 'otherBot');
      await goOn(item);
      assertWhole(260, ['NOTE of a person', 'NOTE of a bot']);
      assert.equal(deletions(), 0);
    });

    it('has one body, wherever the replacing is cut off, and whoever comes next', async () => {
      const second = makeItem(titled(withTurns(230), 'The second title'));
      const third = makeItem(titled(withTurns(120), 'The third title'));
      const restart = async () => {
        standIn.workspace.pages.clear();
        await loseAnswer(makeItem(first));
        saved.length = 0;
      };
      await restart();
      await goOn(second);
      const moments = saved.length;
      assert.ok(moments >= 5, `${moments} moments`);
      for (const next of [second, third]) {
        for (let moment = 1; moment <= moments; moment += 1) {
          await restart();
          const seen = await foundBy(second);
          // Killed after a checkpoint was stored.
          let left = moment;
          const killed = await open()
            .deliver(seen, {
              number: 1,
              signal: new AbortController().signal,
              checkpoint: async (_item, receipt) => {
                if (left === 0) throw new Error('killed');
                left -= 1;
                saved.push(structuredClone(receipt));
              },
            })
            .catch((error: Error) => error.message);
          assert.ok(killed === 'killed' || moment === moments, inspect(killed));
          const item = { ...next, receipt: saved.at(-1) };
          const kind = (await find(item)).kind;
          assert.match(kind, /^(found|absent)$/, 'absent is believed later, and goes on with the receipt');
          const receipt = receiptOf(await deliver(item));
          assert.equal(receipt.done, true);
          assertWhole(next.view.turns.length, [next.view.studyTitle]);
        }
      }
    });
  });
});
