import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Webhook } from 'svix';
import { withNativeHmac } from '../../src/receive/native-hmac.ts';
import { SIGNING_SECRET } from '../support/signing.ts';

/** What a Webhook says of a request: nothing, or why not. */
function verdict(webhook: Webhook, body: Buffer | string, headers: Record<string, string>): string {
  try {
    webhook.verify(body, headers);
    return 'verified';
  } catch (error) {
    return String(error);
  }
}

const inner = (webhook: Webhook) => Reflect.get(webhook, 'inner') as object;
const isNative = (webhook: Webhook) => Object.hasOwn(inner(webhook), 'sign');

const anyKey = fc.uint8Array({ minLength: 1, maxLength: 100 }).map((bytes) => Buffer.from(bytes).toString('base64'));
const anySecret = fc.tuple(fc.constantFrom('', 'whsec_'), anyKey).map(([prefix, key]) => prefix + key);
const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  // With halves of characters, which are replaced when they become bytes.
  fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)), maxLength: 100 }),
  fc.json(),
);
const anyBody = fc.oneof(
  anyText.map((text) => Buffer.from(text)),
  anyText.map((text) => Buffer.from(`\ufeff${text}`)),
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  anyText,
);
const anyId = fc.oneof(
  fc.uuid().map((id) => `msg_${id}`),
  fc.string({ minLength: 1, unit: 'binary' }),
);
const anyOffset = fc.oneof(fc.constantFrom(-302, -300, -1, 0, 1, 299, 303), fc.integer({ min: -10_000, max: 10_000 }));

test('signs as the untouched library does', () => {
  fc.assert(
    fc.property(anySecret, anyId, anyBody, fc.integer({ min: 0, max: 4e12 }), (secret, id, body, time) => {
      const native = withNativeHmac(new Webhook(secret));
      assert.ok(isNative(native));
      const date = new Date(time);
      assert.equal(native.sign(id, date, body), new Webhook(secret).sign(id, date, body));
    }),
    { numRuns: 500 },
  );
});

test('judges as the untouched library does, whatever arrives', () => {
  const anyEntry = fc.oneof(
    fc.constant('right'),
    fc.constantFrom('', 'v1', 'v1,', 'v2,x', 'v1a,x', 'v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc='),
    fc.string({ maxLength: 60 }),
  );
  const anyRequest = fc.record({
    secret: anySecret,
    other: anySecret,
    id: anyId,
    body: anyBody,
    offset: anyOffset,
    family: fc.constantFrom('svix', 'webhook', 'Svix', 'WEBHOOK'),
    second: fc.constantFrom(undefined, 'svix', 'webhook'),
    entries: fc.array(anyEntry, { minLength: 1, maxLength: 4 }),
    tamper: fc.constantFrom(undefined, 'id', 'timestamp', 'body', 'secret', 'raw bytes', 'missing'),
  });
  const seen = new Map<boolean, number>();
  fc.assert(
    fc.property(anyRequest, ({ secret, other, id, body, offset, family, second, entries, tamper }) => {
      const at = Math.floor(Date.now() / 1000) + offset;
      const signed = tamper === 'raw bytes' ? Buffer.from(body).toString('latin1') : body;
      const signature = new Webhook(tamper === 'secret' ? other : secret).sign(id, new Date(at * 1000), signed);
      const headers: Record<string, string> = {
        [`${family}-id`]: tamper === 'id' ? `${id}x` : id,
        [`${family}-timestamp`]: String(tamper === 'timestamp' ? at + 1 : at),
        ...(tamper !== 'missing' && {
          [`${family}-signature`]: entries.map((entry) => (entry === 'right' ? signature : entry)).join(' '),
        }),
        // Both families at once: svix takes its own first.
        ...(second && { [`${second}-id`]: id }),
      };
      const arrived = tamper !== 'body' ? body : typeof body === 'string' ? `${body} ` : Buffer.concat([body, body]);
      const judged = verdict(withNativeHmac(new Webhook(secret)), arrived, headers);
      assert.equal(judged, verdict(new Webhook(secret), arrived, headers));
      seen.set(judged === 'verified', (seen.get(judged === 'verified') ?? 0) + 1);
    }),
    { numRuns: 1000 },
  );
  assert.ok((seen.get(true) ?? 0) > 20 && (seen.get(false) ?? 0) > 20, 'both verdicts came up');
});

test('bytes that are no text are signed as svix signs them, with replacements', () => {
  const [time, bytes] = [new Date(), Buffer.from([0x22, 0xff, 0xc3, 0x22])];
  const native = withNativeHmac(new Webhook(SIGNING_SECRET));
  assert.equal(native.sign('msg_1', time, bytes), new Webhook(SIGNING_SECRET).sign('msg_1', time, bytes.toString()));
});

test('what is no text and no Buffer is refused as svix refuses it', () => {
  const native = withNativeHmac(new Webhook(SIGNING_SECRET));
  assert.throws(() => native.sign('msg_1', new Date(), new Uint8Array(3) as Buffer), /string or Buffer/);
});

test('a Webhook that is not made as expected stays as it is', () => {
  const key = Buffer.from('key');
  const sign = () => 'v1,other';
  const broken = () => {
    throw new TypeError('it takes other arguments');
  };
  for (const odd of [
    {},
    undefined,
    'text',
    { key },
    { sign },
    { key: 'key', sign },
    { key, sign },
    { key, sign: broken },
  ]) {
    const webhook = { inner: odd, verify() {} } as unknown as Webhook;
    const before = typeof odd === 'object' ? { ...odd } : odd;
    assert.equal(withNativeHmac(webhook), webhook);
    assert.deepEqual(Reflect.get(webhook, 'inner'), before);
  }
  const frozen = new Webhook(SIGNING_SECRET);
  Object.freeze(inner(frozen));
  withNativeHmac(frozen);
  assert.equal(isNative(frozen), false);
});
