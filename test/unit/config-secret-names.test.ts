import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scrubber, secretForms } from '../../src/config/secrets.ts';

test('of a key file, addresses and the account stay readable in messages', () => {
  const shown = {
    token_uri: 'https://oauth2.googleapis.com/token',
    auth_uri: 'https://accounts.google.com/o/oauth2/auth',
    tokenUrl: 'https://login.example.com/oauth2/v2.0/token',
    client_email: 'relay@example.iam.gserviceaccount.com',
    project_id: 'example-project',
  };
  const scrub = scrubber(secretForms([JSON.stringify({ ...shown, private_key: 'MIIhunter22' })]));
  for (const text of Object.values(shown)) assert.equal(scrub(`at ${text}: 503`), `at ${text}: 503`);
  assert.equal(scrub('MIIhunter22'), '[secret]');
});
