import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import fc from 'fast-check';
import Fastify from 'fastify';
import googleSheets from '../../connectors/google-sheets.ts';
import { isSecretAt } from '../../src/config/option-schema.ts';
import { parseOptions } from '../../src/config/plugins.ts';
import type { Attempt, Context, Item, JsonObject, JsonValue } from '../../src/connector.ts';
import type { Outcome } from '../../src/outcome.ts';
import { SHEETS_ACCOUNT, SHEETS_SPREADSHEET, SHEETS_TOKEN, SheetsStandIn } from '../../src/sandbox/sheets.ts';
import type { Tab } from '../../src/sandbox/sheets-tab.ts';
import { connectorContract } from '../contracts/connector.ts';
import { openDestination } from '../support/destination.ts';
import { makeItem, makePayload } from '../support/item.ts';

const COLUMNS = {
  'Interview ID': '{{ interview.id }}',
  Study: '{{ study.title }}',
  Note: '{{ interview.metadata.note }}',
};

async function startSheets() {
  const standIn = new SheetsStandIn();
  const app = Fastify({ forceCloseConnections: true, routerOptions: { maxParamLength: 5000 } });
  standIn.faults.install(app);
  standIn.routes(app);
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const options: JsonObject = { access_token: SHEETS_TOKEN, spreadsheet: SHEETS_SPREADSHEET, api_url: url };
  const credentials = () => standIn.accounts.keyFile(SHEETS_ACCOUNT, `${url}/token`);
  const rows = () => standIn.tab('Interviews')?.values() ?? [];
  return { standIn, url, options, credentials, rows, close: () => app.close() };
}

connectorContract('google-sheets with a service account', async () => {
  const { standIn, options, credentials, rows, close } = await startSheets();
  const key = credentials();
  const { access_token: _, ...others } = options;
  const unknown = JSON.parse(key);
  unknown.client_email = 'nobody@sandbox.iam.gserviceaccount.com';
  return {
    connector: googleSheets,
    options: { ...others, credentials: key },
    refused: { credentials: JSON.stringify(unknown) },
    secrets: [key, unknown.private_key, unknown.private_key.split('\n')[1], 'ya29.'],
    faults: standIn.faults,
    writePath: ':append',
    arrived: () => Math.max(0, rows().length - 1),
    close,
  };
});

connectorContract('google-sheets with an access token', async () => {
  const { standIn, options, rows, close } = await startSheets();
  return {
    connector: googleSheets,
    options,
    refused: { access_token: 'ya29.unknown-token' },
    secrets: [SHEETS_TOKEN, 'ya29.unknown-token'],
    faults: standIn.faults,
    writePath: ':append',
    arrived: () => Math.max(0, rows().length - 1),
    close,
  };
});

const attempt: Attempt = { number: 1, signal: new AbortController().signal, checkpoint: async () => {} };

/** A stand-in of its own, closed after the test, and what a destination with three columns does to it. */
async function scene(t: TestContext) {
  const started = await startSheets();
  t.after(started.close);
  const open = (extra: JsonObject = {}, context?: Partial<Context>) =>
    openDestination(googleSheets, { ...started.options, columns: COLUMNS, ...extra }, context);
  const deliver = async (items: Item[], extra: JsonObject = {}) => {
    const destination = open(extra);
    assert.ok(destination.deliverMany);
    return destination.deliverMany(items, attempt);
  };
  /** Puts a tab there, as the team made it. */
  const draw = (rows: JsonValue[][], title = 'Interviews'): Tab => {
    const spreadsheet = started.standIn.spreadsheets.get(SHEETS_SPREADSHEET);
    spreadsheet?.batchUpdate([{ addSheet: { properties: { title } } }]);
    const tab = started.standIn.tab(title);
    assert.ok(tab);
    tab.write(0, 0, rows, 'RAW');
    return tab;
  };
  return { ...started, open, deliver, draw };
}

