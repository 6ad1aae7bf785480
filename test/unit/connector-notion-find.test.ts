import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import type { JsonObject } from '../../src/connector.ts';
import type { Author } from '../../src/sandbox/notion/workspace.ts';
import { makeItem, makePayload } from '../support/item.ts';
import { notionScene, withTurns } from '../support/notion.ts';

const KEY = 'Interview ID';

describe('notion: the page of an earlier try is looked for', () => {
  const { standIn, calls, open, deliver, find, foundBy, loseAnswer, receiptOf, onlyPage } = notionScene();

  const other = () => makeItem(makePayload({ interview: { id: '10002', metadata: { long: 'x'.repeat(2500) } } }));
  /** A page that somebody made with this key. */
  const addPage = (key: string, author: Author) => {
    const source = standIn.workspace.dataSources.get(standIn.dataSource);
    assert.ok(source);
    const page = standIn.workspace.addPage(source, author);
    standIn.workspace.setValues(page, source, { [KEY]: { rich_text: [{ text: { content: key } }] } });
    return page;
  };
  const writes = () => calls.filter((call) => !call.startsWith('GET') && !call.endsWith('/query'));

  describe('by the value that was written into the key', () => {
    const keys: [type: string, template: string | undefined][] = [
      ['rich_text', undefined],
      ['rich_text', '  {{ study.id }}\n/ {{ interview.id }} '],
      ['rich_text', '{{ interview.metadata.long }} {{ interview.id }}'],
      ['title', '{{ interview.id }}'],
      ['url', 'https://getversive.com/i/{{ interview.id }}'],
      ['email', '{{ interview.id }}@example.com'],
      ['phone_number', '{{ interview.id }}'],
      ['select', '{{ study.title }}, {{ interview.id }}'],
      ['number', '{{ interview.id }}'],
    ];
    for (const [type, template] of keys) {
      it(`of type ${type}${template === undefined ? '' : `, as ${JSON.stringify(template)}`}`, async () => {
        const spec = { ...(type === 'title' ? {} : { Name: 'title' }), Key: type };
        const { dataSource } = standIn.addDatabase('Keys', spec as Parameters<typeof standIn.addDatabase>[1]);
        const properties = template === undefined ? {} : { properties: { Key: template } };
        const destination = open({ data_source: dataSource, key: 'Key', ...properties });
        const item = makeItem(makePayload({ interview: { id: '10001', metadata: { long: 'x'.repeat(2500) } } }));
        assert.equal((await find(item, destination)).kind, 'absent');
        assert.deepEqual(writes(), []);
        await loseAnswer(item, destination);
        receiptOf(await deliver(other(), destination));
        const [page] = standIn.pages(dataSource);
        const seen = await foundBy(item, destination);
        assert.equal(seen.receipt?.page, page?.id);
        receiptOf(await deliver(seen, destination));
        assert.equal(standIn.pages(dataSource).length, 2);
      });
    }

    it('and never by another interview’s, should Notion compare less strictly', async () => {
      receiptOf(await deliver(other()));
      const page = onlyPage();
      const loose = async (input: Parameters<typeof fetch>[0], init: RequestInit | undefined) => {
        const body = String(init?.body ?? '').replace('int_0001', '10002');
        return fetch(input, { ...init, ...(init?.body && { body }) });
      };
      assert.equal((await find(makeItem(), open({}, { fetch: loose }))).kind, 'absent');
      assert.equal((await foundBy(other())).receipt?.page, page.id);
    });
  });

  it('the oldest of several', async () => {
    await loseAnswer();
    await loseAnswer();
    const [oldest] = standIn.pages();
    assert.equal((await foundBy(makeItem())).receipt?.page, oldest?.id);
  });

  it('among more pages than one answer holds', async () => {
    for (let n = 0; n < 120; n += 1) addPage('int_0001', 'person');
    await loseAnswer();
    assert.equal((await foundBy(makeItem())).receipt?.page, standIn.pages().at(-1)?.id);
  });

  it('but none that people or other connections made', async () => {
    addPage('int_0001', 'person');
    addPage('int_0001', 'otherBot');
    assert.equal((await find()).kind, 'absent');
  });

  it('nor one of an earlier generation, also beside its own', async () => {
    const first = receiptOf(await deliver());
    const item = makeItem(makePayload(), { earlier: [first] });
    assert.equal((await find(item)).kind, 'absent');
    await loseAnswer(item);
    const seen = await foundBy(item);
    assert.notEqual(seen.receipt?.page, first.page);
    receiptOf(await deliver(seen));
    assert.equal(standIn.pages().length, 2);
  });

  describe('with a receipt', () => {
    it('gives it as it is, whatever became of the key', async () => {
      const receipt = receiptOf(await deliver(makeItem(withTurns(130))));
      onlyPage().values.delete(KEY);
      const seen = await find(makeItem(withTurns(130), { receipt }));
      assert.deepEqual(seen, { kind: 'found', receipt });
    });

    it('finds what took the place of a page that was deleted', async () => {
      const receipt = receiptOf(await deliver());
      standIn.trash(onlyPage());
      const item = makeItem(makePayload(), { receipt });
      assert.equal((await find(item)).kind, 'absent');
      await loseAnswer(item);
      const seen = await foundBy(item);
      assert.equal(seen.receipt?.page, onlyPage().id);
      assert.equal(receiptOf(await deliver(seen)).page, onlyPage().id);
    });

    it('takes a deleted page for gone, also one that Notion no longer knows', async () => {
      const receipt = { ...receiptOf(await deliver()), page: '00000000-0000-4000-8000-000000000000' };
      const page = onlyPage();
      assert.equal((await foundBy(makeItem(makePayload(), { receipt }))).receipt?.page, page.id);
    });
  });

  describe('is blind, and says what to do,', () => {
    const cases: [title: string, options: JsonObject, problem: RegExp][] = [
      ['without the property', { key: 'Nowhere' }, /no property "Nowhere"/],
      ['with one that cannot be asked', { key: 'Completed' }, /"Completed" is of type date/],
      ['with one that cannot hold the id', { key: 'Recording' }, /"Recording" \(url\) cannot hold/],
      [
        'with one whose value other interviews can have too',
        { key: 'Participant', properties: { Participant: '{{ interview.vid }}' } },
        /"Participant" holds is not made of the interview's id/,
      ],
    ];
    for (const [title, options, problem] of cases) {
      it(title, async () => {
        const seen = await find(makeItem(), open(options));
        assert.ok(seen.kind === 'blind', inspect(seen));
        assert.match(seen.detail, problem);
        assert.match(seen.fix, /twice, delete one .* by itself, /);
        assert.deepEqual(writes(), []);
      });
    }

    it('until the team adds the property', async () => {
      const { dataSource } = standIn.addDatabase('Growing', { Name: 'title' });
      const destination = open({ data_source: dataSource });
      receiptOf(await deliver(other(), destination));
      assert.equal((await find(makeItem(), destination)).kind, 'blind');
      standIn.addProperty(KEY, 'rich_text', dataSource);
      assert.equal((await find(makeItem(), destination)).kind, 'absent');
    });

    it('but not of a page that a receipt names', async () => {
      const destination = open({ key: 'Nowhere' });
      const receipt = receiptOf(await deliver(makeItem(), destination));
      assert.equal((await find(makeItem(makePayload(), { receipt }), destination)).kind, 'found');
    });
  });

  describe('when Notion cannot be asked', () => {
    for (const kind of ['500', '503-after-write', 'reset', 'reset-after-write'] as const) {
      it(`${kind} at the query is a retry`, async () => {
        standIn.faults.inject({ kind, times: 1, path: '/query' });
        const seen = await find();
        assert.ok(seen.kind === 'retry', inspect(seen));
      });
    }

    it('a database that is not shared halts', async () => {
      const { database, dataSource } = standIn.addDatabase('Private', { Name: 'title' });
      const held = standIn.workspace.databases.get(database);
      assert.ok(held);
      held.shared = false;
      const seen = await find(makeItem(), open({ data_source: dataSource }));
      assert.ok(seen.kind === 'halt' && seen.reason === 'not_found', inspect(seen));
    });

    it('a token that was revoked halts', async () => {
      const token = 'ntn_revoked0for0good';
      standIn.revoked.add(token);
      const seen = await find(makeItem(), open({ token }));
      assert.ok(seen.kind === 'halt' && seen.reason === 'auth', inspect(seen));
    });
  });
});
