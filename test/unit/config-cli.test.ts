import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { makeFolder, SIGNING_SECRET } from '../support/config.ts';

const BIN = path.join(import.meta.dirname, '../../src/bin.js');

/** Runs a verb in a folder, off any terminal. */
function relay(folder: string, ...argv: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return relayWith({}, folder, ...argv);
}

function relayWith(
  more: NodeJS.ProcessEnv,
  folder: string,
  ...argv: string[]
): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const options = { cwd: folder, env: { PATH: process.env.PATH, NO_COLOR: '1', ...more } };
    const child = execFile(process.execPath, [BIN, ...argv], options, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
    child.stdin?.end();
  });
}

const DOT_ENV = { '.env': `VERSIVE_WEBHOOK_SECRET=${SIGNING_SECRET}\n` };
const GOOD = `sources: { versive: { secret: "\${VERSIVE_WEBHOOK_SECRET}" } }
destinations:
  archive: { connector: file, path: out.jsonl }
routes: [{ name: all, to: archive }]
`;

test('check says that a config is fine, and what it found otherwise', async (t) => {
  const folder = await makeFolder(t, {
    ...DOT_ENV,
    'config.yaml': GOOD,
    'bad.yaml': GOOD.replace('to: archive', 'to: archiv'),
    'warned.yaml': GOOD.replace(/routes.*/, ''),
  });
  assert.deepEqual(await relay(folder, 'check'), {
    code: 0,
    stdout: 'config.yaml is fine: 1 destination, 1 route\n',
    stderr: '',
  });
  const bad = await relay(folder, 'check', '--config', 'bad.yaml');
  assert.equal(bad.code, 78);
  assert.equal(bad.stdout, 'bad.yaml:4:27 routes[0].to: no destination "archiv". Did you mean "archive"?\n1 error\n');
  const json = await relay(folder, 'check', '--config', 'bad.yaml', '--json');
  assert.deepEqual(JSON.parse(json.stdout), {
    level: 'error',
    code: 'RELAY_CONFIG_REFERENCE',
    file: 'bad.yaml',
    line: 4,
    column: 27,
    path: 'routes[0].to',
    message: 'no destination "archiv". Did you mean "archive"?',
  });
  assert.equal((await relay(folder, 'check', '--config', 'warned.yaml')).code, 0);
  assert.equal((await relay(folder, 'check', '--config', 'warned.yaml', '--deny-warnings')).code, 1);
  assert.equal((await relay(folder, 'check', '--config', 'none.yaml')).code, 78);
});

test('check --format github prints a line for each finding as GitHub Actions takes them', async (t) => {
  const folder = await makeFolder(t, {
    ...DOT_ENV,
    'a,b/config.yaml': `${GOOD}x-a: 1\ny: 1\n`,
    'a,b/.env': DOT_ENV['.env'],
    'a,b/warned.yaml': GOOD.replace('to: archive', 'to: archive, when: { study.titel: "100%" }'),
  });
  const check = (...argv: string[]) => relay(folder, 'check', '--format', 'github', ...argv);
  const bad = await check('--config', 'a,b/config.yaml');
  assert.equal(bad.code, 78);
  const options =
    'include, server, timezone, store, retention, plugins, sources, defaults, destinations, routes, on_failure, tests';
  const place = 'file=a%2Cb/config.yaml,line=6,col=1,title=RELAY_CONFIG_UNKNOWN_KEY';
  assert.equal(bad.stdout, `::error ${place}::y: no option "y". The options here are ${options}.\n1 error\n`);
  const warned = await check('--config', 'a,b/warned.yaml', '--deny-warnings');
  assert.equal(warned.code, 1);
  assert.match(warned.stdout, /^::warning file=a%2Cb\/warned\.yaml,line=4,col=44,title=RELAY_CONFIG_PATH::routes/);
  assert.equal((await relay(folder, 'check', '--format', 'github', '--json')).code, 2);
  assert.equal((await relay(folder, 'check', '--format', 'xml')).code, 2);
});

