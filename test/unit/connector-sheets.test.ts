import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import googleSheets from '../../connectors/google-sheets.ts';
import { isSecretAt } from '../../src/config/option-schema.ts';
import { parseOptions } from '../../src/config/plugins.ts';
import type { JsonObject } from '../../src/connector.ts';
import { SHEETS_SPREADSHEET, SHEETS_TOKEN } from '../../src/sandbox/sheets.ts';
import { connectorContract } from '../contracts/connector.ts';
import { openDestination } from '../support/destination.ts';
import { scene, startSheets } from '../support/sheets.ts';

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
    assert.equal(open(address).target, `google-sheets:${SHEETS_SPREADSHEET}/interviews`);
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
