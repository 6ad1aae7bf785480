// biome-ignore-all lint/suspicious/noTemplateCurlyInString: substitutions look so
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Variables } from '../../src/config/substitute.ts';
import { printFinding, readGood, readText } from '../support/config.ts';
import { SIGNING_SECRET } from '../support/signing.ts';

const CONFIG = `
server: { port: "\${PORT:-8080}", trust_proxy: "\${PROXY:-false}", public_url: "\${PUBLIC_URL:-}" }
sources: { versive: { secret: "\${VERSIVE_WEBHOOK_SECRET}" } }
destinations:
  archive: { connector: file, path: "\${FOLDER:-./data}/\${file:name.txt}", enabled: "\${ENABLED:-true}" }
routes: [{ name: all, to: archive }]
`;
const files = {
  'name.txt': 'interviews.jsonl\n',
  '.env': `VERSIVE_WEBHOOK_SECRET=${SIGNING_SECRET}\nPORT=9000\nENABLED=false\n`,
};

function optionsOf(options: unknown): unknown {
  return JSON.parse(JSON.stringify(options));
}

test('defaults, the .env and files fill in what the environment does not say', async (t) => {
  const config = await readGood(t, CONFIG, { files });
  assert.equal(config.server.port, 9000);
  assert.equal(config.server.trustProxy, false);
  assert.equal(config.server.publicUrl, undefined, 'an empty `${NAME:-}` leaves its option out');
  const archive = config.destinations.get('archive');
  assert.equal(archive?.enabled, false);
  assert.deepEqual(optionsOf(archive?.options), { path: './data/interviews.jsonl' });
  assert.equal(config.sources.get('versive')?.secrets[0]?.reveal(), SIGNING_SECRET);
});

test('the environment wins over the .env', async (t) => {
  const env = { PORT: '7000', PROXY: 'true', FOLDER: '/srv', ENABLED: 'true', PUBLIC_URL: 'https://r.example.com/x/' };
  const config = await readGood(t, CONFIG, { files, env });
  assert.equal(config.server.port, 7000);
  assert.equal(config.server.trustProxy, true);
  assert.equal(config.server.publicUrl, 'https://r.example.com/x');
  assert.equal(config.destinations.get('archive')?.enabled, true);
  assert.deepEqual(optionsOf(config.destinations.get('archive')?.options), { path: '/srv/interviews.jsonl' });
});

test('a substituted value that does not fit is shown by its variable', async (t) => {
  const { findings } = await readText(t, CONFIG, { files, env: { PORT: 'over 9000', ENABLED: 'yes' } });
  assert.deepEqual(findings.map(printFinding), [
    '2:17 server.port: expected a number, found ${PORT:-8080}',
    '5:84 destinations.archive.enabled: expected true or false, found ${ENABLED:-true}',
  ]);
});

test('what a variable holds is a value, and never YAML or another substitution', async (t) => {
  const env = { FOLDER: 'a: [b] # ${PORT} {{', VERSIVE_WEBHOOK_SECRET: SIGNING_SECRET };
  const config = await readGood(t, CONFIG, { files, env });
  assert.deepEqual(optionsOf(config.destinations.get('archive')?.options), {
    path: 'a: [b] # ${PORT} {{/interviews.jsonl',
  });
});

test('forms of substitution', () => {
  const variables = new Variables('/', { A: 'one', EMPTY: '' }, 'B=two\nA=other');
  const cases: [text: string, result: string][] = [
    ['${A}', 'one'],
    ['x${A}y${B}', 'xoney' + 'two'],
    ['${EMPTY}', ''],
    ['${EMPTY:-d}', 'd'],
    ['${NONE:-}', ''],
    ['${NONE:-${B}}', 'two'],
    ['${NONE:-{"a": {}}}', '{"a": {}}'],
    ['$${A}', '${A}'],
    ['${NONE:-$${A}}', '${A}'],
    ['$A and $$ stay', '$A and $$ stay'],
  ];
  for (const [text, result] of cases) {
    const found = variables.substitute(text);
    assert.equal(found?.text ?? text, result, text);
    assert.deepEqual(found?.problems ?? [], [], text);
  }
  assert.equal(variables.substitute('${A}')?.whole, true);
  assert.equal(variables.substitute('${A}${B}')?.whole, false);
  for (const text of ['${', '${A', '${}', '${A-b}', '${1}', '${NONE}', '${file:/no/such/file}', '${file:/}']) {
    assert.equal(variables.substitute(text)?.problems.length, 1, text);
  }
});

test('a variable that is not set is told with the one that was meant, and never with one of the shell', () => {
  const environment = { TERM: 'xterm', HOME: '/', SLACK_BOT_TOKNE: 'x', TEAM_ALERTS_CHANNEL: 'x' };
  const variables = new Variables('/', environment, 'NOTION_TOKEN=x');
  const told = (name: string) => variables.substitute(`\${${name}}`)?.problems[0]?.message;
  assert.equal(told('TEAM'), 'the variable TEAM is not set.');
  assert.equal(told('SLACK_BOT_TOKEN'), 'the variable SLACK_BOT_TOKEN is not set. Did you mean "SLACK_BOT_TOKNE"?');
  assert.equal(
    told('team_alerts_channel'),
    'the variable team_alerts_channel is not set. Did you mean "TEAM_ALERTS_CHANNEL"?',
  );
  assert.equal(
    told('TEAM_OTHERS_CHANNEL'),
    'the variable TEAM_OTHERS_CHANNEL is not set.',
    'another environment variable',
  );
  assert.equal(told('NOTON_TOKN'), 'the variable NOTON_TOKN is not set. Did you mean "NOTION_TOKEN"?', 'of the .env');
});

test('any text can be substituted without a throw, and one without ${ is left alone', () => {
  const variables = new Variables('/nowhere', { A: '}' }, '');
  const part = fc.constantFrom('${', '}', '$', '{', 'A', ':-', 'file:', '$${', 'x');
  fc.assert(
    fc.property(
      fc.array(part).map((parts) => parts.join('')),
      (text) => {
        const found = variables.substitute(text);
        assert.equal(found === undefined, !text.includes('${'));
      },
    ),
  );
});
