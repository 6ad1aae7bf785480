import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { parseEnv } from 'node:util';
import { sampleEvents } from '../../src/cli/sample-events.ts';
import { loadConfig } from '../../src/config/load.ts';
import { openDestination } from '../../src/config/open.ts';
import { scrubber } from '../../src/config/secrets.ts';
import { itemOf } from '../../src/config/trial.ts';
import { readGood } from '../support/config.ts';
import { SIGNING_SECRET } from '../support/signing.ts';

const root = path.resolve(import.meta.dirname, '../..');

test('of config.example.yaml words and names stay readable; its secrets do not', async () => {
  const environment = parseEnv(await readFile(path.join(root, '.env.example'), 'utf8'));
  const samples = sampleEvents();
  const { config, findings } = await loadConfig(path.join(root, 'config.example.yaml'), environment, { samples });
  assert.ok(config);
  assert.doesNotMatch(JSON.stringify(findings), /\[secret\]/);
  const scrub = scrubber(config.secrets);
  for (const words of [
    ...config.destinations.keys(),
    ...config.sources.keys(),
    'Checkout research',
    'x-team: research',
  ])
    assert.equal(scrub(words), words);
  for (const name of ['VERSIVE_WEBHOOK_SECRET', 'SLACK_BOT_TOKEN', 'NOTION_TOKEN', 'GOOGLE_ACCESS_TOKEN'])
    assert.equal(scrub(`a ${environment[name]}`), 'a [secret]', name);

  const [sample] = samples;
  assert.ok(sample);
  for (const destination of config.destinations.values()) {
    const opened = openDestination(destination, { folder: root, timezone: 'UTC' });
    const shown = opened.preview?.(itemOf(sample, destination.name, 'UTC'));
    await opened.close?.();
    // The one header of the webhook is hidden where it is itself shown.
    const hidden = destination.name === 'data-platform' ? 1 : 0;
    assert.equal(scrub(JSON.stringify(shown ?? null)).split('[secret]').length - 1, hidden, destination.name);
  }
});

test('a header is cut out of texts when it may be a secret: substituted, long, or by its name; never a name', async (t) => {
  const config = await readGood(
    t,
    `sources: { versive: { secret: ${SIGNING_SECRET} } }
destinations:
  research-alerts:
    connector: webhook
    url: https://example.com/hook
    headers:
      x-team: pricing
      x-api-key: hunter22
      x-more: a-long-text-hunter
      x-from: \${FROM:-substituted}
      x-token: research
      x-password: nightly
routes: [{ name: nightly run, to: research-alerts }]`,
  );
  const scrub = scrubber(config.secrets);
  assert.equal(
    scrub('pricing hunter22 a-long-text-hunter substituted research-alerts nightly run'),
    'pricing [secret] [secret] [secret] research-alerts nightly run',
  );
});
