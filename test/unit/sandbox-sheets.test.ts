import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import Fastify from 'fastify';
import { OAuth2Client } from 'google-auth-library';
import { sheets, type sheets_v4 } from 'googleapis/build/src/apis/sheets/index.js';
import { SHEETS_ACCOUNT, SHEETS_SPREADSHEET, SHEETS_TOKEN, SheetsStandIn } from '../../src/sandbox/sheets.ts';

/** The stand-in behind the official client. */
async function scene(t: TestContext) {
  const standIn = new SheetsStandIn();
  const app = Fastify({ forceCloseConnections: true, bodyLimit: 50_000_000, routerOptions: { maxParamLength: 5000 } });
  standIn.faults.install(app);
  standIn.routes(app);
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  t.after(() => app.close());
  const client = (token = SHEETS_TOKEN) => {
    const auth = new OAuth2Client();
    auth.setCredentials({ access_token: token });
    return sheets({ version: 'v4', auth, rootUrl: `${url}/`, retry: false });
  };
  const { values } = client().spreadsheets;
  const at = (range: string) => ({ spreadsheetId: SHEETS_SPREADSHEET, range });
  const append = (range: string, rows: unknown[][], more: sheets_v4.Params$Resource$Spreadsheets$Values$Append = {}) =>
    values.append({ ...at(range), valueInputOption: 'RAW', ...more, requestBody: { values: rows as string[][] } });
  const update = (range: string, rows: unknown[][], valueInputOption = 'RAW') =>
    values.update({ ...at(range), valueInputOption, requestBody: { values: rows as string[][] } });
  const read = async (range: string) => (await values.get(at(range))).data;
  const batch = (requests: sheets_v4.Schema$Request[]) =>
    client().spreadsheets.batchUpdate({ spreadsheetId: SHEETS_SPREADSHEET, requestBody: { requests } });
  return { standIn, url, client, values, at, append, update, read, batch };
}

async function refusal(call: Promise<unknown>) {
  const error = await call.then(
    () => assert.fail('it was not refused'),
    (thrown: { response?: { data: { error: { code: number; status: string; message: string } } } }) => thrown,
  );
  const { code, status, message } = error.response?.data.error ?? {};
  return { code, status, message };
}

