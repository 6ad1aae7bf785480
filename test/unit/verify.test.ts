import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { Secret } from '../../src/options.ts';
import { signatureHeaders, verify } from '../../src/receive/verify.ts';
import { SIGNING_SECRET } from '../support/signing.ts';

/** The published vector of Standard Webhooks: its libraries' own tests sign this. */
const VECTOR = {
  secret: SIGNING_SECRET,
  id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
  timestamp: 1614265330,
  body: '{"test": 2432232314}',
  signature: 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
};

const source = (...secrets: string[]) => ({
  name: 'versive',
  secrets: secrets.map((text) => new Secret(text)),
  when: undefined,
});

function headers(
  family: 'svix' | 'webhook' = 'svix',
  change: Partial<Record<'id' | 'timestamp' | 'signature', string>> = {},
) {
  return {
    [`${family}-id`]: change.id ?? VECTOR.id,
    [`${family}-timestamp`]: change.timestamp ?? String(VECTOR.timestamp),
    [`${family}-signature`]: change.signature ?? VECTOR.signature,
  };
}

function at<T>(seconds: number, work: () => T): T {
  mock.timers.enable({ apis: ['Date'], now: seconds * 1000 });
  try {
    return work();
  } finally {
    mock.timers.reset();
  }
}

const body = Buffer.from(VECTOR.body);
const verified = (given: Record<string, string>, bytes = body, by = source(VECTOR.secret), now = VECTOR.timestamp) =>
  at(now, () => verify(by, given, bytes) !== undefined);

test('the official vector verifies, by either family of header names', () => {
  assert.equal(verified(headers('svix')), true);
  assert.equal(verified(headers('webhook')), true);
});

test('every tampering of the vector fails', () => {
  for (let index = 0; index < body.length; index += 1) {
    const bytes = Buffer.from(body);
    bytes[index] = (bytes[index] ?? 0) ^ 1;
    assert.equal(verified(headers(), bytes), false, `byte ${index}`);
  }
  assert.equal(verified(headers(), Buffer.concat([body, Buffer.from(' ')])), false, 'a longer body');
  assert.equal(verified(headers(), body.subarray(0, -1)), false, 'a shorter body');
  assert.equal(verified(headers(), Buffer.alloc(0)), false, 'no body');
  assert.equal(verified(headers('svix', { id: `${VECTOR.id}x` })), false, 'another id');
  assert.equal(verified(headers('svix', { timestamp: String(VECTOR.timestamp + 1) })), false, 'another time');
  for (let index = 3; index < VECTOR.signature.length - 2; index += 1) {
    const other = VECTOR.signature[index] === 'A' ? 'B' : 'A';
    const signature = VECTOR.signature.slice(0, index) + other + VECTOR.signature.slice(index + 1);
    assert.equal(verified(headers('svix', { signature })), false, `signature character ${index}`);
  }
  assert.equal(verified(headers('svix', { signature: VECTOR.signature.replace('v1,', 'v1a,') })), false, 'v1a');
  assert.equal(verified(headers('svix', { signature: '' })), false, 'an empty signature');
  assert.equal(verified({}), false, 'no headers');
  assert.equal(verified(headers(), body, source('whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD')), false, 'another secret');
});

test('one good signature among several is enough, and any of the secrets', () => {
  const wrong = 'v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc=';
  assert.equal(verified(headers('svix', { signature: `${wrong} v2,x ${VECTOR.signature}` })), true);
  assert.equal(verified(headers(), body, source('whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD', VECTOR.secret)), true);
});

test('a timestamp may be off by five minutes both ways, and no more', () => {
  const within = (offset: number) => verified(headers(), body, source(VECTOR.secret), VECTOR.timestamp + offset);
  assert.deepEqual([-301, -300, 0, 300, 301].map(within), [false, true, true, true, false]);
});

test('headers that cannot verify are refused without a look at the body', () => {
  const now = VECTOR.timestamp * 1000;
  assert.ok(signatureHeaders(headers(), now));
  for (const change of [
    { id: '' },
    { id: 'x'.repeat(257) },
    { timestamp: '' },
    { timestamp: '-1' },
    { timestamp: '1614265330.5' },
    { timestamp: 'now' },
    { signature: 'v1,short' },
    { signature: 'v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=' },
  ]) {
    assert.equal(signatureHeaders(headers('svix', change), now), undefined, JSON.stringify(change));
  }
  assert.equal(signatureHeaders({ ...headers(), 'svix-id': ['a', 'b'] as unknown as string }, now), undefined);
});

test('a secret is read once, and not at each request', () => {
  const by = source(VECTOR.secret);
  const reveal = mock.method(by.secrets[0] as Secret, 'reveal');
  for (let n = 0; n < 3; n += 1) assert.equal(verified(headers(), body, by), true);
  assert.equal(reveal.mock.callCount(), 1);
});
