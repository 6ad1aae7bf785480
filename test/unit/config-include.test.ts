// biome-ignore-all lint/suspicious/noTemplateCurlyInString: substitutions look so
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { sampleEvents } from '../../src/cli/sample-events.ts';
import { matchesOthers } from '../../src/config/include.ts';
import { type LoadOptions, loadConfig } from '../../src/config/load.ts';
import { makeFolder, printFinding, SIGNING_SECRET } from '../support/config.ts';
import { runVerb } from '../support/verb.ts';

const SOURCES = `sources: { versive: { secret: ${SIGNING_SECRET} } }\n`;
const MAIN = `include: teams/*.yaml
${SOURCES}destinations:
  alerts: { connector: file, path: alerts.jsonl }
routes:
  - { name: all, to: alerts }
`;

/** Reads a config with these files, named as from the folder above it. */
async function read(
  t: TestContext,
  files: Record<string, string>,
  { env = {}, samples }: { env?: NodeJS.ProcessEnv } & LoadOptions = {},
) {
  const folder = await makeFolder(t, files);
  const name = path.relative(process.cwd(), path.join(folder, 'config.yaml'));
  const loaded = await loadConfig(name, env, { samples });
  const told = loaded.findings.map((finding) => `${path.relative(folder, finding.file)}:${printFinding(finding)}`);
  return { ...loaded, folder, told };
}

test('what included files have is added: routes below those of the main file, in the order of the names', async (t) => {
  const { config, told, files, folder, placeOf } = await read(t, {
    'config.yaml': `${MAIN}on_failure: []\ntests: [{ name: one, event: {}, to: [alerts, growth, sales] }]\n`,
    'teams/sales.yaml': `destinations: { sales: { connector: slack, channel: C0123456789 } }
routes: [{ name: sales, to: [sales, alerts] }]
`,
    'teams/growth.yaml': `x-slow: &slow { timeout: 1m }
defaults: { slack: { token: xoxb-shared } }
destinations:
  growth: { connector: file, path: "\${file:name.txt}", <<: *slow }
routes:
  - { name: growth, when: { study.id: study_1 }, to: growth, stop: true }
tests: [{ name: two, event: {}, to: [alerts, sales] }]
`,
    'teams/notes.txt': 'no config',
    'name.txt': 'growth.jsonl',
  });
  assert.deepEqual(told, []);
  assert.deepEqual(
    config?.table.routes.map(({ name }) => name),
    ['all', 'growth', 'sales'],
  );
  assert.equal(config?.destinations.get('growth')?.timeout, 60_000);
  assert.deepEqual(JSON.parse(JSON.stringify(config?.destinations.get('growth')?.options)), { path: 'growth.jsonl' });
  assert.ok(config?.destinations.has('sales'), 'with the defaults of another file');
  const fields = (id: string) => ({
    event_type: 'interview.completed',
    source: 'versive',
    interview: {},
    study: { id },
  });
  assert.deepEqual(config?.table.route(fields('study_1')).routes, ['all', 'growth'], 'stop holds across files');
  assert.deepEqual(config?.table.route(fields('study_2')).routes, ['all', 'sales']);
  const absolute = ['config.yaml', '.env', 'teams/growth.yaml', 'teams/sales.yaml', 'name.txt'];
  assert.deepEqual(
    files,
    absolute.map((file) => path.join(folder, file)),
  );
  const { file, line } = placeOf(['destinations', 'growth']);
  assert.deepEqual([path.relative(folder, file), line], ['teams/growth.yaml', 4]);
});