function interview(id: string, note: JsonValue = `note of ${id}`): Item {
  return makeItem(makePayload({ interview: { id, metadata: { note } }, study: { title: 'Checkout' } }));
}

function again(item: Item, outcome: Outcome | undefined, note?: JsonValue): Item {
  return { ...interview(item.identity.subject, note), receipt: receiptOf(outcome) };
}

function receiptOf(outcome: Outcome | undefined) {
  assert.ok(outcome?.kind === 'delivered', JSON.stringify(outcome));
  return outcome.receipt;
}

function haltOf(outcome: Outcome | undefined) {
  assert.ok(outcome?.kind === 'halt', JSON.stringify(outcome));
  return outcome;
}

describe('google-sheets: rows', () => {
  it('makes the tab and its header, and one row an interview', async (t) => {
    const { deliver, rows, standIn } = await scene(t);
    const [outcome] = await deliver([interview('int_1')]);
    assert.deepEqual(rows(), [
      ['Interview ID', 'Study', 'Note'],
      ['int_1', 'Checkout', 'note of int_1'],
    ]);
    assert.deepEqual(receiptOf(outcome), {
      spreadsheet: SHEETS_SPREADSHEET,
      tab: 'Interviews',
      key: 'int_1',
      range: 'A2:C2',
      url: `https://docs.google.com/spreadsheets/d/${SHEETS_SPREADSHEET}/edit#gid=${standIn.tab('Interviews')?.id}&range=A2:C2`,
    });
    assert.equal(standIn.tab('Interviews')?.frozenRowCount, 1);
  });

  it('fills columns that most teams want when the config names none', async (t) => {
    const { options, rows } = await scene(t);
    const destination = openDestination(googleSheets, options, { timezone: 'Europe/Berlin' });
    receiptOf(await destination.deliver(makeItem(), attempt));
    const [header = [], row = []] = rows();
    const cells = Object.fromEntries(header.map((name, index) => [name, row[index]]));
    assert.equal(cells['Interview ID'], 'int_0001');
    assert.equal(cells.Completed, '2026-11-23 15:04');
    assert.equal(cells.Minutes, 9);
    assert.match(String(cells.Quotes), /shipping step/);
    assert.equal(cells.Recording, 'https://recordings.example.com/int_0001.mp4');
  });

  it('sends rows that wait together in one append, in their order', async (t) => {
    const { deliver, rows, standIn } = await scene(t);
    const ids = Array.from({ length: 200 }, (_, i) => `int_${i}`);
    const outcomes = await deliver(ids.map((id) => interview(id)));
    assert.equal(standIn.calls.filter((call) => call === 'POST values:append').length, 1);
    assert.deepEqual(
      rows()
        .slice(1)
        .map(([id]) => id),
      ids,
    );
    assert.deepEqual(
      outcomes.map((outcome) => receiptOf(outcome).range),
      ids.map((_, i) => `A${i + 2}:C${i + 2}`),
    );
  });

  it('keeps a call within 2 MB', async (t) => {
    const { deliver, rows, standIn } = await scene(t);
    const outcomes = await deliver(Array.from({ length: 100 }, (_, i) => interview(`int_${i}`, 'x'.repeat(50_000))));
    assert.ok(outcomes.every(({ kind }) => kind === 'delivered'));
    assert.equal(standIn.calls.filter((call) => call === 'POST values:append').length, 3);
    assert.equal(rows().length, 101);
  });

  it('updates in place, wherever the row has gone, and leaves the cells of the team alone', async (t) => {
    const { deliver, draw } = await scene(t);
    const tab = draw([['Owner', 'Interview ID', 'Note', 'Study']]);
    const items = ['int_1', 'int_2', 'int_3'].map((id) => interview(id));
    const outcomes = await deliver(items);
    tab.write(3, 0, [['Ada']], 'RAW');
    tab.moveRow(3, 1);
    const updated = await deliver([
      again(interview('int_3'), outcomes[2], null),
      again(interview('int_1'), outcomes[0], 5),
    ]);
    assert.deepEqual(tab.values(), [
      ['Owner', 'Interview ID', 'Note', 'Study'],
      ['Ada', 'int_3', null, 'Checkout'],
      [null, 'int_1', 5, 'Checkout'],
      [null, 'int_2', 'note of int_2', 'Checkout'],
    ]);
    assert.deepEqual(
      updated.map((outcome) => receiptOf(outcome).range),
      ['A2:D2', 'A3:D3'],
    );
  });

  it('appends anew what a person deleted', async (t) => {
    const { deliver, rows, standIn } = await scene(t);
    const outcomes = await deliver([interview('int_1'), interview('int_2')]);
    standIn.tab('Interviews')?.deleteRow(1);
    const [outcome] = await deliver([again(interview('int_1'), outcomes[0])]);
    assert.deepEqual(
      rows()
        .slice(1)
        .map(([id]) => id),
      ['int_2', 'int_1'],
    );
    assert.equal(receiptOf(outcome).range, 'A3:C3');
  });

  it('of two rows with one key updates the one that the receipt is of', async (t) => {
    const { deliver, rows } = await scene(t);
    const [first] = await deliver([interview('int_1', 'first')]);
    const [second] = await deliver([interview('int_1', 'second generation')]);
    await deliver([again(interview('int_1'), second, 'changed')]);
    assert.deepEqual(
      rows()
        .slice(1)
        .map(([, , note]) => note),
      ['first', 'changed'],
    );
    await deliver([again(interview('int_1'), first, 'too')]);
    assert.deepEqual(
      rows()
        .slice(1)
        .map(([, , note]) => note),
      ['too', 'changed'],
    );
  });

  it('writes what belongs together, whichever column a person inserts between two batches', async (t) => {
    const { open, standIn, rows } = await scene(t);
    const destination = open();
    const first = await destination.deliver(interview('int_1'), attempt);
    standIn.tab('Interviews')?.insertColumn(1);
    standIn.tab('Interviews')?.write(0, 1, [['Owner']], 'RAW');
    await destination.deliver(interview('int_2'), attempt);
    await destination.deliver(again(interview('int_1'), first, 'changed'), attempt);
    assert.deepEqual(rows(), [
      ['Interview ID', 'Owner', 'Study', 'Note'],
      ['int_1', null, 'Checkout', 'changed'],
      ['int_2', null, 'Checkout', 'note of int_2'],
    ]);
  });

  it('makes the tab again when it was deleted while the relay ran', async (t) => {
    const { open, standIn, rows } = await scene(t);
    const destination = open();
    await destination.deliver(interview('int_1'), attempt);
    standIn.spreadsheets.get(SHEETS_SPREADSHEET)?.tabs.splice(1);
    receiptOf(await destination.deliver(interview('int_2'), attempt));
    assert.deepEqual(
      rows().map(([id]) => id),
      ['Interview ID', 'int_2'],
    );
  });

  it('overwrites nothing that stands below the table', async (t) => {
    const { deliver, draw } = await scene(t);
    const tab = draw([['Interview ID', 'Study', 'Note'], [], ['Totals', 7]]);
    await deliver([interview('int_1'), interview('int_2')]);
    assert.deepEqual(
      tab.values().map(([first]) => first ?? null),
      ['Interview ID', 'int_1', 'int_2', null, 'Totals'],
    );
  });

  const odd: [string, JsonValue[][]][] = [
    ['a blank first column', [[null, 'Interview ID', 'Study', 'Note']]],
    [
      'cells of the team in a column without a name',
      [
        [null, 'Interview ID', 'Study', 'Note'],
        ['draft', 'int_0', 'Old', 'old'],
      ],
    ],
    ['a blank column inside the header', [['Interview ID', null, 'Study', 'Note']]],
    [
      'a first column that the team seldom fills',
      [
        ['Owner', 'Interview ID', 'Study', 'Note'],
        [null, 'int_0', 'Old', 'old'],
      ],
    ],
  ];
  for (const [title, before] of odd) {
    it(`puts each value under its name beside ${title}`, async (t) => {
      const { deliver, draw } = await scene(t);
      const tab = draw(before);
      await deliver([interview('int_1')]);
      await deliver([interview('int_2'), interview('int_3')]);
      const [header = []] = before;
      const at = ['Interview ID', 'Study', 'Note'].map((name) => header.indexOf(name));
      const added = tab.values().slice(before.length);
      assert.deepEqual(tab.values().slice(0, before.length), before, 'what was there is untouched');
      assert.deepEqual(
        added.map((row) => at.map((column) => row[column])),
        ['int_1', 'int_2', 'int_3'].map((id) => [id, 'Checkout', `note of ${id}`]),
      );
      assert.ok(added.every((row) => row.filter((value) => value !== null && value !== undefined).length === 3));
    });
  }

  it('does not lose rows to overlapping appends when the relay keeps its one writer', async (t) => {
    const { open, standIn, rows } = await scene(t);
    const spreadsheet = standIn.spreadsheets.get(SHEETS_SPREADSHEET);
    assert.ok(spreadsheet);
    const [one, other] = [open(), open({ tab: 'Other' })];
    assert.equal(one.limits.serial, other.limits.serial);
    await one.deliver(interview('int_0'), attempt);
    // What the real service does to two writers, so that the limit has a reason.
    spreadsheet.appendRace = 20;
    await Promise.all([one.deliver(interview('int_1'), attempt), one.deliver(interview('int_2'), attempt)]);
    assert.equal(rows().length, 3, 'two writers at once lose a row');
  });
});

