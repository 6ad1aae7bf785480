import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import type pg from 'pg';
import { openStore, serveStore } from '../../src/store/open.ts';
import { inspect, refusePooler } from '../../src/store/postgres/inspect.ts';
import { newEvent } from '../contracts/store/under-test.ts';
import { PASSWORD } from '../support/postgres-server.ts';
import { isTested, makeDatabase, onServer } from '../support/stores.ts';

/** The address with parts of it changed. */
function changed(
  location: string,
  parts: Partial<Pick<URL, 'password' | 'hostname' | 'port' | 'pathname' | 'search'>>,
): string {
  return Object.assign(new URL(location), parts).href;
}

/** What opening says; never with the password. */
async function refusalOf(opening: Promise<unknown>): Promise<{ code: string; message: string; fix: string }> {
  const error = await opening.then(
    () => assert.fail('it was opened'),
    (thrown) => thrown,
  );
  for (const text of [error.message, error.fix, JSON.stringify(error)]) assert.ok(!text.includes(PASSWORD), text);
  assert.ok(error.fix);
  return error;
}

async function listen(t: TestContext, meet: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    meet(socket);
  }).listen(0, '127.0.0.1');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await once(server, 'listening');
  return (server.address() as { port: number }).port;
}

/** As a pooler passes the first message on: without what it does not know. */
function withoutOptions(message: Buffer): Buffer {
  const fields = message.subarray(8, -1).toString().split('\0');
  const at = fields.indexOf('options');
  fields.splice(at, 2);
  const body = Buffer.from(`${fields.join('\0')}\0`);
  const head = Buffer.from(message.subarray(0, 8));
  head.writeInt32BE(8 + body.length);
  return Buffer.concat([head, body]);
}

describe('opening a PostgreSQL store', { skip: !isTested('postgres') }, () => {
  test('what keeps it from being opened is one clear line, with a fix and without the password', async (t) => {
    const location = await makeDatabase();
    const silent = await listen(t, () => {});
    const web = await listen(t, (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const soon = '?connect_timeout=1';
    const cases: [string, Parameters<typeof changed>[1], RegExp][] = [
      ['a wrong password', { password: 'battery-staple' }, /refuses the user .*password authentication failed/],
      ['no database', { pathname: '/nowhere' }, /database is not there .*"nowhere"/],
      ['a wrong host', { hostname: 'nowhere.invalid' }, /cannot be reached .*(ENOTFOUND|EAI_AGAIN)/],
      ['no TLS there', { search: '?sslmode=require' }, /does not support SSL/],
      ['no such file', { search: '?sslmode=verify-full&sslrootcert=/no/ca.pem' }, /no\/ca\.pem/],
      ['one that says nothing', { port: `${silent}`, search: soon }, /timeout/],
      ['another program', { port: `${web}`, search: soon }, /cannot be reached/],
      ['nobody', { port: '1' }, /ECONNREFUSED/],
    ];
    for (const [name, parts, message] of cases) {
      const error = await refusalOf(openStore(changed(location, parts)));
      assert.equal(error.code, 'RELAY_STORE_OPEN', name);
      assert.match(error.message, message, name);
      assert.match(error.message, /^the store postgres:\/\/postgres@/, name);
    }
  });

  test('a store that must be there already is not made', async () => {
    const location = await makeDatabase('template1');
    const { message } = await refusalOf(openStore(location, { create: false }));
    assert.match(message, /no store at/);
    assert.deepEqual(await onServer(location, "SELECT 1 FROM pg_namespace WHERE nspname = 'versive_relay'"), []);
  });

  test('many processes may make one store at once, beside the tables of another program', async () => {
    const location = await makeDatabase('template1');
    await onServer(location, 'CREATE TABLE event (name text)');
    const stores = await Promise.all(Array.from({ length: 5 }, () => openStore(location)));
    await Promise.all(stores.map((store) => store.accept(newEvent())));
    assert.equal((await stores[0]?.events({}, { limit: 10 }))?.length, 5);
    await Promise.all(stores.map((store) => store.close()));
  });

  test('a store of a newer version is refused, and not touched', async () => {
    const location = await makeDatabase();
    await onServer(location, 'INSERT INTO versive_relay.migration VALUES (999)');
    for (const open of [openStore, serveStore]) {
      const { code, message } = await refusalOf(open(location));
      assert.equal(code, 'RELAY_STORE_NEWER');
      assert.match(message, /schema 999/);
    }
  });

  test('a database that cannot hold every text is refused', async () => {
    const location = await makeDatabase('template0 ENCODING SQL_ASCII');
    assert.match((await refusalOf(openStore(location))).message, /SQL_ASCII/);
  });

  test('a commit that is acknowledged is on disk, also where the database would not wait for it', async () => {
    const location = await makeDatabase();
    const name = new URL(location).pathname.slice(1);
    await onServer(location, `ALTER DATABASE ${name} SET synchronous_commit = off`);
    const serving = await serveStore(location);
    try {
      // A trigger sees the setting of the session that stores.
      await onServer(
        location,
        `CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
           NEW.reason := current_setting('synchronous_commit'); RETURN NEW; END $$;
         CREATE TRIGGER look BEFORE INSERT ON versive_relay.event FOR EACH ROW EXECUTE FUNCTION public.look()`,
      );
      const { id } = await serving.store.accept(newEvent());
      assert.equal((await serving.store.event(id))?.reason, 'on');
    } finally {
      await serving.close();
    }
  });

  test('a pooler that drops settings is refused', async (t) => {
    const location = await makeDatabase();
    const { hostname, port } = new URL(location);
    const pooler = await listen(t, (socket) => {
      socket.once('data', (first: Buffer) => {
        const server = connect(Number(port), hostname);
        server.on('error', () => {});
        server.write(withoutOptions(first));
        server.pipe(socket).pipe(server);
      });
    });
    for (const open of [openStore, serveStore]) {
      const { message, fix } = await refusalOf(open(changed(location, { port: `${pooler}` })));
      assert.match(message, /pooler/);
      assert.match(fix, /PostgreSQL itself/);
    }
  });

  test('a pooler that moves a connection to another session is refused', async () => {
    let pid = 0;
    const client = { query: async () => ({ rows: [{ pid: ++pid, found: ['4000'] }] }) } as unknown as pg.Client;
    const database = { transaction: (run: () => Promise<boolean>) => run() } as Parameters<typeof refusePooler>[1];
    const settings = { idle_session_timeout: 4000 };
    await assert.rejects(refusePooler(client, database, { settings, shown: 'it' }), /pooler/);
  });

  test('what is no PostgreSQL, an older one, and a standby are refused', async () => {
    const good = { program: 'PostgreSQL 14.0', version: 140_000, encoding: 'UTF8', synchronous: 'on' };
    const asked = (row: object) =>
      inspect(
        {
          query: async () => ({ rows: [{ path: 'versive_relay', standby: false, ...good, ...row }] }),
        } as unknown as pg.Client,
        'postgres://db',
      );
    assert.deepEqual(await asked({}), {});
    await assert.rejects(asked({ program: 'PostgreSQL 13.9 on x86', version: 130_009 }), /13\.9/);
    await assert.rejects(asked({ program: 'CockroachDB CCL v25' }), /CockroachDB/);
    await assert.rejects(asked({ standby: true }), /standby/);
  });
});