describe('the Sheets stand-in', () => {
  it('appends below the table that a range touches, from its first column on', async (t) => {
    const { append, update } = await scene(t);
    // The example of Google's guide to appending values: a table at A1:C2, another at B4:D6.
    await update('Sheet1!A1:C2', [
      [1, 2, 3],
      [4, 5, 6],
    ]);
    await update('Sheet1!B4:D6', [
      [1, 2, 3],
      [4, 5, 6],
      [7, 8, 9],
    ]);
    const where = async (range: string) => {
      const { data } = await append(range, [['x']]);
      const place = data.updates?.updatedRange;
      await update(place ?? '', [['']]);
      return [data.tableRange, place];
    };
    assert.deepEqual(await where('Sheet1'), ['Sheet1!B4:D6', 'Sheet1!B7']);
    assert.deepEqual(await where('Sheet1!B4'), ['Sheet1!B4:D6', 'Sheet1!B7']);
    assert.deepEqual(await where('Sheet1!C5:D5'), ['Sheet1!B4:D6', 'Sheet1!B7']);
    assert.deepEqual(await where('Sheet1!B2:D4'), ['Sheet1!B4:D6', 'Sheet1!B7']);
    assert.deepEqual(await where('Sheet1!A3:G10'), ['Sheet1!B4:D6', 'Sheet1!B7']);
    assert.deepEqual(await where('Sheet1!A1'), ['Sheet1!A1:C2', 'Sheet1!A3']);
    assert.deepEqual(await where('Sheet1!E4'), [undefined, 'Sheet1!E4']);
  });

  it('shifts rows to the right when a blank cell splits the header, as Google does', async (t) => {
    const { append, update } = await scene(t);
    await update('Sheet1!A1:D1', [['1', '2', '', '3']]);
    const { data } = await append('Sheet1', [['a', 'b', 'c']]);
    assert.equal(data.updates?.updatedRange, 'Sheet1!D2:F2');
  });

  it('inserts rows, or overwrites what is below the table', async (t) => {
    const { append, update, read } = await scene(t);
    await update('Sheet1!A1:A4', [['head'], [''], ['total'], ['7']]);
    await append('Sheet1!A1', [['x'], ['y']], { insertDataOption: 'INSERT_ROWS' });
    assert.deepEqual((await read('Sheet1!A:A')).values, [['head'], ['x'], ['y'], [], ['total'], ['7']]);
    await append('Sheet1!A1', [['z'], ['z']], { insertDataOption: 'OVERWRITE' });
    assert.deepEqual((await read('Sheet1!A:A')).values, [['head'], ['x'], ['y'], ['z'], ['z'], ['7']]);
  });

  it('grows the grid on an append, and not on an update', async (t) => {
    const { standIn, append, update } = await scene(t);
    await update('Sheet1!A1000', [['last']]);
    const wide = Array.from({ length: 30 }, (_, i) => i);
    await append('Sheet1!A1000', [wide]);
    const tab = standIn.tab('Sheet1');
    assert.deepEqual([tab?.rowCount, tab?.columnCount], [1001, 30]);
    const { message } = await refusal(update('Sheet1!A1002', [['x']]));
    assert.match(message ?? '', /^Range \(Sheet1!A1002\) exceeds grid limits\. Max rows: 1001, max columns: 30$/);
  });

  it('keeps RAW text as text, and runs what is USER_ENTERED', async (t) => {
    const { standIn, append, update, read } = await scene(t);
    await append('Sheet1!A1', [['=1+1', '7', true, 7, null, '']]);
    await update('Sheet1!A2', [['=1+1', '7', 'true', 7]], 'USER_ENTERED');
    assert.deepEqual(standIn.tab('Sheet1')?.rows(), [
      ['=1+1', '7', true, 7],
      ['#N/A', 7, true, 7],
    ]);
    assert.deepEqual(standIn.tab('Sheet1')?.formulas(), ['A2']);
    assert.deepEqual((await read('Sheet1!A1:D1')).values, [['=1+1', '7', 'TRUE', '7']]);
  });

  it('skips null, and empties a cell with an empty text', async (t) => {
    const { update, read } = await scene(t);
    await update('Sheet1!A1:C1', [['a', 'b', 'c']]);
    await update('Sheet1!A1:C1', [[null, '', 'd']]);
    assert.deepEqual((await read('Sheet1!1:1')).values, [['a', '', 'd']]);
  });

  it('reads by row or column, and without the empty ends', async (t) => {
    const { values, at, update, read } = await scene(t);
    await update("'Sheet1'!A1:B3", [
      ['a', 'b'],
      ['', 'c'],
      ['d', ''],
    ]);
    assert.deepEqual(await read('Sheet1!A:B'), {
      range: 'Sheet1!A1:B1000',
      majorDimension: 'ROWS',
      values: [['a', 'b'], ['', 'c'], ['d']],
    });
    const columns = await values.get({ ...at('A:B'), majorDimension: 'COLUMNS' });
    assert.deepEqual(columns.data.values, [
      ['a', '', 'd'],
      ['b', 'c'],
    ]);
    const many = await values.batchGet({ spreadsheetId: SHEETS_SPREADSHEET, ranges: ['A1', 'B2'] });
    assert.deepEqual(
      many.data.valueRanges?.map((one) => one.values),
      [[['a']], [['c']]],
    );
    assert.equal((await read('Sheet1!C1')).values, undefined);
  });

  it('describes a spreadsheet by the fields that are asked for', async (t) => {
    const { client, batch } = await scene(t);
    await batch([
      { addSheet: { properties: { title: "Ada's", gridProperties: { columnCount: 3, frozenRowCount: 1 } } } },
    ]);
    const fields = 'properties.title,sheets.properties(title,gridProperties/columnCount)';
    const { data } = await client().spreadsheets.get({ spreadsheetId: SHEETS_SPREADSHEET, fields });
    assert.deepEqual(data, {
      properties: { title: 'Interview tracker' },
      sheets: [
        { properties: { title: 'Sheet1', gridProperties: { columnCount: 26 } } },
        { properties: { title: "Ada's", gridProperties: { columnCount: 3 } } },
      ],
    });
    const wrong = await refusal(client().spreadsheets.get({ spreadsheetId: SHEETS_SPREADSHEET, fields: 'sheets(' }));
    assert.equal(wrong.status, 'INVALID_ARGUMENT');
  });

  it('writes all ranges of a call or none', async (t) => {
    const { values, read } = await scene(t);
    const data = [
      { range: 'A1', values: [['a']] },
      { range: 'Nowhere!A1', values: [['b']] },
    ];
    const call = values.batchUpdate({
      spreadsheetId: SHEETS_SPREADSHEET,
      requestBody: { valueInputOption: 'RAW', data },
    });
    assert.equal((await refusal(call)).message, 'Unable to parse range: Nowhere!A1');
    assert.equal((await read('A1')).values, undefined);
  });

  it('refuses what Google refuses, in its words', async (t) => {
    const { append, update, batch, read, values, at } = await scene(t);
    const said = async (call: Promise<unknown>) => (await refusal(call)).message;
    const title = 'x'.repeat(101);
    assert.equal(
      await said(append('A1', [['x'.repeat(50_001)]])),
      'Your input contains more than the maximum of 50000 characters in a single cell.',
    );
    assert.match((await said(append('A1', [[{ a: 1 }]]))) ?? '', /^Invalid values\[0\]\[0\]: struct_value/);
    assert.match((await said(values.append({ ...at('A1'), requestBody: {} }))) ?? '', /valueInputOption/);
    assert.match((await said(append('A1', [], { insertDataOption: 'UPSERT' }))) ?? '', /insert_data_option/);
    for (const option of ['valueRenderOption', 'dateTimeRenderOption', 'majorDimension']) {
      assert.match(
        (await said(values.get({ ...at('A1'), [option]: 'AS_IT_IS' }))) ?? '',
        /^Invalid value at '[a-z_]+', "AS_IT_IS"/,
      );
    }
    assert.equal(await said(append("'No such tab'!A1", [['x']])), "Unable to parse range: 'No such tab'!A1");
    assert.equal(await said(read('Sheet1!1')), 'Unable to parse range: Sheet1!1');
    assert.equal(
      await said(update('Sheet1!A1:B1', [['a', 'b', 'c']])),
      'Requested writing within range [Sheet1!A1:B1], but tried writing to column [C]',
    );
    assert.match(
      (await said(batch([{ addSheet: { properties: { title: 'sheet1' } } }]))) ?? '',
      /A sheet with the name "sheet1" already exists/,
    );
    assert.match((await said(batch([{ addSheet: { properties: { title } } }]))) ?? '', /1 to 100 characters/);
    assert.match((await said(batch([]))) ?? '', /at least one request/);
    assert.match(
      (await said(batch([{ addSheet: { properties: { title: 'Big', gridProperties: { rowCount: 400_000 } } } }]))) ??
        '',
      /above the limit of 10000000 cells/,
    );
    const large = Array.from({ length: 220 }, () => ['x'.repeat(49_000)]);
    assert.deepEqual(await refusal(append('A1', large)), {
      code: 400,
      status: 'INVALID_ARGUMENT',
      message: 'Request payload size exceeds the limit: 10485760 bytes.',
    });
  });

  it('judges who calls before what is asked', async (t) => {
    const { standIn, client } = await scene(t);
    const get = (id: string, token?: string) => refusal(client(token).spreadsheets.get({ spreadsheetId: id }));
    assert.equal((await get(SHEETS_SPREADSHEET, 'ya29.other')).status, 'UNAUTHENTICATED');
    assert.equal((await get('no-such-spreadsheet')).status, 'NOT_FOUND');
    standIn.addSpreadsheet({ id: 'private', title: 'Private' }).editors.clear();
    assert.equal((await get('private')).status, 'PERMISSION_DENIED');
    standIn.accounts.allow('ya29.viewer', 'viewer@example.com');
    standIn.spreadsheets.get('private')?.viewers.add('viewer@example.com');
    const { spreadsheets } = client('ya29.viewer');
    assert.equal((await spreadsheets.get({ spreadsheetId: 'private' })).status, 200);
    const write = { spreadsheetId: 'private', range: 'A1', valueInputOption: 'RAW', requestBody: { values: [['x']] } };
    assert.equal((await refusal(spreadsheets.values.append(write))).status, 'PERMISSION_DENIED');
  });

  it('counts reads and writes by user when it is told to', async (t) => {
    const { standIn, read, append } = await scene(t);
    standIn.perMinute = 2;
    await read('A1');
    await append('A1', [['x']]);
    await append('A1', [['y']]);
    await read('A1');
    const { code, message } = await refusal(append('A1', [['z']]));
    assert.equal(code, 429);
    assert.match(message ?? '', /'Write requests per minute per user'/);
  });

  it('gives tokens to a service account that signs rightly, and to no other', async (t) => {
    const { standIn, url } = await scene(t);
    const ask = async (assertion: string) => {
      const grant_type = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
      const body = new URLSearchParams({ grant_type, assertion });
      const answer = await fetch(`${url}/token`, { method: 'POST', body });
      return [answer.status, (await answer.json()) as { error: string }] as const;
    };
    standIn.accounts.keyFile(SHEETS_ACCOUNT, `${url}/token`);
    const claims = Buffer.from(JSON.stringify({ iss: SHEETS_ACCOUNT })).toString('base64url');
    const [status, answer] = await ask(`e30.${claims}.AAAA`);
    assert.equal(status, 400);
    assert.deepEqual(answer, { error: 'invalid_grant', error_description: 'Invalid JWT Signature.' });
    assert.equal((await ask('nonsense'))[1].error, 'invalid_request');
  });

  it('loses rows of overlapping appends when it is told to race', async (t) => {
    const { standIn, append, read } = await scene(t);
    const spreadsheet = standIn.spreadsheets.get(SHEETS_SPREADSHEET);
    assert.ok(spreadsheet);
    spreadsheet.appendRace = 30;
    await Promise.all([append('A1', [['one']]), append('A1', [['two']])]);
    assert.equal((await read('A:A')).values?.length, 1);
    spreadsheet.appendRace = 0;
    await Promise.all([append('A1', [['three']]), append('A1', [['four']])]);
    assert.equal((await read('A:A')).values?.length, 3);
  });

  it('tells the page of each write that shows', async (t) => {
    const { standIn, append, read } = await scene(t);
    let changes = 0;
    standIn.on('change', () => {
      changes += 1;
    });
    await append('A1', [['=1+1', 2]]);
    await read('A1');
    assert.equal(changes, 1);
    assert.deepEqual(standIn.snapshot().spreadsheets[0]?.tabs[0], {
      id: 0,
      title: 'Sheet1',
      rows: [['=1+1', 2]],
      formulas: [],
    });
  });
});
