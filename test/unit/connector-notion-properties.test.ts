import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import { makeItem, makePayload } from '../support/item.ts';
import { notionScene } from '../support/notion.ts';

describe('notion: the properties of a page', () => {
  const { standIn, open, deliver, receiptOf, onlyPage, filled } = notionScene();

  describe('properties', () => {
    it('are filled by their names, when the config has none', async () => {
      const payload = makePayload({ interview: { status: 'done', metadata: { plan: 'enterprise', tags: 'a, b' } } });
      receiptOf(await deliver(makeItem(payload)));
      const { Quotes, ...others } = filled();
      assert.match(Quotes ?? '', /felt a bit tricked/);
      assert.deepEqual(others, {
        Name: 'Checkout research · participant-17',
        'Interview ID': 'int_0001',
        Plan: 'enterprise',
        Study: 'Checkout research',
        Participant: 'participant-17',
        Duration: '9',
        Completed: '2026-11-23T14:04:00.000Z',
        Recording: 'https://recordings.example.com/int_0001.mp4',
        Mode: 'Text and voice',
        Status: 'Done',
        Tags: 'a, b',
        Mock: 'false',
      });
    });

    it('hold the interview’s id in the key, whatever its name says', async () => {
      receiptOf(await deliver(makeItem(), open({ key: 'Participant' })));
      assert.equal(filled().Participant, 'int_0001');
    });

    it('become the types of the schema, and the key is added', async () => {
      const { dataSource } = standIn.addDatabase('Every type', {
        Title: 'title',
        'Interview ID': 'rich_text',
        Seats: 'number',
        Plan: 'select',
        Themes: 'multi_select',
        Stage: { type: 'status', options: ['To review'] },
        Day: 'date',
        Moment: 'date',
        Local: 'date',
        Video: 'url',
        Enterprise: 'checkbox',
        Mail: 'email',
        Phone: 'phone_number',
        Owner: 'people',
        Files: 'files',
        Empty: 'rich_text',
      });
      const properties = {
        Title: '{{ study.title }}',
        Seats: '{{ interview.metadata.seats }}',
        Plan: 'big, {{ interview.metadata.plan }}',
        Themes: 'price, speed,price,',
        Stage: 'to REVIEW',
        Day: '2026-11-23',
        Moment: '{{ interview.ended_at }}',
        Local: '2026-11-23 15:04',
        Video: '{{ interview.recording_url }}',
        Enterprise: '{{ interview.metadata.plan == "enterprise" }}',
        Mail: 'ada@example.com',
        Phone: '+49 30 1234',
        Owner: '1b9e5c70-6a2d-4c8b-8e34-90d7f2a4c502',
        Files: '{{ interview.recording_url }}',
        Empty: '{{ interview.metadata.nothing }}',
      };
      const destination = open(
        { data_source: dataSource, properties: { ...properties, Enterprise: 'yes' } },
        { timezone: 'Europe/Berlin' },
      );
      receiptOf(await deliver(makeItem(), destination));
      const { values } = onlyPage(dataSource);
      assert.deepEqual(filled(dataSource), {
        Title: 'Checkout research',
        'Interview ID': 'int_0001',
        Seats: '40',
        Plan: 'big; enterprise',
        Themes: 'price, speed',
        Stage: 'To review',
        Day: '2026-11-23',
        Moment: '2026-11-23T14:04:00.000Z',
        Local: '2026-11-23T15:04:00.000',
        Video: 'https://recordings.example.com/int_0001.mp4',
        Enterprise: 'true',
        Mail: 'ada@example.com',
        Phone: '+49 30 1234',
        Owner: '1b9e5c70-6a2d-4c8b-8e34-90d7f2a4c502',
        Files: 'int_0001.mp4',
      });
      assert.equal(values.get('Seats'), 40);
      assert.deepEqual(values.get('Local'), {
        start: '2026-11-23T15:04:00.000',
        end: null,
        time_zone: 'Europe/Berlin',
      });
    });

    it('leave what is there alone, where a value is empty', async () => {
      const properties = { Name: 'x', Plan: '{{ interview.metadata.plan }}' };
      const receipt = receiptOf(await deliver(makeItem(), open({ properties })));
      const without = makePayload({ interview: { metadata: {} } });
      receiptOf(await deliver(makeItem(without, { receipt }), open({ properties })));
      assert.equal(filled().Plan, 'enterprise');
    });

    for (const [property, template] of Object.entries({
      Duration: '{{ interview.transcript }}',
      Completed: '{{ interview.transcript }}',
      Status: '{{ interview.transcript }}',
      Recording: '{{ interview.transcript }}',
      Mock: '{{ interview.transcript }}',
      Owner: '{{ interview.transcript }}',
      'Contact email': '{{ interview.transcript }}',
      Attachments: '{{ interview.transcript }}',
    })) {
      it(`reject what ${property} cannot take, without a participant's word`, async () => {
        const outcome = await deliver(makeItem(), open({ properties: { Name: 'x', [property]: template } }));
        assert.ok(outcome.kind === 'reject', inspect(outcome));
        assert.ok(outcome.detail.includes(`"${property}"`) && outcome.detail.includes('a text that'), outcome.detail);
        assert.doesNotMatch(outcome.detail + outcome.fix, /checkout|shipping/i);
        assert.deepEqual(standIn.pages(), []);
      });
    }

    it('that Notion does not have halt the destination, until they are added', async () => {
      const { dataSource } = standIn.addDatabase('Growing', {
        Name: 'title',
        'Interview ID': 'rich_text',
        Age: 'formula',
      });
      const destination = open({ data_source: dataSource, properties: { Name: 'x', 'interview id': 'y' } });
      const misspelt = await deliver(makeItem(), destination);
      assert.ok(misspelt.kind === 'halt', inspect(misspelt));
      assert.match(misspelt.fix, /"Interview ID"/);

      const growing = open({ data_source: dataSource, properties: { Name: 'x', Region: 'EU' } });
      assert.equal((await deliver(makeItem(), growing)).kind, 'halt');
      standIn.addProperty('Region', 'select', dataSource);
      receiptOf(await deliver(makeItem(), growing));
      assert.equal(filled(dataSource).Region, 'EU');

      const computed = await deliver(makeItem(), open({ data_source: dataSource, properties: { Age: '7' } }));
      assert.ok(computed.kind === 'halt' && computed.detail.includes('formula'), inspect(computed));
    });

    it('that changed their type since the schema was read are written all the same', async () => {
      const { dataSource } = standIn.addDatabase('Changing', {
        Name: 'title',
        'Interview ID': 'rich_text',
        Seats: 'number',
      });
      const destination = open({ data_source: dataSource, properties: { Seats: '{{ interview.metadata.seats }}' } });
      receiptOf(await deliver(makeItem(makePayload({ interview: { id: 'one' } })), destination));
      standIn.addProperty('Seats', 'rich_text', dataSource);
      receiptOf(await deliver(makeItem(makePayload({ interview: { id: 'two' } })), destination));
      assert.deepEqual(
        standIn.pages(dataSource).map((page) => page.values.has('Seats')),
        [true, true],
      );
    });

    it('hold what Notion can keep of broken texts', async () => {
      const payload = makePayload({ interview: { metadata: { a: 'half \ud83d a\u0000 pair\r\nand on' } } });
      const properties = { Name: '{{ interview.metadata.a }}', Plan: '{{ interview.metadata.a }}' };
      receiptOf(await deliver(makeItem(payload), open({ properties })));
      assert.deepEqual([filled().Name, filled().Plan], ['half \ufffd a pair\nand on', 'half \ufffd a pair and on']);
    });

    it('hold texts of any length within a request', async () => {
      const words = 'Ünïcödé wörds, “quoted”. '.repeat(20_000);
      const payload = makePayload({ interview: { metadata: { a: words } } });
      const properties = { Name: '{{ interview.metadata.a }}', Quotes: '{{ interview.metadata.a }}' };
      receiptOf(await deliver(makeItem(payload), open({ properties })));
      assert.ok((filled().Quotes ?? '').length > 50_000);
      assert.match(filled().Quotes ?? '', /…$/);
    });
  });
});