describe('google-sheets: the header is a contract', () => {
  it('halts on a column that the tab lacks, says which, and writes nothing', async (t) => {
    const { deliver, draw, open } = await scene(t);
    const before = [['Interview ID', 'Notes', 'Extra']];
    const tab = draw(before);
    const { reason, detail, fix } = haltOf((await deliver([interview('int_1')]))[0]);
    assert.equal(reason, 'invalid');
    assert.equal(detail, 'The tab "Interviews" has no columns "Study", "Note". Row 1 has: Interview ID, Notes, Extra.');
    assert.match(fix, /Write "Study", "Note" into free cells of row 1/);
    assert.deepEqual(tab.values(), before);
    assert.deepEqual(
      (await open().check?.())?.map(({ message }) => message),
      [detail],
    );
  });

  it('halts on a column that is there twice', async (t) => {
    const { deliver, draw, open } = await scene(t);
    draw([['Interview ID', 'Study', 'Note', ' Study ']]);
    const { detail } = haltOf((await deliver([interview('int_1')]))[0]);
    assert.equal(detail, 'The tab "Interviews" has more than one column "Study": B and D.');
    assert.equal((await open().check?.())?.length, 1);
  });

  it('halts on an empty first row above others', async (t) => {
    const { deliver, draw, open } = await scene(t);
    const tab = draw([[], ['Our interviews']]);
    const { fix } = haltOf((await deliver([interview('int_1')]))[0]);
    assert.match(fix, /Put the names of the columns into row 1: Interview ID, Study, Note/);
    assert.equal(tab.values().length, 2);
    assert.equal((await open().check?.())?.length, 1);
  });

  it('uses an empty tab that is there, however narrow', async (t) => {
    const { deliver, standIn } = await scene(t);
    const columns = Object.fromEntries(
      Array.from({ length: 40 }, (_, i) => [`Column ${i}`, `{{ interview.id }}-${i}`]),
    );
    receiptOf((await deliver([interview('int_1')], { tab: 'sheet1', columns }))[0]);
    assert.equal(standIn.tab('Sheet1')?.values()[1]?.at(-1), 'int_1-39');
    assert.equal(standIn.spreadsheets.get(SHEETS_SPREADSHEET)?.tabs.length, 1);
  });

  it('adds the key column when `columns:` has none of its name', async (t) => {
    const { deliver, rows } = await scene(t);
    await deliver([interview('int_1')], { columns: { Study: '{{ study.title }}' }, key: 'ID' });
    assert.deepEqual(rows(), [
      ['ID', 'Study'],
      ['int_1', 'Checkout'],
    ]);
  });

  it('respects any order of the columns, with any of the team between them', async (t) => {
    const { deliver, draw } = await scene(t);
    let tabs = 0;
    const headers = fc
      .shuffledSubarray(['Interview ID', 'Study', 'Note', 'Owner', 'State', "It's done?"], { minLength: 6 })
      .map((names) => names);
    await fc.assert(
      fc.asyncProperty(headers, fc.nat(3), async (header, spaces) => {
        const title = `Tab ${tabs++}`;
        const tab = draw([header.map((name) => `${' '.repeat(spaces)}${name} `)], title);
        receiptOf((await deliver([interview('int_1')], { tab: title }))[0]);
        const [drawn = [], row = []] = tab.values();
        assert.deepEqual(
          drawn.map((name) => String(name).trim()),
          header,
        );
        const cells = header.map((name, index) => [name, row[index] ?? null]);
        assert.deepEqual(Object.fromEntries(cells), {
          'Interview ID': 'int_1',
          Study: 'Checkout',
          Note: 'note of int_1',
          Owner: null,
          State: null,
          "It's done?": null,
        });
      }),
      { numRuns: 30 },
    );
  });
});

