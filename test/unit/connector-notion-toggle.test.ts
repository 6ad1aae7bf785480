import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import { makeItem } from '../support/item.ts';
import { notionScene, sequence, spoken, withTurns } from '../support/notion.ts';

describe('notion: a toggle that someone deletes while its turns are being appended', () => {
  const { standIn, saved, counted, open, deliver, receiptOf, onlyPage } = notionScene();

  for (const appends of [1, 2]) {
    it(`is written once more by the next attempt, with every turn once (append ${appends})`, async () => {
      let left = appends;
      const deleting: typeof fetch = async (input, init) => {
        const isAppend = init?.method === 'PATCH' && String(input).includes('/blocks/');
        if (isAppend) left -= 1;
        const toggle = standIn.pages().length > 0 && standIn.workspace.childrenOf(onlyPage()).at(-1);
        if (isAppend && left === 0 && toggle) standIn.workspace.removeBlock(toggle);
        return counted(input, init);
      };
      const first = await deliver(makeItem(withTurns(520)), open({}, { fetch: deleting }));
      assert.ok(first.kind === 'retry', inspect(first));
      const receipt = saved.at(-1);
      receiptOf(await deliver(makeItem(withTurns(520), { receipt })));
      const text = standIn.text(onlyPage());
      assert.deepEqual(spoken(text), sequence(520));
      assert.equal(text.split('Study: ').length, 2, 'one set of facts');
    });
  }
});
