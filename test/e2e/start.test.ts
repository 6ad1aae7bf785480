import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { makeFolder } from '../support/folder.ts';
import { configText, spawnRelay } from '../support/relay.ts';
import { runVerb, spawnVerb } from '../support/verb.ts';

const CONFIG = configText(`destinations:
  lines: { connector: file, path: ./lines.jsonl }
routes:
  - { name: all, to: lines }
`);

/** One line that says what happened, one that says what to do, and nothing of our insides. */
function assertClear(result: { code: number | null; err: string }, code: number, what: RegExp): void {
  assert.equal(result.code, code, result.err);
  assert.match(result.err, what);
  assert.doesNotMatch(result.err, /\n\s+at |node:internal|file:\/\//);
  assert.ok(result.err.trim().split('\n').length <= 2, result.err);
}

test('a port in use is one clear line', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const folder = await makeFolder(t, { 'config.yaml': CONFIG.replace('port: 0', `port: ${port}`) });
  assertClear(
    await spawnVerb(['serve', '--log-level', 'silent'], { cwd: folder }),
    1,
    new RegExp(`127\\.0\\.0\\.1:${port}.*EADDRINUSE`),
  );
});

test('a store path that cannot be written is one clear line', async (t) => {
  const folder = await makeFolder(t, { 'config.yaml': CONFIG.replace('./relay.db', './file/relay.db') });
  await writeFile(path.join(folder, 'file'), 'no folder');
  assertClear(await runVerb(['serve'], { cwd: folder }), 1, /file.*RELAY_STORE_OPEN/);
});

test('a store that is no store is one clear line', async (t) => {
  const folder = await makeFolder(t, { 'config.yaml': CONFIG });
  await writeFile(path.join(folder, 'relay.db'), 'this is no database, whatever its name says'.repeat(100));
  assertClear(await runVerb(['serve'], { cwd: folder }), 1, /RELAY_STORE_OPEN/);
});

test('a store of a newer version is one clear line', async (t) => {
  const folder = await makeFolder(t, { 'config.yaml': CONFIG });
  const database = new DatabaseSync(path.join(folder, 'relay.db'));
  database.exec('PRAGMA user_version = 9999');
  database.close();
  assertClear(await runVerb(['serve'], { cwd: folder }), 1, /newer.*RELAY_STORE_NEWER/);
});

test('a config with errors, or none, ends with 78 and starts nothing', async (t) => {
  const folder = await makeFolder(t, { 'config.yaml': CONFIG.replace('to: lines', 'to: line') });
  const wrong = await runVerb(['serve'], { cwd: folder });
  assert.equal(wrong.code, 78);
  assert.match(wrong.err, /config\.yaml:\d+:\d+ routes\[0\]\.to: .*"line".*Did you mean "lines"\?/);
  const missing = await runVerb(['serve', '--config', 'nowhere.yaml'], { cwd: folder });
  assert.equal(missing.code, 78);
  assert.match(missing.err, /nowhere\.yaml/);
  const unreadable = path.join(folder, 'folder.yaml');
  await mkdir(unreadable);
  assert.equal((await runVerb(['check', '--config', unreadable], { cwd: folder })).code, 78);
});

test('wrong usage ends with 2', async () => {
  for (const args of [[], ['surve'], ['serve', '--portt', '1'], ['pause']]) {
    assert.equal((await runVerb(args)).code, 2, args.join(' '));
  }
  const help = await runVerb(['--help']);
  assert.equal(help.code, 0);
  assert.match(help.out, /First steps/);
});

test('verbs work with the relay running or stopped, and a sample goes to one destination', async (t) => {
  const folder = await makeFolder(t, { 'config.yaml': CONFIG });
  const early = await runVerb(['send', '--to', 'lines'], { cwd: folder });
  assert.equal(early.code, 1);
  assert.match(early.err, /RELAY_NOT_RUNNING/);

  const relay = await spawnRelay(folder);
  t.after(() => relay.kill('SIGKILL'));
  const sent = await runVerb(['send', '--count', '2', '--url', relay.url], { cwd: folder });
  assert.equal(sent.code, 0, sent.err);
  const one = await runVerb(['send', '--to', 'lines'], { cwd: folder });
  assert.equal(one.code, 0, one.err);
  const running = await runVerb(['events', '--json'], { cwd: folder });
  assert.equal(running.out.trim().split('\n').length, 3);
  await relay.kill('SIGTERM');

  const stopped = await runVerb(['events', '--json'], { cwd: folder });
  assert.equal(stopped.out, running.out.replaceAll('"pending"', '"delivered"'), 'the same, with the relay stopped');
  const id = JSON.parse(stopped.out.split('\n')[0] ?? '').id;
  const explained = await runVerb(['explain', id, '--json'], { cwd: folder });
  assert.deepEqual(JSON.parse(explained.out), { route: 'all', matched: true, because: [] });
  assert.equal((await runVerb(['events', 'e999'], { cwd: folder })).code, 1);
  const lines = (await readFile(path.join(folder, 'lines.jsonl'), 'utf8')).trim().split('\n');
  assert.equal(lines.length, 3);
});

test('an older Node is refused in one line', async () => {
  const bin = path.resolve(import.meta.dirname, '../../src/bin.js');
  const script = `Object.defineProperty(process.versions, 'node', { value: '20.1.0' }); await import(${JSON.stringify(bin)});`;
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  assert.equal(status, 1);
  assert.match(stderr, /needs Node\.js 24 or newer/);
  assert.equal(stderr.trim().split('\n').length, 1);
});