describe('google-sheets: values', () => {
  it('keeps any text to the byte, formulas and numbers as text among them', async (t) => {
    const { deliver, rows, standIn } = await scene(t);
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 200 }),
      fc.string({ unit: 'grapheme', maxLength: 200 }),
      fc.constantFrom(
        '=1+1',
        '+1',
        "'quoted",
        '007',
        '1e5',
        'TRUE',
        '2026-11-23',
        '=IMPORTXML("http://evil.example/")',
        ' ',
      ),
      fc.integer({ min: 49_000, max: 50_000 }).map((length) => 'ä'.repeat(length)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 20 }), async (texts) => {
        const before = rows().length || 1;
        const outcomes = await deliver(texts.map((note, i) => interview(`int_${before}_${i}`, note)));
        assert.ok(outcomes.every(({ kind }) => kind === 'delivered'));
        assert.deepEqual(
          rows()
            .slice(before)
            .map(([, , note]) => note ?? ''),
          texts,
        );
      }),
      { numRuns: 20 },
    );
    assert.deepEqual(standIn.tab('Interviews')?.formulas(), []);
  });

  it('keeps numbers and booleans of a lone `{{ … }}`, and nothing else', async (t) => {
    const { deliver, rows } = await scene(t);
    const values = [0, -1.5, 1e21, true, false, null, [1, 'a'], { a: 1 }];
    await deliver(values.map((note, i) => interview(`int_${i}`, note)));
    assert.deepEqual(
      rows()
        .slice(1)
        .map(([, , note]) => note ?? null),
      [0, -1.5, 1e21, true, false, null, '1, a', '{"a":1}'],
    );
    await deliver([interview('int_9', 7)], { columns: { ...COLUMNS, Note: 'n = {{ interview.metadata.note }}' } });
    assert.equal(rows().at(-1)?.[2], 'n = 7');
  });

  it('cuts a cell at 50,000 characters, and repairs half a surrogate pair', async (t) => {
    const { deliver, rows } = await scene(t);
    await deliver([interview('int_1', 'word '.repeat(20_000)), interview('int_2', 'a\ud800b')]);
    const long = String(rows()[1]?.[2]);
    assert.ok(long.length <= 50_000 && long.endsWith('word…'));
    assert.equal(rows()[2]?.[2], 'a\ufffdb');
  });

  it('rejects only the item whose template cannot be rendered', async (t) => {
    const { deliver, rows } = await scene(t);
    const columns = { ...COLUMNS, Note: '{% for i in (1..interview.metadata.note) %}{{ i }}{% endfor %}' };
    const outcomes = await deliver([interview('int_1', 3), interview('int_2', 1e9)], { columns });
    assert.deepEqual(
      outcomes.map(({ kind }) => kind),
      ['delivered', 'reject'],
    );
    assert.equal(rows().length, 2);
  });
});