test('check --live asks the service of each enabled destination, and tells at its place what it said', async (t) => {
  const service = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json').end('{"ok":false,"error":"invalid_auth"}');
  });
  await new Promise<void>((listening) => service.listen(0, '127.0.0.1', listening));
  t.after(() => service.close());
  const { port } = service.address() as AddressInfo;
  const slack = (name: string, more: string) =>
    `  ${name}: { connector: slack, token: xoxb-hunter22, channel: C0123456789, api_url: "http://127.0.0.1:${port}/"${more} }\n`;
  const folder = await makeFolder(t, {
    ...DOT_ENV,
    'config.yaml': GOOD.replace('routes', `${slack('alerts', '')}${slack('off', ', enabled: false')}routes`),
  });
  const { code, stdout, stderr } = await relay(folder, 'check', '--live', '--json');
  assert.equal(code, 1, stderr);
  const findings = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const errors = findings.filter(({ level }) => level === 'error');
  assert.deepEqual(
    errors.map(({ code: found, line, path: at }) => [found, line, at]),
    [['RELAY_CHECK_LIVE', 4, 'destinations.alerts']],
  );
  assert.doesNotMatch(stdout + stderr, /hunter22/);
  assert.match(stderr, /^Not asked, since disabled: off\.$/m);
});

test('check --live says that all is well, of which services, and which were not asked', async (t) => {
  const plugin = `import { z } from 'zod';
import { defineConnector } from '${path.resolve(import.meta.dirname, '../../src/connector.ts')}';
export default defineConnector({
  name: 'mute', description: 'Says nothing.', options: z.strictObject({}),
  open: () => ({ target: 'mute', limits: { key: 'mute', calls: 1, per: 1 }, deliver: () => {} }),
});`;
  const destinations = `  quiet: { connector: mute }\n  off: { connector: file, path: b.jsonl, enabled: false }\n`;
  const text = GOOD.replace('routes', `${destinations}routes`);
  const folder = await makeFolder(t, {
    ...DOT_ENV,
    'plugins/mute.ts': plugin.replace("'zod'", `'${import.meta.resolve('zod')}'`),
    'config.yaml': `plugins: [plugins]\n${text}`,
  });
  const { code, stdout, stderr } = await relay(folder, 'check', '--live');
  assert.match(stdout, /\nThe service of archive was asked: all is well\.\n/, stderr);
  assert.match(stdout, /\nNot asked, since disabled: off\.\n/);
  assert.match(stdout, /\nNot asked, since their connectors have no check: quiet\.\n/);
  assert.equal(code, 0);
});

test('init writes a config that passes check, a private .env, and never writes over anything', async (t) => {
  const folder = await makeFolder(t, {});
  const ids = [
    '--slack-channel',
    'C0123456789',
    '--notion-data-source',
    '0'.repeat(32),
    '--spreadsheet',
    'a'.repeat(44),
  ];
  const first = await relay(folder, 'init', ...ids, '--timezone', 'Europe/Berlin');
  assert.equal(first.code, 0, first.stderr);
  assert.match(first.stdout, /check --live/);
  assert.equal((await stat(path.join(folder, '.env'))).mode & 0o777, 0o600);
  assert.deepEqual(await relay(folder, 'check'), {
    code: 0,
    stdout: 'config.yaml is fine: 3 destinations, 1 route\n',
    stderr: '',
  });
  const config = await readFile(path.join(folder, 'config.yaml'), 'utf8');
  const second = await relay(folder, 'init');
  assert.equal(second.code, 2);
  assert.match(second.stderr, /is there already/);
  assert.equal(await readFile(path.join(folder, 'config.yaml'), 'utf8'), config);

  await writeFile(path.join(folder, '.env'), `VERSIVE_WEBHOOK_SECRET=${SIGNING_SECRET}\n`);
  assert.equal((await relay(folder, 'init', '--config', 'other.yaml')).code, 0);
  assert.equal(await readFile(path.join(folder, '.env'), 'utf8'), `VERSIVE_WEBHOOK_SECRET=${SIGNING_SECRET}\n`);
  assert.equal((await relay(folder, 'check', '--config', 'other.yaml')).code, 0);
});

