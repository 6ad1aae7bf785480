import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { openReader, openWriter } from '../../src/store/database.ts';
import { openStore } from '../../src/store/open.ts';
import { openSqlite } from '../../src/store/open-sqlite.ts';
import { SqliteStore } from '../../src/store/sqlite.ts';
import { newEvent } from '../contracts/store/under-test.ts';
import { openFolder } from '../support/folder.ts';

let file: string;
let remove: () => Promise<void>;

beforeEach(async () => {
  const opened = await openFolder();
  remove = opened.remove;
  file = path.join(opened.folder, 'relay.db');
});
afterEach(() => remove());

/** The commits in the write-ahead log: frames that carry the size of the database (https://www.sqlite.org/fileformat2.html#walformat). */
async function commitsInLog(): Promise<number> {
  const log = await readFile(`${file}-wal`);
  const frame = 24 + log.readUInt32BE(8);
  let commits = 0;
  for (let at = 32; at + frame <= log.length; at += frame) if (log.readUInt32BE(at + 4) !== 0) commits += 1;
  return commits;
}

test('an accepted event is on disk: a process killed right after the promise resolved loses nothing', async () => {
  const program = `
    const { openStore } = await import(${JSON.stringify(import.meta.resolve('../../src/store/open.ts'))});
    const store = await openStore(${JSON.stringify(file)});
    await store.accept({
      source: 'versive', svixId: 'msg_1', eventType: 'interview.completed', subject: 'int_1', study: 's', state: 'routed',
      receivedAt: 1, routes: ['r'], destinations: ['slack', 'notion'], body: Buffer.from('{"kept":true}'),
    });
    await store.claim({ destination: 'slack', target: 't', now: 1, limit: 1, except: [] });
    process.kill(process.pid, 'SIGKILL');`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], { stdio: 'inherit' });
  const [, signal] = await once(child, 'exit');
  assert.equal(signal, 'SIGKILL');
  const store = await openStore(file);
  assert.equal((await store.event('e1'))?.body.toString(), '{"kept":true}');
  assert.equal((await store.deliveriesOf(['e1'])).get('e1')?.length, 2);
  assert.equal((await store.release()).freed, 1);
  await store.close();
});

test('a hundred concurrent writes share a few commits', async () => {
  const store = await openStore(file);
  const before = await commitsInLog();
  await Promise.all(Array.from({ length: 100 }, () => store.accept(newEvent())));
  // Of 32 at most, and one that another page of the log may have cost.
  assert.ok((await commitsInLog()) - before <= 5);
  await store.close();
});

test('a full disk refuses the write as busy, leaves nothing half written, and is over when there is room', async () => {
  await (await openStore(file)).close();
  const writer = openWriter(file);
  const store = new SqliteStore(writer, openReader(file));
  await store.accept(newEvent({ svixId: 'kept' }));
  const pages = Number(writer.prepare('PRAGMA page_count').get()?.page_count);
  writer.exec(`PRAGMA max_page_count = ${pages + 8}`);
  // Incompressible, so that each body needs pages of its own.
  const events = Array.from({ length: 10 }, (_, index) => newEvent({ body: noise(9_000, index) }));
  const ended = await Promise.allSettled(events.map((event) => store.accept(event)));
  const refused = ended.filter((end) => end.status === 'rejected');
  assert.ok(refused.length > 0);
  for (const { reason } of refused) assert.equal(reason.code, 'RELAY_STORE_BUSY');
  const kept = await store.events({}, { limit: 100 });
  assert.equal(kept.length, 1 + ended.length - refused.length);
  const deliveries = await store.deliveriesOf(kept.map(({ id }) => id));
  assert.ok([...deliveries.values()].every(({ length }) => length === 1));
  assert.equal((await store.deliveries({}, { limit: 100 })).length, kept.length);

  writer.exec('PRAGMA max_page_count = 1000000');
  const retried = await Promise.all(events.map((event) => store.accept(event)));
  assert.equal(retried.filter(({ duplicate }) => duplicate).length, ended.length - refused.length);
  assert.equal(writer.prepare('PRAGMA integrity_check').get()?.integrity_check, 'ok');
  assert.deepEqual(writer.prepare('PRAGMA foreign_key_check').all(), []);
  await store.close();
});

test('what was committed is written back while commits go on, and the WAL begins anew', async () => {
  const store = await openSqlite(file, { writeBack: true });
  const reader = openReader(file);
  const pages = () => Number(reader.prepare('PRAGMA wal_checkpoint(NOOP)').get()?.log);
  let count = 0;
  const accept = () =>
    Promise.all(Array.from({ length: 10 }, () => store.accept(newEvent({ body: noise(100_000, count++) }))));
  await accept();
  for (const round of [1, 2]) {
    let before: number;
    do {
      before = pages();
      await accept();
    } while (pages() > before);
    assert.ok(before < 40_000, `${before} pages, in round ${round}: SQLite itself wrote them back`);
  }
  reader.close();
  await store.close();
  await store.close();
  assert.deepEqual(await readdir(path.dirname(file)), [path.basename(file)]);
  const again = await openStore(file);
  assert.deepEqual((await again.event(`e${count}`))?.body, noise(100_000, count - 1));
  assert.equal((await again.backlog())[0]?.pending, count);
  await again.close();
});