describe('google-sheets: what Google refuses', () => {
  const share = /click Share, and add relay@sandbox\.iam\.gserviceaccount\.com as Editor/;
  const cases: [string, (standIn: SheetsStandIn) => void, { reason: string; fix: RegExp; seenByCheck: boolean }][] = [
    [
      'a spreadsheet that is not shared',
      (standIn) => standIn.spreadsheets.get(SHEETS_SPREADSHEET)?.editors.clear(),
      { reason: 'forbidden', fix: share, seenByCheck: true },
    ],
    [
      'a spreadsheet that is shared for reading only',
      (standIn) => {
        standIn.spreadsheets.get(SHEETS_SPREADSHEET)?.editors.clear();
        standIn.spreadsheets.get(SHEETS_SPREADSHEET)?.viewers.add(SHEETS_ACCOUNT);
      },
      { reason: 'forbidden', fix: share, seenByCheck: false },
    ],
    [
      'a project without the Sheets API',
      (standIn) => {
        standIn.isDisabled = true;
      },
      {
        reason: 'forbidden',
        fix: /Enable the Google Sheets API.*https:\/\/console\.developers\.google\.com\//,
        seenByCheck: true,
      },
    ],
    [
      'a spreadsheet that is gone',
      (standIn) => standIn.spreadsheets.clear(),
      { reason: 'not_found', fix: /Check `spreadsheet:`/, seenByCheck: true },
    ],
    [
      'an Excel file',
      (standIn) => {
        const spreadsheet = standIn.spreadsheets.get(SHEETS_SPREADSHEET);
        if (spreadsheet) spreadsheet.isOfficeFile = true;
      },
      { reason: 'invalid', fix: /Save as Google Sheets/, seenByCheck: true },
    ],
    [
      'a key that was deleted',
      (standIn) => standIn.accounts.deleteKey(SHEETS_ACCOUNT),
      { reason: 'auth', fix: /The key of relay@sandbox.* is no longer accepted/, seenByCheck: true },
    ],
  ];
  for (const [title, spoil, { reason, fix, seenByCheck }] of cases) {
    it(`halts on ${title}, and says what to click`, async (t) => {
      const { options, credentials, standIn } = await scene(t);
      const { access_token: _, ...others } = options;
      const destination = openDestination(googleSheets, { ...others, credentials: credentials() });
      spoil(standIn);
      const findings = await destination.check?.();
      const halted = haltOf(await destination.deliver(interview('int_1'), attempt));
      assert.equal(halted.reason, reason);
      assert.match(halted.fix, fix);
      if (seenByCheck) assert.match(findings?.[0]?.fix ?? '', fix);
      else assert.deepEqual(findings, []);
    });
  }

  it('halts on an access token that has ended', async (t) => {
    const { open, standIn } = await scene(t);
    const destination = open();
    receiptOf(await destination.deliver(interview('int_1'), attempt));
    standIn.accounts.expire(SHEETS_TOKEN);
    assert.match(haltOf(await destination.deliver(interview('int_2'), attempt)).fix, /new `access_token`/);
  });

  it('tells a wrong clock from a wrong key', async (t) => {
    const { options, credentials } = await scene(t);
    const { access_token: _, ...others } = options;
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() });
    // What is signed now is judged a day later: so it looks to Google when the relay's clock is slow.
    const slow: typeof fetch = (input, init) => {
      t.mock.timers.setTime(Date.now() + 86_400_000);
      return fetch(input, init);
    };
    const destination = openDestination(googleSheets, { ...others, credentials: credentials() }, { fetch: slow });
    assert.match(haltOf(await destination.deliver(interview('int_1'), attempt)).fix, /Set the clock/);
  });

  it('of a quota says nothing but that it waits', async (t) => {
    const { deliver, standIn, rows } = await scene(t);
    standIn.perMinute = 0;
    const [outcome] = await deliver([interview('int_1')]);
    assert.deepEqual(outcome?.kind === 'retry' && [outcome.reason, outcome.afterMs], ['rate_limited', undefined]);
    assert.equal(rows().length, 0);
  });

  it('finds the one row that Google refuses, and delivers the others', async (t) => {
    const { open, rows } = await scene(t);
    // A rule of the service that the relay does not know of.
    const refuseFive: typeof fetch = async (input, init) => {
      if (!String(input).includes(':append') || !String(init?.body).includes('int_5')) return fetch(input, init);
      const error = { code: 400, status: 'INVALID_ARGUMENT', message: 'Invalid values[0][2]: the participant said so' };
      return Response.json({ error }, { status: 400 });
    };
    const items = Array.from({ length: 9 }, (_, i) => interview(`int_${i}`));
    const outcomes = await open({}, { fetch: refuseFive }).deliverMany?.(items, attempt);
    assert.deepEqual(
      outcomes?.map(({ kind }) => kind === 'delivered'),
      items.map((_, i) => i !== 5),
    );
    assert.equal(rows().length, 9);
    const refused = outcomes?.[5];
    assert.equal(refused?.kind === 'reject' && refused.detail, '400 INVALID_ARGUMENT: Invalid values[0][2]');
  });

  it('sends nothing more after a call that got no answer', async (t) => {
    const { deliver, standIn } = await scene(t);
    await deliver([interview('int_0')]);
    standIn.faults.inject({ kind: 'reset-after-write', times: 1, path: ':append' });
    const outcomes = await deliver(
      Array.from({ length: 100 }, (_, i) => interview(`int_${i + 1}`, 'x'.repeat(50_000))),
    );
    const kinds = outcomes.map(({ kind }) => kind);
    assert.equal(kinds[0], 'unknown');
    assert.equal(kinds.at(-1), 'retry', 'a row that was not sent has no unknown end');
    assert.equal(kinds.lastIndexOf('unknown') + 1, kinds.indexOf('retry'));
  });

  it('has no unknown end before a row was sent', async (t) => {
    const { deliver, standIn } = await scene(t);
    for (const path of [':batchUpdate', 'values:batchUpdate', '1%3A1']) {
      standIn.faults.inject({ kind: path.startsWith('1') ? 'reset' : '503-after-write', times: 1, path });
      const [outcome] = await deliver([interview('int_1')]);
      assert.equal(outcome?.kind, 'retry', `${path}: ${JSON.stringify(outcome)}`);
      standIn.faults.clear();
    }
    receiptOf((await deliver([interview('int_1')]))[0]);
    assert.deepEqual(
      standIn
        .tab('Interviews')
        ?.values()
        .map(([id]) => id),
      ['Interview ID', 'int_1'],
    );
  });

  it('calls through the context alone, also for tokens, and repeats nothing', async (t) => {
    const { options, credentials, standIn } = await scene(t);
    const { access_token: _, ...others } = options;
    const called: string[] = [];
    const counting: typeof fetch = (input, init) => {
      called.push(new URL(String(input)).pathname.split('/').at(-1) ?? '');
      return fetch(input, init);
    };
    const destination = openDestination(googleSheets, { ...others, credentials: credentials() }, { fetch: counting });
    standIn.faults.inject({ kind: '500', times: 1, path: 'token' });
    standIn.faults.inject({ kind: '500', times: 1, path: '/v4/' });
    assert.equal((await destination.deliver(interview('int_1'), attempt)).kind, 'retry');
    assert.deepEqual(called, ['token']);
    assert.equal((await destination.deliver(interview('int_1'), attempt)).kind, 'retry');
    assert.deepEqual(called, ['token', 'token', SHEETS_SPREADSHEET]);
    receiptOf(await destination.deliver(interview('int_1'), attempt));
    assert.equal(called.filter((name) => name === 'token').length, 2, 'a token is used again');
  });

  it('does not append again what landed beside its columns', async (t) => {
    const { deliver, draw, standIn } = await scene(t);
    const tab = draw([
      [null, 'Interview ID', 'Study', 'Note'],
      ['draft', 'int_0', 'Old', 'old'],
    ]);
    standIn.faults.inject({ kind: '429', times: 1, path: 'values:batchUpdate' });
    const outcomes = await deliver([interview('int_1'), interview('int_2')]);
    assert.deepEqual(
      outcomes.map(({ kind }) => kind),
      ['unknown', 'unknown'],
    );
    assert.equal(tab.values().length, 4);
  });
});