test('one name in two files is told with both places', async (t) => {
  const { told } = await read(t, {
    'config.yaml': `defaults: { slack: { token: xoxb-1 } }\n${MAIN}`,
    'teams/growth.yaml': `# of the growth team
destinations:
  alerts: { connector: file, path: other.jsonl }
  growth: { connector: file, path: growth.jsonl }
routes:
  - { to: growth, name: all }
`,
    'teams/sales.yaml': `defaults: { slack: { token: xoxb-2 } }
destinations: { growth: { connector: file, path: growth.jsonl } }
`,
  });
  const growth = told[0]?.replace(/ in .*config/, ' in config');
  assert.equal(
    growth,
    'teams/growth.yaml:3:3 destinations.alerts: "alerts" is in config.yaml:5:3 already. Rename one of them, or remove it.',
  );
  const places = told.map((each) =>
    each.replace(/ in \S*?((?:teams\/)?\w+\.yaml)/, ' in $1').replace(/ already.*/, ''),
  );
  assert.deepEqual(places, [
    'teams/growth.yaml:3:3 destinations.alerts: "alerts" is in config.yaml:5:3',
    'teams/growth.yaml:6:25 routes[0].name: another route has the name "all"',
    'teams/sales.yaml:1:13 defaults.slack: "slack" is in config.yaml:1:13',
    'teams/sales.yaml:2:17 destinations.growth: "growth" is in teams/growth.yaml:4:3',
  ]);
  assert.match(told[1] ?? '', /already, in \S*config\.yaml:7:13\. Give each route its own/);
});

test('all problems of all files come at once, each in its file; one explains only what stands in its own', async (t) => {
  const { told } = await read(t, {
    'config.yaml': `${MAIN}  - { name: two, to: ["\${TEAM}", nowhere] }\n`,
    'teams/a.yaml': `routes:
  - { name: a, to: growht }
  - { name: b, to: [nowhere] }
message: {{ x }}
server: { port: 1 }
include: other.yaml
rotes: []
`,
    'teams/b.yaml': 'destinations:\n  growth: { connector: file, pth: x }\nroutes: { a: 1 }\n',
    'teams/c.yaml': '- a list\n',
  });
  assert.deepEqual(
    told.map((each) => each.replace(/(: [^.:]*[.:]).*/, '$1')),
    [
      'config.yaml:7:23 routes[1].to[0]: the variable TEAM is not set.',
      'config.yaml:7:34 routes[1].to[1]: no destination "nowhere".',
      'teams/a.yaml:2:20 routes[0].to: no destination "growht".',
      'teams/a.yaml:3:21 routes[1].to[0]: no destination "nowhere".',
      'teams/a.yaml:4:10 message: a text that begins with {{ is a map to YAML.',
      'teams/a.yaml:5:1 server: "server" belongs to the main config.',
      'teams/a.yaml:6:1 include: an included file cannot include others.',
      'teams/a.yaml:7:1 rotes: no option "rotes".',
      'teams/b.yaml:2:30 destinations.growth.pth: no option "pth".',
      'teams/b.yaml:3:1 routes: expected a list, each entry with a hyphen before it, found a map',
      'teams/c.yaml:1:1 expected a map of sections such as destinations and routes, found a list',
    ],
  );
});

test('a file that cannot be included is told, and hides nothing but what it may hold', async (t) => {
  const folder = await makeFolder(t, {
    'config.yaml': `include:
  - teams/*.yaml
  - none.yaml
  - teams
  - "*.yaml"
  - none/*.yaml
  - "{a,b}.yaml"
  - \${NOT_SET}/*.yaml
  - ${path.resolve('node_modules')}/**/*
${SOURCES}destinations:
  alerts: { connector: slack, channel: C0123456789, mesage: x }
routes:
  - { name: all, to: growth, stop: ja }
`,
    'teams/empty.yaml': '# nothing yet\n',
  });
  await writeFile(path.join(folder, 'teams/latin.yaml'), 'x-a: 1\nx-b: Café\n', 'latin1');
  const { findings } = await loadConfig(path.join(folder, 'config.yaml'), {});
  const told = findings.map((finding) => `${path.relative(folder, finding.file)}:${printFinding(finding)}`);
  assert.deepEqual(
    told.map((each) => each.replaceAll(`${folder}/`, '').replace(/(: [^.:]*(?:\.yaml[^.]*)?[.:]).*/, '$1')),
    [
      'config.yaml:3:5 include[1]: none.yaml cannot be read: it is not there.',
      'config.yaml:4:5 include[2]: teams cannot be read:',
      'config.yaml:5:5 include[3]: the config includes itself.',
      'config.yaml:6:5 warning include[4]: no file matches this, so nothing is included.',
      'config.yaml:7:5 include[5]: expected a pattern with *, **, ? and [ ] only; give several as a list, found "{a,b}.',
      'config.yaml:8:5 include[6]: the variable NOT_SET is not set.',
      'config.yaml:9:5 include[7]: this looks at more than 5000 files and folders, or matches more than 1000.',
      'config.yaml:12:53 destinations.alerts.mesage: no option "mesage".',
      'config.yaml:14:36 routes[0].stop: expected true or false, found "ja"',
      'teams/empty.yaml:1:1 the file is empty. Write defaults, destinations, routes, tests into it, or remove it.',
      'teams/latin.yaml:2:9 the file is not UTF-8: a character here is written in another encoding.',
    ],
  );
});

