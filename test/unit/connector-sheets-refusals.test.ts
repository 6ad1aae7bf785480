import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import googleSheets from '../../connectors/google-sheets.ts';
import { SHEETS_ACCOUNT, SHEETS_SPREADSHEET, SHEETS_TOKEN, type SheetsStandIn } from '../../src/sandbox/sheets.ts';
import { openDestination } from '../support/destination.ts';
import { attempt, haltOf, interview, receiptOf, scene } from '../support/sheets.ts';

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

  it('stops its search for a refused row at a call that got no answer', async (t) => {
    const { open, rows } = await scene(t);
    let appends = 0;
    const fail: typeof fetch = async (input, init) => {
      const isAppend = String(input).includes(':append');
      if (isAppend && ++appends === 1)
        return Response.json({ error: { code: 400, message: 'Invalid' } }, { status: 400 });
      const response = await fetch(input, init);
      if (isAppend) throw new TypeError('fetch failed');
      return response;
    };
    const items = Array.from({ length: 9 }, (_, i) => interview(`int_${i}`));
    const outcomes = await open({}, { fetch: fail }).deliverMany?.(items, attempt);
    const kinds = outcomes?.map(({ kind }) => kind);
    assert.deepEqual(kinds, [...Array(4).fill('unknown'), ...Array(5).fill('retry')]);
    assert.equal(rows().length, 5, 'those of the first half, under their header');
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
        ?.rows()
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
    for (const outcome of outcomes) {
      assert.ok(outcome.kind === 'unknown' && outcome.reason === 'rate_limited', JSON.stringify(outcome));
      assert.match(outcome.detail, /landed in Interviews!A3:C4, beside their columns, and could not be put right: 429/);
    }
    assert.equal(tab.rows().length, 4);
  });
});