describe('google-sheets: options', () => {
  const problems = (options: JsonObject) =>
    parseOptions(googleSheets, { spreadsheet: SHEETS_SPREADSHEET, ...options }, { timezone: 'UTC' }).problems.map(
      ({ path, message }) => `${path.join('.')}: ${message}`,
    );

  it('take exactly one of credentials and access_token', () => {
    const [none = ''] = problems({});
    assert.match(none, /expected one of `credentials` and `access_token`, found neither/);
    assert.deepEqual(problems({ access_token: 'x' }), []);
  });

  it('judge the key when the config is read, and never show it', async (t) => {
    const { credentials } = await scene(t);
    const key = JSON.parse(credentials());
    const cases: [string, RegExp][] = [
      ['/run/secrets/google.json', /Give the file's text/],
      ['{"type": "service_account", "private_key": "TOP', /JSON text of a service account/],
      [JSON.stringify({ web: { client_secret: 'TOP-SECRET' } }), /secret of an OAuth client/],
      [JSON.stringify({ type: 'authorized_user', refresh_token: 'TOP-SECRET' }), /found other credentials/],
      [JSON.stringify({ ...key, client_email: 'TOP-SECRET' }), /no usable client_email/],
      [JSON.stringify({ ...key, private_key: 'TOP-SECRET' }), /private_key .* cannot be read/],
    ];
    for (const [credentials, message] of cases) {
      const [problem = ''] = problems({ credentials });
      assert.match(problem, message);
      assert.doesNotMatch(problem, /TOP|secrets\/google/);
    }
    const escaped = { ...key, private_key: key.private_key.replaceAll('\n', '\\n') };
    assert.deepEqual(problems({ credentials: JSON.stringify(escaped) }), []);
    assert.ok(isSecretAt(googleSheets.options, ['credentials']));
  });

  it('take the address of a spreadsheet, and no published page', () => {
    const open = (spreadsheet: string) => openDestination(googleSheets, { spreadsheet, access_token: 'x' });
    const address = `https://docs.google.com/spreadsheets/u/1/d/${SHEETS_SPREADSHEET}/edit?gid=5#gid=5`;
    assert.equal(open(address).target, `google-sheets:${SHEETS_SPREADSHEET}/Interviews`);
    const published = 'https://docs.google.com/spreadsheets/d/e/2PACX-1vQabcdefghijk/pubhtml';
    assert.throws(() => open(published), /expected the id of a spreadsheet/);
    assert.throws(() => open('Interviews'), /expected the id of a spreadsheet/);
  });

  it('refuse columns that cannot be told apart', () => {
    assert.match(problems({ access_token: 'x', columns: { A: 'a', 'A ': 'b' } }).join(), /two columns "A"/);
    assert.match(problems({ access_token: 'x', columns: {} }).join(), /at least one column/);
  });

  it('warn of a key that does not hold the id', async (t) => {
    const { open } = await scene(t);
    const findings = await open({ columns: { 'Interview ID': '{{ interview.vid }}' } }).check?.();
    assert.deepEqual(
      findings?.map(({ level }) => level),
      ['warning'],
    );
  });
});