test('YAML that takes a pattern for an alias is told with the quotes that it needs', async (t) => {
  const { told } = await read(t, { 'config.yaml': `include: *.yaml\n${SOURCES}routes: [{ name: all, to: x }]\n` });
  assert.deepEqual(told, [
    'config.yaml:1:10 include: there is no anchor ".yaml" before this. Put the pattern in quotes: "*.yaml".',
  ]);
});

test('the files of a config have one limit of size, and one of values', async (t) => {
  const large = `x-a: "${'x'.repeat(700_000)}"\n`;
  const { told } = await read(t, {
    'config.yaml': MAIN,
    'teams/a.yaml': large,
    'teams/b.yaml': large,
    'teams/c.yaml': large,
  });
  assert.equal(
    told.filter((each) => /^config\.yaml:1:10 include: \S+teams\/\w\.yaml has 700008 bytes/.test(each)).length,
    2,
  );

  const bomb = `x-a: &a [${'1,'.repeat(300)}]\nx-b: &b [${'*a,'.repeat(300)}]\nx-c: [*b]\n`;
  const { told: refused } = await read(t, { 'config.yaml': MAIN, 'teams/a.yaml': bomb, 'teams/b.yaml': bomb });
  assert.match(refused.join('\n'), /teams\/b\.yaml:\d+:\d+ \S+: the config has more than 200000 values/);
});

test('anchors end with their file', async (t) => {
  const { told } = await read(t, {
    'config.yaml': `x-a: &a { timeout: 1m }\n${MAIN}`,
    'teams/a.yaml': 'destinations: { a: { connector: file, path: x, <<: *a } }\n',
  });
  assert.deepEqual(
    told.map((each) => each.replace(/ before.*/, '')),
    ['teams/a.yaml:1:52 destinations.a["<<"]: there is no anchor "a"'],
  );
});

test('a file that comes or goes makes the patterns match others', async (t) => {
  const { include, folder } = await read(t, { 'config.yaml': MAIN, 'teams/a.yaml': 'x-a: 1' });
  assert.equal(await matchesOthers(include), false);
  await mkdir(path.join(folder, 'teams/folder.yaml'));
  await writeFile(path.join(folder, 'teams/.draft.yaml'), '');
  assert.equal(await matchesOthers(include), false, 'neither a folder nor a hidden file is included');
  await writeFile(path.join(folder, 'teams/b.yaml'), '');
  assert.equal(await matchesOthers(include), true);
});

test('check says of how many files a config is made', async (t) => {
  const main = MAIN.replace(SIGNING_SECRET, `"\${WEBHOOK_SECRET:-${SIGNING_SECRET}}"`);
  const folder = await makeFolder(t, { 'config.yaml': main, 'teams/a.yaml': 'x-a: 1\n', 'teams/b.yaml': 'x-a: 1\n' });
  const { out } = await runVerb(['check'], { cwd: folder });
  assert.equal(out, 'config.yaml is fine: 1 destination, 1 route, in 3 files\n');
});

