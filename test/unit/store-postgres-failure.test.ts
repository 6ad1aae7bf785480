import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isAway, readError, writeError } from '../../src/store/postgres/failure.ts';

const refusal = (code: string) => Object.assign(new Error('refused'), { code, severity: 'ERROR' });

test('what the surroundings of a database cause is told as such, with a fix; what a bug causes stays as it is', () => {
  // https://www.postgresql.org/docs/current/errcodes-appendix.html
  for (const code of [
    '08006',
    '25006',
    '28P01',
    '40P01',
    '53100',
    '53300',
    '55P03',
    '57014',
    '57P01',
    '57P03',
    '58030',
  ]) {
    const [write, read] = [writeError(refusal(code)), readError(refusal(code))] as { code?: string; fix?: string }[];
    assert.deepEqual([write?.code, read?.code], ['RELAY_STORE_BUSY', 'RELAY_STORE_OPEN'], code);
    assert.ok(write?.fix && read?.fix);
  }
  for (const code of ['ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT']) {
    const error = Object.assign(new Error(code), { code });
    assert.match(String(writeError(error)), /cannot be reached/);
  }
  for (const bug of [refusal('22P02'), refusal('23514'), refusal('42601'), new TypeError('x is undefined')]) {
    assert.equal(writeError(bug), bug);
    assert.equal(readError(bug), bug);
  }
});

test('only a database that is about to be there is waited for', () => {
  const codes = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT'];
  const away = codes.map((code) => Object.assign(new Error(code), { code }));
  for (const error of [refusal('57P03'), refusal('53300'), ...away, new AggregateError(away.slice(0, 1))]) {
    assert.equal(isAway(error), true, String(error));
  }
  assert.deepEqual([refusal('28P01'), refusal('3D000'), new Error('timeout')].map(isAway), [false, false, false]);
});
