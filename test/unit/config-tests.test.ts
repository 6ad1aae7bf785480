// biome-ignore-all lint/suspicious/noTemplateCurlyInString: substitutions look so
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { firstConfig } from '../../src/config/first-config.ts';
import { loadConfig } from '../../src/config/load.ts';
import { makeFolder, printFinding, readGood, readText } from '../support/config.ts';
import { SIGNING_SECRET } from '../support/signing.ts';

const BASE = `sources:
  versive: { secret: ${SIGNING_SECRET} }
  other: { secret: ${SIGNING_SECRET} }
destinations:
  archive: { connector: file, path: out.jsonl }
  copy: { connector: file, path: copy.jsonl }
routes: [{ name: all, to: archive }]
`;

test('tests are part of the config, each with its place', async (t) => {
  const { file, tests } = await readGood(
    t,
    `${BASE}tests:
  - name: a
    event: { interview: { active_time: 5, recording_url: null } }
    to: archive
    renders:
      archive: { contains: x, not_contains: [y, z] }
  - { name: b, source: other, event: {}, to: unrouted }
  - { name: c, event: {}, to: [] }
  - { name: d, event: {}, renders: { copy: { contains: x } } }
`,
  );
  assert.deepEqual(tests, [
    {
      name: 'a',
      file,
      line: 9,
      source: 'versive',
      event: { fields: { interview: { active_time: 5, recording_url: null } } },
      to: ['archive'],
      renders: new Map([['archive', { contains: ['x'], notContains: ['y', 'z'] }]]),
    },
    { name: 'b', file, line: 14, source: 'other', event: { fields: {} }, to: [], renders: new Map() },
    { name: 'c', file, line: 15, source: 'versive', event: { fields: {} }, to: [], renders: new Map() },
    {
      name: 'd',
      file,
      line: 16,
      source: 'versive',
      event: { fields: {} },
      to: undefined,
      renders: new Map([['copy', { contains: ['x'], notContains: [] }]]),
    },
  ]);
});

test('files of tests are read in their order, each once; what they name is relative to them, and watched', async (t) => {
  const folder = await makeFolder(t, {
    'config.yaml': `${BASE}tests:
  - tests/**/*.yaml
  - { name: inline, event: {}, to: archive }
  - tests/b.yaml
`,
    'tests/b.yaml': '- { name: b, event: {}, to: archive }\n',
    'tests/a/a.yaml':
      '- { name: a1, event: ../../events/e.json, to: archive }\n- { name: a2, event: {}, to: "${WHERE}" }\n',
    'events/e.json': '{}',
  });
  const at = (name: string) => path.join(folder, name);
  const { config, findings, files } = await loadConfig(at('config.yaml'), { WHERE: 'archive' });
  assert.deepEqual(findings, []);
  assert.deepEqual(
    config?.tests.map(({ name, file, line }) => [name, file, line]),
    [
      ['a1', at('tests/a/a.yaml'), 1],
      ['a2', at('tests/a/a.yaml'), 2],
      ['b', at('tests/b.yaml'), 1],
      ['inline', at('config.yaml'), 10],
    ],
  );
  assert.deepEqual(config?.tests[0]?.event, { file: at('events/e.json') });
  assert.deepEqual(config?.tests[1]?.to, ['archive']);
  for (const name of ['tests/a/a.yaml', 'tests/b.yaml', 'events/e.json']) assert.ok(files.includes(at(name)), name);
});

test('a finding in a file of tests names that file as the config was named', async (t) => {
  const folder = await makeFolder(t, {
    'config.yaml': `${BASE}tests: [tests/*.yaml]\n`,
    'tests/b.yaml': '- name: b\n  event: {}\n  to: archiv\n',
    'events/e.json': '{}',
  });
  const named = path.relative(process.cwd(), path.join(folder, 'config.yaml'));
  const { config, findings } = await loadConfig(named, {});
  assert.equal(config, undefined);
  assert.deepEqual(
    findings.map((finding) => [finding.file, printFinding(finding)]),
    [[path.join(path.dirname(named), 'tests/b.yaml'), '3:7 [0].to: no destination "archiv". Did you mean "archive"?']],
  );
});

test('a destination that cannot show what it would send cannot be under renders', async (t) => {
  const plugin = await readFile(path.join(import.meta.dirname, '../fixtures/plugins/teller.ts'), 'utf8');
  const { findings } = await readText(
    t,
    `plugins: [./plugins]\n${BASE.replace('  copy', '  silent: { connector: teller }\n  copy')}tests:
  - { name: a, event: {}, renders: { silent: { contains: x } } }
`,
    { files: { 'plugins/teller.ts': plugin } },
  );
  assert.deepEqual(findings.map(printFinding), [
    '11:38 tests[0].renders.silent: what "silent" is sent cannot be tested: its connector teller does not show it',
  ]);
});

test('a file of tests that is too large is not read', async (t) => {
  const { findings } = await readText(t, `${BASE}tests: [big.yaml]\n`, {
    files: { 'big.yaml': `# ${'x'.repeat(800_000)}\n` },
  });
  assert.deepEqual(findings.map(printFinding), ['1:1 the file has 800003 bytes; one with tests may have 800000']);
});

test('the config that init writes has tests', async (t) => {
  const { config, env } = firstConfig({ timezone: 'UTC', values: {} });
  const { tests } = await readGood(t, config, { files: { '.env': env } });
  assert.equal(tests.length, 2);
});

test('who does not run the tests is not stopped by them, nor by their files', async (t) => {
  const folder = await makeFolder(t, {
    'config.yaml': `${BASE}include: teams/*.yaml
tests:
  - { name: a, event: ./none.json, to: nobody }
  - { name: "\${NOT_SET}", event: {} }
  - files/*.yaml
`,
    'files/a.yaml': '- {{ no list',
    'teams/a.yaml': 'tests: {}',
  });
  const file = path.join(folder, 'config.yaml');
  const read = await loadConfig(file, {});
  assert.equal(read.config, undefined);
  const { config, findings, files } = await loadConfig(file, {}, { tests: false });
  assert.deepEqual(findings, []);
  assert.deepEqual(config?.tests, []);
  assert.doesNotMatch(files.join(), /none\.json|files/);
});