test('init refuses what check would, and writes nothing then', async (t) => {
  const folder = await makeFolder(t, {});
  const { code, stderr } = await relay(folder, 'init', '--slack-channel', 'research');
  assert.equal(code, 2);
  assert.match(stderr, /expected the id of a channel/);
  await assert.rejects(stat(path.join(folder, 'config.yaml')), { code: 'ENOENT' });
});

test('init makes the folder of the config', async (t) => {
  const folder = await makeFolder(t, {});
  const { code, stderr } = await relay(folder, 'init', '--config', 'etc/relay/config.yaml');
  assert.equal(code, 0, stderr);
  assert.equal((await relay(folder, 'check', '--config', 'etc/relay/config.yaml')).code, 0);
});

/** Makes init believe that it talks to a person. */
const AS_PERSON = 'process.stdin.isTTY = process.stdout.isTTY = true;';
const ENTER = '\r';
const SPACE = ' ';
/** Ctrl-U: takes back what was typed. */
const CLEAR = '\u0015';

/** What its calls come to. */
const NO_INTERNET = "globalThis.fetch = async () => { throw new TypeError('fetch failed'); };";

/** Talks with init: types each answer when it shows the text before. Then the input ends. */
async function talk(
  folder: string,
  turns: [shown: string, typed: string][],
  internet = NO_INTERNET,
): Promise<{ code: number; out: string; err: string }> {
  const preload = `data:text/javascript,${encodeURIComponent(AS_PERSON + internet)}`;
  const argv = ['--import', preload, BIN, 'init', '--timezone', 'UTC'];
  const env = { PATH: process.env.PATH, NO_COLOR: '1' };
  const child = spawn(process.execPath, argv, { cwd: folder, env, timeout: 60_000, killSignal: 'SIGKILL' });
  let out = '';
  let err = '';
  let seen = 0;
  const left = [...turns];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
    for (let [next] = left; next; [next] = left) {
      const at = out.indexOf(next[0], seen);
      if (at === -1) return;
      seen = out.length;
      left.shift();
      child.stdin.write(next[1]);
    }
    child.stdin.end();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  await once(child, 'close');
  assert.deepEqual(left, [], out);
  return { code: child.exitCode ?? -1, out: stripVTControlCharacters(out), err };
}

