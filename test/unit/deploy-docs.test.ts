import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { sampleEvents } from '../../src/cli/sample-events.ts';
import { loadConfig } from '../../src/config/load.ts';
import { version } from '../../src/version.ts';
import { makeFolder, printFinding, SIGNING_SECRET } from '../support/config.ts';
import { scene } from '../support/sheets.ts';

const DOCS = path.join(import.meta.dirname, '../../docs');
const files = globSync('deploy/**/*.yaml', { cwd: DOCS });
const configs = files.filter((file) => path.basename(file) === 'config.yaml');
const read = (file: string) => readFile(path.join(DOCS, file), 'utf8');

test('every YAML file of the deployments parses', async () => {
  assert.ok(files.length > configs.length && configs.length === 3, files.join());
  for (const file of files) {
    const wrong = parseAllDocuments(await read(file)).flatMap(({ errors, warnings }) => [...errors, ...warnings]);
    assert.deepEqual(wrong, [], file);
  }
});

for (const file of configs) {
  test(`check has nothing to say of docs/${file}`, async (t) => {
    const { credentials } = await scene(t);
    const folder = await makeFolder(t, {
      'config.yaml': (await read(file)).replaceAll(/\$\{file:\/run\/[^}]*\/([^}/]+)\}/g, `\${file:secrets/$1}`),
      'secrets/versive_webhook_secret': `${SIGNING_SECRET}\n`,
      'secrets/slack_token': 'xoxb-hunter22\n',
      'secrets/google.json': credentials(),
      'secrets/postgres_password': 'hunter22\n',
      'secrets/store': 'postgres://relay:hunter22@postgres.example.com:5432/relay\n',
    });
    const { findings } = await loadConfig(path.join(folder, 'config.yaml'), {}, { samples: sampleEvents() });
    assert.deepEqual(findings.map(printFinding), []);
  });
}

test('the unit is given the secrets that its config reads', async () => {
  const named = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, name]) => name).sort();
  const given = named(await read('deploy/systemd/versive-relay.service'), /^LoadCredential=([^:]+):/gm);
  const config = await read('deploy/systemd/config.yaml');
  assert.deepEqual(named(config, /\$\{file:\/run\/credentials\/versive-relay\.service\/([^}]+)\}/g), given);
});

test('the deployments run this version', async () => {
  for (const file of ['deployment.md', 'deploy/compose/compose.yaml', 'deploy/kubernetes/kustomization.yaml']) {
    const named = [...(await read(file)).matchAll(/(?:versive-relay:|newTag: ")(\d[\d.]*)/g)].map(([, tag]) => tag);
    assert.deepEqual([...new Set(named)], [version], file);
  }
});
