import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { sampleEvents } from '../../src/cli/sample-events.ts';
import { loadConfig } from '../../src/config/load.ts';
import { printFinding } from '../support/config.ts';
import { SIGNING_SECRET } from '../support/signing.ts';

/** Each wrong config, `name.yaml`, with what is said of it, `name.expected`. */
const FOLDER = path.join(import.meta.dirname, '../fixtures/config');

const environment = {
  VERSIVE_WEBHOOK_SECRET: SIGNING_SECRET,
  SLACK_BOT_TOKEN: 'xoxb-hunter22',
  PATTERN: '(hunter22',
};

for (const file of await readdir(FOLDER)) {
  if (!file.endsWith('.yaml')) continue;
  test(`the config ${file} is told what is wrong with it`, async () => {
    const { config, findings } = await loadConfig(path.join(FOLDER, file), environment, { samples: sampleEvents() });
    const told = findings.map(printFinding).join('\n');
    const expected = await readFile(path.join(FOLDER, file.replace(/yaml$/, 'expected')), 'utf8');
    assert.equal(told, expected.trimEnd());
    assert.equal(
      config === undefined,
      findings.some(({ level }) => level === 'error'),
    );
    assert.doesNotMatch(told, /hunter22/, 'nothing secret, and nothing substituted, is shown');
  });
}
