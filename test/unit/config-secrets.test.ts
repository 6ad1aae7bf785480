import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { scrubber, secretForms } from '../../src/config/secrets.ts';
import { readGood } from '../support/config.ts';
import { SIGNING_SECRET } from '../support/signing.ts';

test('every secret of a config is known, longest first, and prints nowhere', async (t) => {
  const config = await readGood(
    t,
    `server: { metrics: { token: metrics-hunter22 } }
sources: { versive: { secret: ${SIGNING_SECRET} } }
destinations:
  slack: { connector: slack, token: xoxb-hunter22, channel: C0123456789 }
  hook: { connector: webhook, url: https://example.com, headers: { authorization: Bearer hunter22 } }
routes: [{ name: all, to: [slack, hook] }]`,
  );
  for (const secret of ['metrics-hunter22', SIGNING_SECRET, 'xoxb-hunter22', 'Bearer hunter22']) {
    assert.ok(config.secrets.includes(secret), secret);
  }
  const lengths = config.secrets.map((secret) => secret.length);
  assert.deepEqual(
    lengths,
    lengths.toSorted((a, b) => b - a),
  );
  const { secrets: _, ...shown } = config;
  const options = [...shown.destinations.values()].map((destination) => JSON.stringify(destination.options));
  const printed = `${inspect(shown, { depth: 9 })}${options}${JSON.stringify([...shown.sources.values()])}`;
  assert.doesNotMatch(printed, /hunter22|MfKQ9r8/);
});

test('a key file is scrubbed by its private key, in both of its forms, and not by what may be shown of it', () => {
  const key = '-----BEGIN PRIVATE KEY-----\nMIIhunter22\n-----END PRIVATE KEY-----\n';
  const scrub = scrubber(secretForms([JSON.stringify({ client_email: 'relay@example.com', private_key: key })]));
  assert.equal(scrub(`the key ${key}`), 'the key [secret]');
  assert.equal(scrub(JSON.stringify({ key })), '{"key":"[secret]"}');
  assert.equal(scrub('share it with relay@example.com'), 'share it with relay@example.com');
});

test('a secret is cut out of any text, as it is, in JSON and in addresses', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 4, maxLength: 40 }), fc.string(), fc.string(), (secret, before, after) => {
      const scrub = scrubber(secretForms([secret]));
      const forms = [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)];
      for (const form of forms) assert.ok(!scrub(`${before}${form}${after}`).replaceAll('[secret]', '').includes(form));
    }),
  );
  assert.equal(scrubber([])('nothing to hide'), 'nothing to hide');
  assert.equal(scrubber(secretForms(['a']))('a short one would hide words'), 'a short one would hide words');
  assert.equal(scrubber(secretForms(['xoxb-1', 'xoxb-123']))('xoxb-123 xoxb-1'), '[secret] [secret]');
});