const GROWTH = `destinations:
  growth: { connector: file, path: growth.jsonl, line: "{{ study.titel }}" }
  spare: { connector: file, path: spare.jsonl }
defaults:
  slack: { token: xoxb-shared }
routes:
  - { name: growth, when: { interview.active_time: 2m }, to: growth }
  - name: later
    when: { interview.is_mock: false }
    to: alerts
tests:
  - { name: inline, event: ../events/e.json, to: alerts }
  - cases/*.yaml
`;
const DROPPING = `${MAIN}  - { name: real, when: { interview.is_mock: false }, to: alerts, stop: true }\n`;

test('the tests of an included file name it, and the files that they name are beside it', async (t) => {
  const { config, told, files, folder } = await read(t, {
    'config.yaml': `${MAIN}tests: [{ name: main, event: {}, to: alerts }]\n`,
    'teams/growth.yaml': GROWTH,
    'teams/cases/b.yaml': '- { name: b, event: e.json, to: alerts }\n',
    'teams/cases/e.json': '{}',
    'events/e.json': '{}',
  });
  assert.deepEqual(told, []);
  const at = (name: string) => path.join(folder, name);
  assert.deepEqual(
    config?.tests.map(({ name, file, line, event }) => [name, path.resolve(file), line, 'file' in event && event.file]),
    [
      ['main', at('config.yaml'), 7, false],
      ['inline', at('teams/growth.yaml'), 12, at('events/e.json')],
      ['b', at('teams/cases/b.yaml'), 1, at('teams/cases/e.json')],
    ],
  );
  assert.deepEqual(files, config?.files);
  for (const name of ['teams/growth.yaml', 'teams/cases/b.yaml', 'events/e.json', 'teams/cases/e.json']) {
    assert.ok(files.includes(at(name)), name);
  }
});

test('what is wrong with tests and names in included files is told there, that of files of tests last', async (t) => {
  const { told } = await read(t, {
    'config.yaml': MAIN,
    'teams/a.yaml': `destinations: { unrouted: { connector: file, path: x } }
tests:
  - { name: a, event: none.json, to: alert }
  - none/*.yaml
  - cases/*.yaml
`,
    'teams/b.yaml': 'tests: [{ name: b, event: {} }]\n',
    'teams/cases/c.yaml': '- { name: c, event: {}, to: alert }\n',
  });
  assert.deepEqual(
    told.map((each) => each.replace(/(: [^.:]*[.:]).*/, '$1')),
    [
      'teams/a.yaml:1:17 destinations.unrouted: no destination can have the name "unrouted":',
      'teams/a.yaml:3:23 tests[0].event: the event none.',
      'teams/a.yaml:3:38 tests[0].to: no destination "alert".',
      'teams/a.yaml:4:5 warning tests[1]: no file matches "none/*.',
      'teams/b.yaml:1:9 tests[0].to: the test expects nothing:',
      'teams/cases/c.yaml:1:29 [0].to: no destination "alert".',
    ],
  );
});

test('advice names the included file, on what is in it', async (t) => {
  const files = { 'config.yaml': DROPPING, 'teams/growth.yaml': GROWTH.slice(0, GROWTH.indexOf('tests:')) };
  const { told, folder } = await read(t, files, { samples: sampleEvents() });
  const expected = [
    /^config\.yaml:2:31 warning sources\.versive\.secret: a secret stands here in plain text/,
    /^teams\/growth\.yaml:2:60 warning destinations\.growth\.line: interview\.completed has no "study\.titel"/,
    /^teams\/growth\.yaml:3:3 warning destinations\.spare: no route sends anything to "spare"/,
    /^teams\/growth\.yaml:5:3 warning defaults\.slack: no destination has the connector slack/,
    /^teams\/growth\.yaml:7:52 warning routes\[0\]\.when.*: interview\.active_time is a number, and never equals "2m"/,
    /^teams\/growth\.yaml:8:5 warning routes\[1\]: .* route "real" above \(\S*config\.yaml:7:5\) takes each of them/,
  ];
  assert.equal(told.length, expected.length, told.join('\n'));
  for (const [index, words] of expected.entries()) assert.match(told[index] ?? '', words);
  const { out } = await runVerb(['check', '--format', 'github'], { cwd: folder });
  assert.match(out, /^::warning file=teams\/growth\.yaml,line=2,col=60,title=RELAY_CONFIG_PATH::/m);
});