test('a store whose file was replaced does not take the new one for its own', async () => {
  const store = await openSqlite(file, { writeBack: true });
  const accept = () =>
    Promise.all(Array.from({ length: 10 }, (_, n) => store.accept(newEvent({ body: noise(100_000, n) }))));
  await rename(file, `${file}.old`);
  await writeFile(file, 'somebody else’s');
  const wal = async () => (await stat(`${file}-wal`)).size;
  while ((await wal()) < 20_000_000) await accept();
  await accept();
  assert.ok((await wal()) > 20_000_000);
  assert.equal(await readFile(file, 'utf8'), 'somebody else’s');
  await store.close();
});

test('writes wait for another connection that holds the write lock, and are refused when it keeps it', async () => {
  await (await openStore(file)).close();
  const writer = openWriter(file);
  const store = new SqliteStore(writer, openReader(file), { lockWait: 200, maxWaiting: 3, maxBytes: 1_000_000 });
  const other = openWriter(file);
  other.exec('BEGIN IMMEDIATE');
  const refused = [store.accept(newEvent()), store.accept(newEvent()), store.ping()];
  await assert.rejects(store.accept(newEvent()), { code: 'RELAY_STORE_BUSY', message: /3 writes are waiting/ });
  for (const end of await Promise.allSettled(refused)) {
    assert.equal(end.status, 'rejected');
    assert.equal(end.reason.code, 'RELAY_STORE_BUSY');
  }
  await assert.rejects(store.accept(newEvent({ body: noise(1_100_000, 1) })), { code: 'RELAY_STORE_BUSY' });
  assert.deepEqual(await store.events({}, { limit: 10 }), []);

  const waiting = store.accept(newEvent());
  setImmediate(() => setImmediate(() => other.exec('COMMIT')));
  assert.equal((await waiting).duplicate, false);
  other.close();
  await store.close();
});

test('a change of another process is noticed once, and its own never', async () => {
  const verb = await openStore(file);
  const store = new SqliteStore(openWriter(file), openReader(file));
  await store.accept(newEvent());
  assert.equal(store.changedElsewhere(), false);
  await verb.setPaused('slack', true);
  assert.equal(store.changedElsewhere(), true);
  assert.equal(store.changedElsewhere(), false);
  assert.equal((await store.lanes())[0]?.paused, true);
  await verb.close();
  await store.close();
});

test('the backlog of SQLite stays true through every change of a delivery', async () => {
  const store = await openStore(file);
  const check = openReader(file);
  const counted = check.prepare(
    "SELECT destination, count(*) AS pending FROM delivery WHERE state = 'pending' GROUP BY destination ORDER BY destination",
  );
  const same = async () => {
    const found = (await store.backlog()).map(({ destination, pending }) => ({ destination, pending }));
    assert.deepEqual(
      found,
      counted.all().map((row) => ({ ...row })),
    );
  };
  for (let index = 0; index < 6; index += 1) await store.accept(newEvent({ destinations: ['a', 'b'] }));
  await same();
  const claims = await store.claim({ destination: 'a', target: 't', now: 1000, limit: 3, except: [] });
  await same();
  await store.record(claims[0]?.token ?? '', 't', { state: 'delivered', receipt: {} });
  await store.record(claims[1]?.token ?? '', 't', { state: 'failed', reason: 'invalid', detail: '', fix: '' });
  const later = { nextAttemptAt: 1, reason: 'server', detail: '', counted: true } as const;
  await store.record(claims[2]?.token ?? '', 't', { state: 'pending', ...later });
  await same();
  await store.rename('a', 'c');
  await same();
  for (let index = 0; index < 3; index += 1) await store.accept(newEvent({ destinations: ['a'] }));
  await same();
  check.close();
  await store.close();
});

/** Bytes that do not compress, the same for the same seed. */
function noise(size: number, seed: number): Buffer {
  const bytes = Buffer.alloc(size);
  let state = seed + 1;
  for (let index = 0; index < size; index += 1) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    bytes[index] = state >>> 16;
  }
  return bytes;
}

test('every commit is synced, and what a savepoint could undo makes no file', () => {
  const writer = openWriter(file);
  try {
    const pragma = (name: string) => Object.values(writer.prepare(`PRAGMA ${name}`).get() ?? {})[0];
    // https://www.sqlite.org/pragma.html: FULL, and MEMORY.
    assert.deepEqual([pragma('journal_mode'), pragma('synchronous'), pragma('temp_store')], ['wal', 2, 2]);
  } finally {
    writer.close();
  }
});
