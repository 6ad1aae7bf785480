import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { parsePayload } from '../../src/payload.ts';
import { compileFilter } from '../../src/route/filter.ts';
import { altered, ChangeCount, changeOf, heirsOf, type Rules, turnover, wayBy } from '../../src/route/plan.ts';
import { compileTable } from '../../src/route/table.ts';
import { makePayload } from '../support/item.ts';

const judged = parsePayload(JSON.stringify(makePayload()));
const way = (...destinations: string[]) => ({ routes: [], destinations });

suite('a plan', () => {
  test('asks the source first, then the routes; without its source an event goes nowhere', () => {
    const route = { name: 'all', when: undefined, to: ['slack'], stop: false, enabled: true };
    const rules = (when: unknown): Rules => ({
      sources: new Map([['versive', { name: 'versive', when: compileFilter(when).filter }]]),
      table: compileTable([route]),
    });
    assert.deepEqual(wayBy(rules({}), 'versive', judged).destinations, ['slack']);
    assert.deepEqual(wayBy(rules({ 'interview.is_mock': true }), 'versive', judged).destinations, []);
    assert.deepEqual(wayBy(rules({}), 'other', judged).destinations, []);
  });

  test('tells what an event gains and loses; a destination that is only renamed is neither', () => {
    const heirs = heirsOf([
      { name: 'sheet', renamedFrom: 'tracker' },
      { name: 'slack', renamedFrom: undefined },
    ]);
    const change = changeOf(way('tracker', 'hook', 'slack'), way('slack', 'sheet', 'pager'), heirs);
    assert.deepEqual(change, { gains: ['pager'], loses: ['hook'] });
  });

  test('counts by destination, and what goes nowhere', () => {
    const count = new ChangeCount();
    const add = (before: string[], after: string[]) =>
      count.add(way(...before), way(...after), changeOf(way(...before), way(...after), new Map()));
    add(['a'], ['a']);
    add(['a'], ['b']);
    add(['a'], []);
    add([], ['b']);
    add([], []);
    const { of, changed, unrouted, routed, words } = count;
    assert.deepEqual({ of, changed, unrouted, routed }, { of: 5, changed: 3, unrouted: 1, routed: 1 });
    assert.deepEqual(words, ['a −2', 'b +2']);
  });

  test('tells new, gone and renamed destinations apart', () => {
    const named = (...all: [name: string, renamedFrom?: string][]) =>
      new Map(all.map(([name, renamedFrom]) => [name, { name, renamedFrom }]));
    assert.deepEqual(turnover(named(['stays'], ['hook'], ['old']), named(['stays'], ['new', 'old'], ['pager'])), {
      added: ['pager'],
      gone: ['hook'],
      renamed: [['old', 'new']],
    });
    // A former name that stays in the file is no news.
    assert.deepEqual(turnover(named(['new', 'old']), named(['new', 'old'])), { added: [], gone: [], renamed: [] });
  });

  test('tells which destinations have other options, also under another name', () => {
    const made = (...all: [name: string, fingerprint: string, renamedFrom?: string][]) =>
      new Map(all.map(([name, fingerprint, renamedFrom]) => [name, { name, fingerprint, renamedFrom }]));
    const before = made(['same', '1'], ['sheet', '1'], ['old', '1'], ['gone', '1']);
    const after = made(['same', '1'], ['sheet', '2'], ['new', '2', 'old'], ['pager', '2']);
    assert.deepEqual(altered(before, after), ['sheet', 'new']);
  });
});
