import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, type TestContext, test } from 'node:test';
import { isLocked, lockStore } from '../../src/store/lock.ts';
import { openStore, serveStore } from '../../src/store/open.ts';
import { packBody } from '../../src/store/packing.ts';
import { newEvent } from '../contracts/store/under-test.ts';
import { openFolder } from '../support/folder.ts';

let folder: string;
let file: string;
let remove: () => Promise<void>;

beforeEach(async () => {
  ({ folder, remove } = await openFolder());
  file = path.join(folder, 'relay.db');
});
afterEach(() => remove());

const OPEN = JSON.stringify(import.meta.resolve('../../src/store/open.ts'));
const LOCK = JSON.stringify(import.meta.resolve('../../src/store/lock.ts'));

/** Another process that runs the code, and prints `ready` when it has. */
async function another(t: TestContext, code: string): Promise<{ kill(): Promise<void> }> {
  const program = `const { openStore } = await import(${OPEN}); const { lockStore } = await import(${LOCK}); ${code}; process.stdout.write('ready'); setInterval(() => {}, 1e6);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exit = once(child, 'exit');
  const kill = async () => {
    child.kill('SIGKILL');
    await exit;
  };
  t.after(kill);
  await once(child.stdout, 'data');
  return { kill };
}

test('makes the folder and the file, readable by its owner only', { skip: process.platform === 'win32' }, async () => {
  const deep = path.join(folder, 'a', 'b', 'relay.db');
  const store = await openStore(deep);
  await store.accept(newEvent());
  for (const name of await readdir(path.dirname(deep))) {
    assert.equal((await stat(path.join(path.dirname(deep), name))).mode & 0o077, 0, name);
  }
  await store.close();
});

test('a store that must be there already is not made', async () => {
  await assert.rejects(openStore(file, { create: false }), { code: 'RELAY_STORE_OPEN', message: /no store at/ });
  assert.deepEqual(await readdir(folder), []);
});

test('many processes may make one store at once', async (t) => {
  const code = `const store = await openStore(${JSON.stringify(file)}); await store.ping()`;
  const others = await Promise.all([another(t, code), another(t, code), another(t, code)]);
  const store = await openStore(file);
  await store.accept(newEvent());
  await Promise.all(others.map((other) => other.kill()));
  await store.close();
});

test('opening waits for a process that is making or changing the store', async () => {
  const other = new DatabaseSync(file);
  other.exec('BEGIN EXCLUSIVE');
  const opening = openStore(file);
  // By then it has been refused the lock at least once: nothing here yields to it but these turns.
  await assert.rejects(openStore(file, { wait: 0 }), { code: 'RELAY_STORE_OPEN', message: /another process/ });
  other.exec('COMMIT');
  other.close();
  const store = await opening;
  await store.accept(newEvent());
  await store.close();
});

test('a store of a newer version is refused, and not touched', async () => {
  await (await openStore(file)).close();
  const database = new DatabaseSync(file);
  database.exec('PRAGMA user_version = 999');
  database.close();
  await assert.rejects(openStore(file), { code: 'RELAY_STORE_NEWER', message: /relay\.db.*999/, fix: /newer version/ });
});

test('a newer store is opened if what made it says that this version works with it', async () => {
  await (await openStore(file)).close();
  const database = new DatabaseSync(file);
  const newest = Number(database.prepare('PRAGMA user_version').get()?.user_version);
  const note = (version: number, worksWith: number) =>
    database.exec(`INSERT INTO migration VALUES (${version}, ${worksWith}); PRAGMA user_version = ${version}`);
  note(newest + 1, newest);
  await (await openStore(file)).close();
  note(newest + 2, newest + 1);
  database.close();
  await assert.rejects(openStore(file), { code: 'RELAY_STORE_NEWER' });
});

test('a verb leaves an older store as it is; a relay that starts brings it up to date', async () => {
  const first = new URL('../../src/store/migrations/sqlite/001.sql', import.meta.url);
  const database = new DatabaseSync(file);
  database.exec(`PRAGMA journal_mode = WAL; ${await readFile(first, 'utf8')}`);
  database.exec(`PRAGMA application_id = ${0x56524c59}; PRAGMA user_version = 1`);
  const before = database.prepare('SELECT count(*) AS tables FROM sqlite_schema').get();
  await assert.rejects(openStore(file), { code: 'RELAY_STORE_OLDER', fix: /`versive-relay migrate`/ });
  assert.deepEqual(database.prepare('SELECT count(*) AS tables FROM sqlite_schema').get(), before);
  database.close();
  await (await serveStore(file)).close();
  await (await openStore(file)).close();
});

test('the ledger of an older store is what it was, and a claim that was under way is freed', async () => {
  const database = new DatabaseSync(file);
  for (const name of ['001', '002', '003']) {
    const url = new URL(`../../src/store/migrations/sqlite/${name}.sql`, import.meta.url);
    database.exec(await readFile(url, 'utf8'));
  }
  database.exec(`
    PRAGMA journal_mode = WAL; PRAGMA application_id = ${0x56524c59}; PRAGMA user_version = 3;
    INSERT INTO event (source, svix_id, event_type, subject, study, state, received_at, routes, size)
      VALUES ('versive', 'msg_1', 'interview.completed', 'x', 'study', 'routed', 1, '["all"]', 2);
    INSERT INTO body VALUES (1, x'${packBody(Buffer.from('{}')).toString('hex')}');
    INSERT INTO delivery (event, destination, subject, due_at, token, attempts) VALUES (1, 'slack', 'x', 1, '${randomUUID()}', 1);
    INSERT INTO ledger VALUES ('slack', 't', 'x', 1, 'chat', '{"ts":"1"}', 0, NULL, NULL);
    INSERT INTO ledger VALUES ('slack', 't', 'x', 2, 'slack', NULL, 0, 700, 1);
    INSERT INTO target VALUES ('slack', 't')`);
  database.close();
  const { store, close } = await serveStore(file);
  assert.deepEqual(await store.release(), { freed: 1, failed: [] });
  const request = { destination: 'slack', target: 't', now: Date.now(), limit: 1, except: [] };
  const [claim] = await store.claim(request);
  assert.partialDeepStrictEqual(claim, {
    identity: { destination: 'slack', subject: 'x', generation: 2 },
    receipt: undefined,
    earlier: [{ ts: '1' }],
    doubt: { since: 700, newer: false },
    body: Buffer.from('{}'),
  });
  assert.equal(await store.record(claim?.token ?? '', 't', { state: 'delivered', receipt: { ts: '2' } }), true);
  await close();
});

test('what is no store is refused with its path and a fix', async () => {
  const text = path.join(folder, 'notes.txt');
  await writeFile(text, 'These are notes, not a database. '.repeat(100));
  const foreign = path.join(folder, 'foreign.db');
  const database = new DatabaseSync(foreign);
  database.exec('CREATE TABLE cat (name TEXT)');
  database.close();
  await mkdir(path.join(folder, 'folder.db'));
  for (const wrong of [text, foreign, path.join(folder, 'folder.db'), path.join(text, 'relay.db')]) {
    await assert.rejects(openStore(wrong), (error: Error & { code?: string; fix?: string }) => {
      assert.equal(error.code, 'RELAY_STORE_OPEN', error.stack);
      assert.ok(error.message.includes(wrong), error.message);
      assert.ok(error.fix);
      return true;
    });
  }
});

// Root may write everywhere, so there is nothing to see then.
test('a file without the right to write is refused', { skip: process.getuid?.() === 0 }, async () => {
  await (await openStore(file)).close();
  await chmod(file, 0o400);
  await assert.rejects(openStore(file), { code: 'RELAY_STORE_OPEN', message: /may not be written/ });
});

test('one relay serves a store; its lock goes with its process, however that ends', async (t) => {
  assert.equal(isLocked(file), false);
  const other = await another(t, `await lockStore(${JSON.stringify(file)})`);
  assert.equal(isLocked(file), true);
  await assert.rejects(lockStore(file, { wait: 0 }), { code: 'RELAY_STORE_LOCKED', message: /relay\.db/ });
  const waiting = lockStore(file);
  await other.kill();
  const lock = await waiting;
  assert.equal(isLocked(file), true);
  await assert.rejects(lockStore(file, { wait: 0 }), { code: 'RELAY_STORE_LOCKED' });
  await lock.release();
  assert.equal(isLocked(file), false);
});

test('a lock that cannot be made says why', async () => {
  const inFile = path.join(folder, 'notes.txt', 'relay.db');
  await writeFile(path.dirname(inFile), '');
  await assert.rejects(lockStore(inFile), { code: 'RELAY_STORE_OPEN', message: /notes\.txt/ });
});
