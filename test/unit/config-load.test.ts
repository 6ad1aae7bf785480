// biome-ignore-all lint/suspicious/noTemplateCurlyInString: substitutions look so
import assert from 'node:assert/strict';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { sampleEvents } from '../../src/cli/sample-events.ts';
import { runTest } from '../../src/cli/verdict.ts';
import { failureSummary } from '../../src/cli/verdict-lines.ts';
import type { Config } from '../../src/config/config.ts';
import { editorSchema } from '../../src/config/editor-schema.ts';
import { firstConfig } from '../../src/config/first-config.ts';
import { loadConfig } from '../../src/config/load.ts';
import { printFinding, readGood, readText } from '../support/config.ts';
import { makeFolder } from '../support/folder.ts';
import { SIGNING_SECRET } from '../support/signing.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const SOURCES = `sources: { versive: { secret: ${SIGNING_SECRET} } }\n`;
const ARCHIVE = `${SOURCES}destinations: { archive: { connector: file, path: x } }\n`;

test('config.example.yaml passes with the variables of .env.example', async (t) => {
  const folder = await makeFolder(t, {});
  await copyFile(path.join(ROOT, 'config.example.yaml'), path.join(folder, 'config.yaml'));
  await copyFile(path.join(ROOT, '.env.example'), path.join(folder, '.env'));
  const file = path.join(folder, 'config.yaml');
  const { config, findings, files } = await loadConfig(file, {}, { samples: sampleEvents() });
  assert.deepEqual(findings.map(printFinding), [], 'also no advice');
  assert.deepEqual(
    [...(config?.destinations.values() ?? [])].map(({ connector }) => connector.name),
    ['slack', 'slack', 'notion', 'google-sheets', 'webhook', 'file'],
  );
  assert.equal(config?.store, path.join(folder, 'data/relay.db'));
  assert.deepEqual(files, [path.join(folder, 'config.yaml'), path.join(folder, '.env')]);
  assert.ok(config);
  assert.ok(config.tests.length >= 3);
  for (const each of config.tests) assert.equal(failureSummary(await runTest(config, each)), '', each.name);
});

