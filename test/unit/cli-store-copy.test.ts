import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import pg from 'pg';
import { openStore, serveStore } from '../../src/store/open.ts';
import { makeFolder, SIGNING_SECRET } from '../support/config.ts';
import { openFolder } from '../support/folder.ts';
import { fillStore } from '../support/full-store.ts';
import { isTested, makeDatabase, onServer } from '../support/stores.ts';
import { runVerb } from '../support/verb.ts';

const CONFIG = `
store: ./relay.db
sources:
  versive: { secret: ${SIGNING_SECRET} }
destinations:
  alpha: { connector: file, path: ./alpha.jsonl }
routes:
  - { name: all, to: alpha }
`;
const COPY = JSON.stringify(import.meta.resolve('../../src/store/copy/copy.ts'));
/** Rows of the full store, bodies included. */
const ALL = 53;

describe('store copy', { skip: !isTested('postgres') }, () => {
  let full: string;
  let removeFull: () => Promise<void>;
  before(async () => {
    const { folder, remove } = await openFolder();
    removeFull = remove;
    full = path.join(folder, 'relay.db');
    await fillStore(full);
  });
  after(() => removeFull());

  /** A folder with a config and the full store; an empty database; and the verb there. */
  async function setUp(t: TestContext) {
    const folder = await makeFolder(t, { 'config.yaml': CONFIG });
    const from = path.join(folder, 'relay.db');
    await copyFile(full, from);
    const to = await makeDatabase();
    const shown = to.replace(/:[^:@]*@/, '@');
    return {
      folder,
      from,
      to,
      shown,
      run: (...args: string[]) => runVerb(['store', 'copy', ...args], { cwd: folder }),
    };
  }

  /** Copies in a process of its own, which is killed when so many rows are written, a transaction each. */
  async function killedAfter(rows: number, from: string, to: string): Promise<void> {
    const program = `
      const { copyStore } = await import(${COPY});
      let left = ${rows};
      const wrote = () => { left -= 1; if (left === 0) process.kill(process.pid, 'SIGKILL'); };
      await copyStore(${JSON.stringify(from)}, ${JSON.stringify(to)}, { most: 1, wrote });`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program], { stdio: 'inherit' });
    const [, signal] = await once(child, 'exit');
    assert.equal(signal, 'SIGKILL');
  }

  test('says what it copied and what to do next, and shows no password', async (t) => {
    const { folder, from, to, shown, run } = await setUp(t);
    await writeFile(path.join(folder, '.env'), `DATABASE_URL=${to}\n`);
    const { code, out, err } = await run('--to', `\${DATABASE_URL}`);
    assert.equal(code, 0, err);
    assert.equal(
      out,
      `Copying ${from} into ${shown}
All is there, with the counts and checksums of the file:
  events                  12
  deliveries              11
  receipts and doubts     10
  targets                 5
  lanes paused or halted  3
  paused limit keys       2

Next:
  1. Let \`store:\` of config.yaml name the database, best as \${NAME} or \${file:PATH}.
  2. versive-relay check, then versive-relay serve.
  3. Start no relay on ${from} any more: it would deliver again what the others have delivered. Keep it until you are sure.
`,
    );
    assert.equal(err, '');
    const again = await run('--to', `\${DATABASE_URL}`);
    assert.equal(again.code, 1);
    assert.match(
      again.err,
      /the store postgres:.* is not empty: it has rows of event, .* \(RELAY_STATE\)\n +fix Copy into an/,
    );
    assert.ok(![out, again.out, again.err].some((text) => text.includes(new URL(to).password)));
  });

  test('goes from a named file into the database of the config', async (t) => {
    const { folder, from, to, run } = await setUp(t);
    await writeFile(path.join(folder, 'secret'), `${to}\n`);
    await writeFile(path.join(folder, 'config.yaml'), CONFIG.replace('./relay.db', `\${file:secret}`));
    const { code, out, err } = await run('--from', 'relay.db', '--json');
    assert.equal(code, 0, err);
    const { rows, ...rest } = JSON.parse(out);
    assert.deepEqual(rest, { from, to: to.replace(/:[^:@]*@/, '@'), how: 'new' });
    assert.equal(rows.event, 12);
  });

  test('goes on where it was killed, and until then nothing opens the database', async (t) => {
    const { from, to, run } = await setUp(t);
    for (const rows of [5, 15, 14]) {
      await killedAfter(rows, from, to);
      for (const open of [openStore, serveStore]) {
        await assert.rejects(open(to), {
          code: 'RELAY_STATE',
          message: /a copy into the store .* not come to its end/,
        });
      }
    }
    const { code, out, err } = await run('--to', to);
    assert.equal(code, 0, err);
    assert.match(out, /\nGoing on after the 34 rows that an interrupted copy has left\.\nAll is there/);
    const store = await openStore(to);
    assert.equal((await store.events({}, { limit: 100 })).length, 12);
    await store.close();
  });

  test('begins anew when the file has changed since, and leaves the rest of another file alone', async (t) => {
    const { from, to, run, folder } = await setUp(t);
    await killedAfter(ALL - 1, from, to);
    const other = path.join(folder, 'other.db');
    await fillStore(other);
    const refused = await run('--from', 'other.db', '--to', to);
    assert.equal(refused.code, 1);
    assert.ok(refused.err.includes(`has a part of a copy from ${from} (RELAY_STATE)`), refused.err);
    const store = await openStore(from);
    await store.retry(['d3']);
    await store.close();
    const { code, out, err } = await run('--to', to);
    assert.equal(code, 0, err);
    assert.match(out, /\nThe file has changed since a copy was interrupted: this one begins anew\.\n/);
    const copied = await openStore(to);
    assert.equal((await copied.delivery('d3'))?.state, 'pending');
    assert.equal((await copied.backlog()).find(({ destination }) => destination === 'alpha')?.pending, 3);
    await copied.close();
  });

  test('is refused while a relay runs on either store', async (t) => {
    const { from, to, run } = await setUp(t);
    for (const location of [from, to]) {
      const serving = await serveStore(location);
      const { code, err } = await run('--to', to);
      await serving.close();
      assert.equal(code, 1);
      assert.match(err, /a relay is serving the store .* \(RELAY_STORE_LOCKED\)\n +fix Stop it first/);
    }
  });

  test('waits for another copy to end', async (t) => {
    const { to, run } = await setUp(t);
    const other = new pg.Client(to);
    await other.connect();
    await other.query("SELECT pg_advisory_lock(x'56524c59'::int, 1)");
    const running = run('--to', to);
    const waiting =
      "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND pid <> pg_backend_pid() AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    while ((await other.query(waiting)).rows.length === 0);
    await other.end();
    const { code, err } = await running;
    assert.equal(code, 0, err);
  });

  test('refuses other kinds of stores, and what it cannot read, each with what to do', async (t) => {
    const { folder, to, run } = await setUp(t);
    await writeFile(path.join(folder, '.env'), 'WRONG=mysql://u:hunter22@db/relay\n');
    const cases: [args: string[], message: RegExp][] = [
      [[], /Nothing says where to copy the store to.*\n.*--to '\$\{DATABASE_URL\}'/],
      [['--to', 'copy.db'], /Both stores are SQLite files.*\n.*\.backup/],
      [['--from', to, '--to', 'copy.db'], /from an SQLite file to a PostgreSQL database, and not back/],
      [['--from', to, '--to', to], /Both stores are PostgreSQL.*\n.*pg_dump/],
      [['--to', `\${NOT_SET}`], /--to: the variable NOT_SET is not set/],
      [['--to', 'mysql://db/relay'], /--to: expected the path of a file, .*mysql/],
      [['--to', `\${WRONG}`], /--to: expected the path of a file, .*\$\{WRONG\}/],
      [['--to', 'postgres://u:hunter22@db'], /--to: .*names no database/],
    ];
    for (const [args, message] of cases) {
      const { code, out, err } = await run(...args);
      assert.equal(code, 2, err);
      assert.match(err, message);
      assert.match(err, /RELAY_USAGE/);
      assert.ok(![out, err].some((text) => text.includes('hunter22') || text.includes(new URL(to).password)), err);
    }
    const missing = await run('--from', 'missing.db', '--to', to);
    assert.deepEqual([missing.code, /there is no store at .*missing\.db/.test(missing.err)], [1, true]);
    assert.ok(!(await readdir(folder)).includes('missing.db.lock'));
    const wrong = await run('--too', to);
    assert.deepEqual([wrong.code, /unknown option '--too'/.test(wrong.err)], [2, true]);
  });

  test('says which right the user of the database lacks', async (t) => {
    const { to, run } = await setUp(t);
    const role = `lesser_${process.pid}`;
    await onServer(to, `CREATE ROLE ${role} LOGIN PASSWORD 'x'`);
    t.after(() => onServer(to, `DROP ROLE ${role}`));
    const location = new URL(to);
    location.username = role;
    location.password = 'x';
    const { code, err } = await run('--to', location.href);
    assert.equal(code, 1);
    assert.match(err, /the user lacks a right .*RELAY_STORE_OPEN.*\n.*GRANT CREATE ON DATABASE/);
  });
});
