import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, type TestContext, test } from 'node:test';
import pg from 'pg';
import { lockStore } from '../../src/store/lock.ts';
import { openStore, serveStore } from '../../src/store/open.ts';
import { makeFolder, SIGNING_SECRET } from '../support/config.ts';
import { isTested, makeDatabase, onServer } from '../support/stores.ts';
import { type Ran, runVerb } from '../support/verb.ts';

const FIRST = new URL('../../src/store/migrations/sqlite/001.sql', import.meta.url);

/** A folder whose config names the store, and the verb there. */
async function setUp(
  t: TestContext,
  store = './relay.db',
): Promise<{ file: string; folder: string; run(...args: string[]): Promise<Ran> }> {
  const config = `
store: ${store}
sources:
  versive: { secret: ${SIGNING_SECRET} }
destinations:
  alpha: { connector: file, path: ./alpha.jsonl }
routes:
  - { name: all, to: alpha }
`;
  const folder = await makeFolder(t, { 'config.yaml': config });
  const run = (...args: string[]) => runVerb(['migrate', ...args], { cwd: folder });
  return { file: path.join(folder, 'relay.db'), folder, run };
}

/** A store as the first version made it. */
async function makeOld(file: string): Promise<void> {
  const database = new DatabaseSync(file);
  database.exec(`PRAGMA journal_mode = WAL; ${await readFile(FIRST, 'utf8')}`);
  database.exec(`PRAGMA application_id = ${0x56524c59}; PRAGMA user_version = 1`);
  database.close();
}

function versionOf(file: string): number {
  const database = new DatabaseSync(file, { readOnly: true });
  const version = database.prepare('PRAGMA user_version').get()?.user_version;
  database.close();
  return Number(version);
}

describe('migrate, of a file', () => {
  test('says what is due, does it, and says that it is done', async (t) => {
    const { file, run } = await setUp(t);
    await makeOld(file);
    const due = await run('--check');
    assert.deepEqual([due.code, due.err], [1, '']);
    assert.equal(
      due.out,
      `The store ${file} is at schema 1, and this version works with 4: \`versive-relay migrate\` is due.\n`,
    );
    assert.deepEqual(JSON.parse((await run('--check', '--json')).out), { store: file, from: 1, to: 4, state: 'due' });
    assert.equal(versionOf(file), 1);
    const done = await run();
    assert.deepEqual(done, { code: 0, out: `The store ${file} was migrated from schema 1 to 4.\n`, err: '' });
    assert.equal(versionOf(file), 4);
    for (const args of [[], ['--check']]) {
      assert.deepEqual(await run(...args), { code: 0, out: `The store ${file} is at schema 4 already.\n`, err: '' });
    }
    assert.equal(JSON.parse((await run('--json')).out).state, 'current');
    await (await openStore(file)).close();
  });

  test('is refused while a relay serves it, which needs no stop once nothing is due', async (t) => {
    const { file, run } = await setUp(t);
    await makeOld(file);
    const lock = await lockStore(file);
    const { code, err } = await run();
    assert.equal(code, 1);
    assert.match(
      err,
      /a relay is serving the store .*: nothing was changed \(RELAY_STORE_LOCKED\)\n +fix Stop it first/,
    );
    assert.equal(versionOf(file), 1);
    await lock.release();
    assert.equal((await run('--json')).code, 0);
    const serving = await serveStore(file);
    assert.match((await run()).out, /at schema 4 already/);
    await serving.close();
  });

  test('makes a store only with --create', async (t) => {
    const { file, folder, run } = await setUp(t);
    for (const args of [[], ['--check'], ['--json']]) {
      const { code, err } = await run(...args);
      assert.equal(code, 1);
      assert.match(
        err,
        /there is no store at .* yet \(RELAY_STORE_OPEN\)\n +fix Make it with `versive-relay migrate --create`/,
      );
    }
    assert.deepEqual(await readdir(folder), ['config.yaml']);
    assert.equal((await run('--check', '--create')).code, 2);
    assert.equal((await run('--create')).out, `The store ${file} was made, at schema 4.\n`);
    assert.match((await run('--create')).out, /at schema 4 already/);
  });

  test('leaves a newer store, and what is none, alone', async (t) => {
    const { file, run } = await setUp(t);
    await (await openStore(file)).close();
    const database = new DatabaseSync(file);
    database.exec('PRAGMA user_version = 999');
    for (const args of [[], ['--check']]) assert.match((await run(...args)).err, /schema 999.*\(RELAY_STORE_NEWER\)/);
    database.exec('PRAGMA user_version = 0; PRAGMA application_id = 0');
    database.close();
    assert.match((await run('--check')).err, /a database of another program/);
  });
});

describe('migrate, of a database', { skip: !isTested('postgres') }, () => {
  test('makes the tables under the lock that a relay makes them under', async (t) => {
    const location = await makeDatabase('template0');
    const { run } = await setUp(t, location);
    const shown = location.replace(/:[^:@]*@/, '@');
    for (const args of [[], ['--check']]) {
      assert.match((await run(...args)).err, /there is no store at postgres:.* yet \(RELAY_STORE_OPEN\)/);
    }
    const other = new pg.Client(location);
    await other.connect();
    await other.query('SELECT pg_advisory_lock($1)', [0x56524c59]);
    const running = run('--create');
    const asking =
      "SELECT 1 FROM pg_stat_activity WHERE state = 'idle' AND query ~ '^SELECT pg_try_advisory_lock' AND datname = current_database()";
    while ((await other.query(asking)).rows.length === 0);
    assert.equal((await other.query("SELECT to_regnamespace('versive_relay') AS schema")).rows[0].schema, null);
    await other.end();
    assert.equal((await running).out, `The store ${shown} was made, at schema 2.\n`);
    assert.deepEqual((await run('--check')).out, `The store ${shown} is at schema 2 already.\n`);
    const serving = await serveStore(location);
    assert.match((await run()).out, /at schema 2 already/);
    await serving.close();
  });

  test('leaves a newer store alone', async (t) => {
    const location = await makeDatabase();
    const { run } = await setUp(t, location);
    await onServer(location, 'INSERT INTO versive_relay.migration VALUES (999)');
    for (const args of [[], ['--check']]) {
      const { code, err } = await run(...args);
      assert.equal(code, 1);
      assert.match(err, /schema 999; this one knows 2.*\(RELAY_STORE_NEWER\)/);
    }
  });
});