test('every variable of config.example.yaml is in .env.example, and the other way round', async () => {
  const example = await readFile(path.join(ROOT, 'config.example.yaml'), 'utf8');
  const settings = example.replaceAll(/(^|\s)#.*$/gm, '');
  const used = new Set([...settings.matchAll(/\$\{([A-Z_]+)/g)].map(([, name]) => name));
  const env = await readFile(path.join(ROOT, '.env.example'), 'utf8');
  const documented = new Set([...env.matchAll(/^(?:# )?([A-Z_]+)=/gm)].map(([, name]) => name));
  assert.deepEqual([...documented].sort(), [...used].sort());
});

test('config.schema.json is what `schema` prints today', async () => {
  const committed = JSON.parse(await readFile(path.join(ROOT, 'config.schema.json'), 'utf8'));
  assert.deepEqual(committed, await editorSchema(), 'run: npm run relay -- schema > config.schema.json');
});

test('a retention is a day at least, and absent while its variable is empty', async (t) => {
  const read = async (retention: string) => {
    const { config, findings } = await readText(t, `${ARCHIVE}routes: [{ name: all, to: archive }]\n${retention}`);
    return config ? config.retention : printFinding(findings[0] ?? assert.fail());
  };
  assert.equal(await read(''), undefined);
  assert.equal(await read('retention: "${KEEP:-}"'), undefined);
  assert.equal(await read('retention: 90d'), 90 * 86_400_000);
  assert.match(String(await read('retention: 12h')), /retention: expected a duration of at least 1d, such as 90d/);
  assert.match(String(await read('retention: 90')), /at least 1d, such as 90d .*Write the unit too: 90d for days/);
  assert.match(String(await read('retention: forever')), /without `retention:` everything is kept/);
});

test('a small config gets all defaults', async (t) => {
  const config = await readGood(t, `${ARCHIVE}routes: [{ name: all, to: archive }]`);
  assert.deepEqual(config.server, {
    host: '0.0.0.0',
    port: 8080,
    bodyLimit: 5_000_000,
    trustProxy: false,
    publicUrl: undefined,
    metricsToken: undefined,
  });
  assert.equal(config.timezone, 'UTC');
  assert.deepEqual(config.onFailure, []);
  const archive = config.destinations.get('archive');
  assert.deepEqual(archive?.retry.slice(0, 4), [5_000, 30_000, 120_000, 600_000]);
  assert.equal(archive?.retry.length, 10);
  assert.equal(archive?.timeout, 15_000);
  assert.equal(archive?.enabled, true);
});

test('defaults: and anchors are put under a destination, and its own options win', async (t) => {
  const config = await readGood(
    t,
    `${SOURCES}
x-slow: &slow { retry: [1h], timeout: 1m }
defaults:
  slack: { token: xoxb-shared, message: hello, timeout: 30s }
destinations:
  one: { connector: slack, channel: C0123456789 }
  two: { connector: slack, channel: C0987654321, token: xoxb-own, <<: *slow, timeout: 2m }
routes: [{ name: all, to: [one, two] }]`,
  );
  const [one, two] = [...config.destinations.values()];
  const token = (options: unknown) => (options as { token: { reveal(): string } }).token.reveal();
  assert.equal(token(one?.options), 'xoxb-shared');
  assert.equal(token(two?.options), 'xoxb-own');
  assert.equal(one?.timeout, 30_000);
  assert.equal(two?.timeout, 120_000);
  assert.deepEqual(two?.retry, [3_600_000]);
});

test('a fingerprint changes with any option of the destination, and with nothing else', async (t) => {
  const of = async (text: string) => {
    return (await readGood(t, text)).destinations.get('archive')?.fingerprint;
  };
  const routes = 'routes: [{ name: all, to: archive }]\n';
  const first = await of(ARCHIVE + routes);
  assert.equal(await of(`${ARCHIVE}server: { port: 1 }\n${routes}`), first);
  assert.notEqual(await of(`${ARCHIVE.replace('path: x', 'path: y')}${routes}`), first);
  assert.notEqual(await of(`${ARCHIVE.replace('path: x', 'path: x, timeout: 1s')}${routes}`), first);
  assert.notEqual(await of(`${ARCHIVE}timezone: Europe/Berlin\n${routes}`), first);
});

test('filters get unquoted numbers with their source text', async (t) => {
  const config = await readGood(
    t,
    `${ARCHIVE}routes: [{ name: padded, when: { interview.metadata.zip: 01067 }, to: archive }]`,
  );
  const route = (zip: string | number) => {
    const interview = { id: 'i', metadata: { zip } };
    return config.table.route({ source: 'versive', event_type: 'interview.completed', interview, study: { id: 's' } })
      .routes;
  };
  assert.deepEqual(route('01067'), ['padded']);
  assert.deepEqual(route(1067), ['padded']);
  assert.deepEqual(route('001067'), []);
});

test('a source takes a list of secrets while they rotate', async (t) => {
  const config = await readGood(t, `sources: { a: { secret: [${SIGNING_SECRET}, whsec_b3RoZXIgc2VjcmV0IG9mIGI=] } }`);
  assert.deepEqual(
    config.sources.get('a')?.secrets.map((secret) => secret.reveal()),
    [SIGNING_SECRET, 'whsec_b3RoZXIgc2VjcmV0IG9mIGI='],
  );
});

test('connectors come from folders and npm packages too, and share the contract with the relay', async (t) => {
  const connector = (name: string) => `
import { defineConnector, secret, template, delivered } from 'versive-relay/connector';
import { z } from 'zod';
export default defineConnector({
  name: '${name}', description: 'A test.',
  options: z.strictObject({ key: secret(), text: template() }),
  open: (options) => ({ target: '${name}', limits: { key: 'x', calls: 1, per: 1 }, deliver: async () => delivered({}) }),
});`;
  const folder = await makeFolder(t, {
    'config.yaml': `${SOURCES}plugins: [./own, teams-package]
destinations:
  a: { connector: pager, key: hunter22, text: "{{ study.title }}" }
  b: { connector: teams, key: hunter22, text: "{{ study.title | nope }}" }
routes: [{ name: all, to: [a, b] }]`,
  });
  await mkdir(path.join(folder, 'own'));
  await writeFile(path.join(folder, 'own/pager.mjs'), connector('pager'));
  await mkdir(path.join(folder, 'node_modules/teams-package'), { recursive: true });
  const manifest = { name: 'teams-package', type: 'module', exports: './index.js' };
  await writeFile(path.join(folder, 'node_modules/teams-package/package.json'), JSON.stringify(manifest));
  await writeFile(path.join(folder, 'node_modules/teams-package/index.js'), connector('teams'));
  const { findings } = await loadConfig(path.join(folder, 'config.yaml'), {});
  assert.deepEqual(findings.map(printFinding), ['5:48 destinations.b.text: there is no filter "nope".']);
});

test('a plugin that cannot be loaded, or is none, is told at its place', async (t) => {
  const folder = await makeFolder(t, {
    'config.yaml': `${SOURCES}plugins: [./own]
destinations:
  a: { connector: broken }
  b: { connector: none }
  c: { connector: misnamed }
routes: [{ name: all, to: [a, b, c] }]`,
  });
  await mkdir(path.join(folder, 'own'));
  await writeFile(path.join(folder, 'own/broken.mjs'), "throw new Error('out of order');");
  await writeFile(path.join(folder, 'own/none.mjs'), 'export default {};');
  const renamed =
    "import { z } from 'zod'; export default { name: 'other', description: '', options: z.object({}), open() {} };";
  await writeFile(path.join(folder, 'own/misnamed.mjs'), renamed);
  const { findings } = await loadConfig(path.join(folder, 'config.yaml'), {});
  assert.deepEqual(
    findings.map(({ line, code }) => `${line} ${code}`),
    ['4 RELAY_CONFIG_CONNECTOR', '5 RELAY_CONFIG_CONNECTOR', '6 RELAY_CONFIG_CONNECTOR'],
  );
  assert.match(findings[0]?.message ?? '', /out of order/);
});

test('a config that is not there, or no file, is one finding', async (t) => {
  const folder = await makeFolder(t, {});
  for (const name of ['missing.yaml', '.']) {
    const { config, findings } = await loadConfig(path.join(folder, name), {});
    assert.equal(config, undefined);
    assert.deepEqual(
      findings.map(({ code, path: at }) => [code, at]),
      [['RELAY_CONFIG_NOT_FOUND', '']],
    );
  }
});

test('a file that is not UTF-8 is refused at its first wrong character', async (t) => {
  const folder = await makeFolder(t, {});
  const file = path.join(folder, 'config.yaml');
  const text = `${ARCHIVE}routes: [{ name: all, to: archive }]\nx-a: Café\n`;
  await writeFile(file, text, 'latin1');
  const { config, findings } = await loadConfig(file, {});
  assert.equal(config, undefined);
  assert.deepEqual(findings.map(printFinding), [
    '4:9 the file is not UTF-8: a character here is written in another encoding. Save the file as UTF-8.',
  ]);
  await writeFile(file, `\uFEFF${text}`);
  assert.deepEqual((await loadConfig(file, {})).findings, [], 'as UTF-8, with or without its mark');
});

test('a first config takes its port and the file it writes to from the environment', async (t) => {
  const { config: text, env: dotEnv } = firstConfig({ timezone: 'UTC', values: {} });
  const files = { '.env': dotEnv };
  const written = (config: Config) => JSON.stringify(config.destinations.get('archive')?.options);
  const plain = await readGood(t, text, { files });
  assert.deepEqual([plain.server.port, written(plain)], [8080, '{"path":"./interviews.jsonl"}']);
  const moved = await readGood(t, text, { files, env: { PORT: '9000', ARCHIVE_FILE: '/data/interviews.jsonl' } });
  assert.deepEqual([moved.server.port, written(moved)], [9000, '{"path":"/data/interviews.jsonl"}']);
});

test('a table of ten thousand routes is read whole', async (t) => {
  const route = (_: unknown, index: number) =>
    `  - { name: r${index}, when: { study.id: study_${index} }, to: archive }\n`;
  const config = await readGood(t, `${ARCHIVE}routes:\n${Array.from({ length: 10_000 }, route).join('')}`);
  assert.equal(config.table.routes.length, 10_000);
});

test('many traps in one config hide none of its other problems', async (t) => {
  const names = Array.from({ length: 60 }, (_, index) => `r${index}`);
  const routes = names.map(
    (name) => `  - name: ${name}\n    when: { study.title: Sprint #4 }\n    to: [nowhere, \${TEAM}]\n`,
  );
  const { findings } = await readText(t, `${ARCHIVE}routes:\n${routes.join('')}`);
  const told = findings.map(({ path: at, code }) => `${at} ${code}`);
  assert.deepEqual(
    told,
    names.flatMap((_, index) => [
      `routes[${index}].when["study.title"] RELAY_CONFIG_TRAP`,
      `routes[${index}].to[0] RELAY_CONFIG_REFERENCE`,
      `routes[${index}].to[1] RELAY_CONFIG_TRAP`,
      `routes[${index}].to[1] RELAY_CONFIG_VARIABLE`,
    ]),
  );
});

test('no text of a config makes reading it throw', async (t) => {
  const folder = await makeFolder(t, {});
  const file = path.join(folder, 'config.yaml');
  const words = [
    'sources',
    'destinations',
    'routes',
    'when',
    'connector',
    'slack',
    'to',
    'name',
    'a',
    '<<',
    '*a',
    '&a ',
    '&a',
    '- ',
    ': ',
    ':',
    '\n',
    '\n  ',
    '\n    ',
    '{',
    '}',
    '[',
    ']',
    ', ',
    '"',
    "'",
    '#',
    ' #',
    '${A}',
    '${',
    '{{ x }}',
    '{{',
    '|',
    '>',
    '!',
    '?',
    '%',
    '---',
    '\t',
    '0',
    'null',
    'true',
    '\u0000',
    '\ud800',
    '🙂',
    'server',
    'defaults',
    'tests',
    'x-a',
    'secret',
    'whsec_YQ==',
    'not',
    'any',
    'gte',
  ];
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(fc.constantFrom(...words), { maxLength: 60 }).map((parts) => parts.join('')),
  );
  const samples = sampleEvents();
  await fc.assert(
    fc.asyncProperty(text, async (yaml) => {
      await writeFile(file, yaml);
      const { config, findings } = await loadConfig(file, { A: 'value' }, { samples });
      assert.equal(
        config === undefined,
        findings.some(({ level }) => level === 'error'),
      );
      for (const { line, column, message } of findings) assert.ok(line > 0 && column > 0 && message !== '');
    }),
    { numRuns: 300 },
  );
});