test('init on a terminal refuses a wrong answer where it is asked, and keeps all others', async (t) => {
  const folder = await makeFolder(t, { 'other.json': '{"type":"authorized_user"}' });
  const { code, out, err } = await talk(folder, [
    ['signing secret', `hunter2${ENTER}`],
    ['expected a signing secret', `${CLEAR}${SIGNING_SECRET}${ENTER}`],
    ['Where shall', `${SPACE}\u001b[B${SPACE}\u001b[B${SPACE}${ENTER}`],
    ["the channel's id", `research${ENTER}`],
    ['expected the id of a channel', `${CLEAR}C0123456789${ENTER}`],
    ['bot token', `xoxb 1${ENTER}`],
    ['without spaces', `${CLEAR}xoxb-1${ENTER}`],
    ["the database's address", `my pages${ENTER}`],
    ['expected an id of 32', `${CLEAR}${'0'.repeat(32)}${ENTER}`],
    ['ntn_', ENTER],
    ["the spreadsheet's address", `my rows${ENTER}`],
    ['expected the id of a spreadsheet', `${CLEAR}${'a'.repeat(44)}${ENTER}`],
    ['key file', `none.json${ENTER}`],
    ['it is not there', `${CLEAR}other.json${ENTER}`],
    ['is not the key of', `${CLEAR}${ENTER}`],
  ]);
  assert.equal(code, 0, err + out);
  assert.match(out, /research-alerts could not be checked: its service did not answer\./);
  assert.match(out, /Put your secrets into \.env: NOTION_TOKEN, GOOGLE_ACCESS_TOKEN\nThen: versive-relay check --live/);
  assert.doesNotMatch(out, /hunter2|\$\{/);
  const env = await readFile(path.join(folder, '.env'), 'utf8');
  assert.ok(env.includes(`VERSIVE_WEBHOOK_SECRET=${SIGNING_SECRET}\n`));
  assert.match(env, /^SLACK_BOT_TOKEN=xoxb-1$/m);
  assert.equal((await relay(folder, 'check')).stdout, 'config.yaml is fine: 3 destinations, 1 route\n');
});

test('init asks for no secret that the environment gives, and names the scopes that Slack needs', async (t) => {
  const folder = await makeFolder(t, {});
  const given = { SLACK_BOT_TOKEN: 'xoxb-hunter22' };
  const { code, stdout } = await relayWith(given, folder, 'init', '--slack-channel', 'C0123456789', '--no-check');
  assert.equal(code, 0);
  assert.match(stdout, /\nFrom the environment, which outranks \.env: SLACK_BOT_TOKEN\n/);
  assert.match(stdout, /\nPut your secrets into \.env: VERSIVE_WEBHOOK_SECRET\n/);
  const env = await readFile(path.join(folder, '.env'), 'utf8');
  assert.match(env, /chat:write, channels:read and channels:history/);
  assert.doesNotMatch(env + stdout, /hunter22/);
});

test('init says so when its input ends, or a person stops it, before the last answer', async (t) => {
  const folder = await makeFolder(t, {});
  const ended = await talk(folder, [['signing secret', '']]);
  assert.deepEqual([ended.code, ended.err], [1, 'the input ended before the last answer: nothing was written\n']);
  const stopped = await talk(folder, [['signing secret', '\u0003']]);
  assert.deepEqual([stopped.code, stopped.err], [1, 'nothing was written\n']);
  await assert.rejects(stat(path.join(folder, 'config.yaml')), { code: 'ENOENT' });
});

/** A Slack that takes one token only, and whose app is in the channel. */
const SLACK = `globalThis.fetch = async (url, { headers }) => {
  const isGood = new Headers(headers).get('authorization') === 'Bearer xoxb-good';
  const scopes = 'chat:write,channels:read,channels:history';
  const answer = isGood ? { ok: true, user: 'relay', channel: { id: 'C0123456789', name: 'research', is_member: true } } : { ok: false, error: 'invalid_auth' };
  return Response.json(answer, { headers: { 'x-oauth-scopes': scopes } });
};`;

test('init asks the services, shows what they say, and lets a person correct the answers or go on', async (t) => {
  const start: [string, string][] = [
    ['signing secret', `${SIGNING_SECRET}${ENTER}`],
    ['Where shall', `${SPACE}${ENTER}`],
    ["the channel's id", `C0123456789${ENTER}`],
    ['bot token', `xoxb-hunter22${ENTER}`],
  ];
  const folder = await makeFolder(t, {});
  const corrected = await talk(
    folder,
    [...start, ['Correct these', ENTER], ["the channel's id", ENTER], ['Enter to keep', `xoxb-good${ENTER}`]],
    SLACK,
  );
  assert.equal(corrected.code, 0, corrected.err + corrected.out);
  assert.match(corrected.out, /research-alerts: Slack refused: invalid_auth\. Open https:\/\/api\.slack\.com\/apps/);
  assert.match(corrected.out, /research-alerts: its service says that all is well\n/);
  assert.match(corrected.out, /\nNext: versive-relay serve\n$/);
  assert.doesNotMatch(corrected.out, /hunter22/);
  assert.match(await readFile(path.join(folder, '.env'), 'utf8'), /^SLACK_BOT_TOKEN=xoxb-good$/m);

  const other = await makeFolder(t, {});
  const kept = await talk(other, [...start, ['Correct these', `n${ENTER}`]], SLACK);
  assert.equal(kept.code, 0, kept.err + kept.out);
  assert.match(kept.out, /\nThen: versive-relay check --live, and versive-relay serve\n$/);
  assert.match(await readFile(path.join(other, '.env'), 'utf8'), /^SLACK_BOT_TOKEN=xoxb-hunter22$/m);
});
