import assert from 'node:assert/strict';
import { copyFile, readFile } from 'node:fs/promises';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, type TestContext, test } from 'node:test';
import { copyStore } from '../../src/store/copy/copy.ts';
import { TABLES, type Table } from '../../src/store/copy/tables.ts';
import { openStore, serveStore } from '../../src/store/open.ts';
import type { Claim, Serving, Store } from '../../src/store/store.ts';
import { newEvent } from '../contracts/store/under-test.ts';
import { makeFolder } from '../support/config.ts';
import { openFolder } from '../support/folder.ts';
import { DESTINATIONS, fillStore, TARGET } from '../support/full-store.ts';
import { isTested, makeDatabase, onServer } from '../support/stores.ts';

/** All that the lists of a store show. */
async function shown(store: Store) {
  const events = await store.events({}, { limit: 1000 });
  return {
    events: await Promise.all(events.map(({ id }) => store.event(id))),
    deliveries: await store.deliveries({}, { limit: 1000 }),
    byRoute: (await store.events({ route: 'Zwei "2" \0' }, { limit: 1000 })).map(({ id }) => id),
    lanes: await store.lanes(),
    backlog: await store.backlog(),
    keys: [...(await store.pausedKeys())].map(([key, ms]) => [key, Math.round(ms / 60_000)]).sort(),
  };
}

/** What a relay that starts on the store claims, and what it knows of each. */
async function claims({ store, take }: Serving): Promise<Partial<Claim>[]> {
  const found: Claim[] = [];
  for (const destination of DESTINATIONS) {
    await take(destination, []);
    // Whatever is due some day: a delivery of several strikes is claimed alone.
    const request = { destination, target: TARGET, now: Date.now() + 3_600_000, limit: 100 };
    for (;;) {
      const except = found.filter(({ delivery }) => delivery.destination === destination);
      const more = await store.claim({ ...request, except: except.map(({ delivery }) => delivery.subject) });
      if (more.length === 0) break;
      found.push(...more);
    }
  }
  return found
    .map(({ token, delivery: { nextAttemptAt, ...delivery }, ...claim }) => ({ ...claim, delivery }))
    .sort((a, b) => Number(a.delivery.id.slice(1)) - Number(b.delivery.id.slice(1))) as Partial<Claim>[];
}

/** Adds a line to a store, as a verb would. */
async function change(file: string): Promise<void> {
  const store = await openStore(file);
  await store.setPaused('crashing', true);
  await store.close();
}

describe('a copy of an SQLite store into PostgreSQL', { skip: !isTested('postgres') }, () => {
  let full: string;
  let removeFull: () => Promise<void>;
  before(async () => {
    const { folder, remove } = await openFolder();
    removeFull = remove;
    full = path.join(folder, 'relay.db');
    await fillStore(full);
  });
  after(() => removeFull());

  /** A file of the test's own, with all of the full store; and an empty database. */
  async function pair(t: TestContext): Promise<{ from: string; to: string }> {
    const from = path.join(await makeFolder(t), 'relay.db');
    await copyFile(full, from);
    return { from, to: await makeDatabase() };
  }

  test('has every table and column of either store', async (t) => {
    const { from, to } = await pair(t);
    const uncopied = ['backlog', 'clock', 'ping', 'replica', 'migration', 'sqlite_sequence'];
    const columnsOf = (tables: readonly Table[]) =>
      tables.flatMap(({ name, columns }) => Object.keys(columns).map((column) => `${name}.${column}`)).sort();
    const database = new DatabaseSync(from, { readOnly: true });
    const rows = database
      .prepare(
        "SELECT t.name AS name, c.name AS col FROM sqlite_schema t, pragma_table_info(t.name) c WHERE t.type = 'table'",
      )
      .all() as { name: string; col: string }[];
    database.close();
    const wanted = (all: { name: string; col: string }[]) =>
      all
        .filter(({ name }) => !uncopied.includes(name))
        .map(({ name, col }) => `${name}.${col}`)
        .sort();
    const own = TABLES.filter(({ from: instead }) => instead === undefined);
    assert.deepEqual(wanted(rows), columnsOf(own));
    const sql =
      "SELECT table_name AS name, column_name AS col FROM information_schema.columns WHERE table_schema = 'versive_relay'";
    assert.deepEqual(wanted((await onServer(to, sql)) as typeof rows), columnsOf(TABLES));
  });

  test('shows what the file shows, and changes nothing there', async (t) => {
    const { from, to } = await pair(t);
    const bytes = await readFile(from);
    const copied = await copyStore(from, to, { most: 2 });
    assert.equal(copied.how, 'new');
    assert.deepEqual(Object.fromEntries(copied.rows), {
      event: 12,
      body: 11,
      delivery: 11,
      ledger: 10,
      target: 5,
      lane: 3,
      paused_key: 2,
    });
    assert.ok(bytes.equals(await readFile(from)));
    const [file, database] = [await openStore(from), await openStore(to)];
    t.after(() => Promise.all([file.close(), database.close()]));
    const expected = await shown(file);
    assert.equal(new Set(expected.deliveries.map(({ state }) => state)).size, 4);
    assert.equal(new Set(expected.events.map((event) => event?.state)).size, 3);
    assert.deepEqual(await shown(database), expected);
    const [clock] = await onServer(to, 'SELECT last FROM versive_relay.clock');
    assert.ok(Number(clock?.last) > expected.events.length, 'the clock that a relay compares its own with');
  });

  test('goes on as the file would: the same strikes, receipts, generations and doubts', async (t) => {
    const { from, to } = await pair(t);
    await copyStore(from, to);
    const [file, database] = [await serveStore(from), await serveStore(to)];
    t.after(() => Promise.all([file.close(), database.close()]));
    const released = [await file.store.release(), await database.store.release()];
    assert.deepEqual(released[1], released[0]);
    assert.deepEqual(released[0], { freed: 4, failed: ['d10'] });
    const expected = await claims(file);
    assert.deepEqual(await claims(database), expected);
    assert.ok(expected.some(({ doubt }) => doubt?.newer === false && doubt.since === 4_000));
    assert.ok(expected.some(({ identity, earlier }) => identity?.generation === 3 && earlier?.length === 2));
    assert.ok(expected.some(({ elsewhere }) => elsewhere));
    // At its third crash: nobody has the lanes any more.
    for (const destination of DESTINATIONS) await database.give(destination);
    const again = [await file.store.release(), await database.store.release()];
    assert.deepEqual(again[1], again[0]);
    assert.deepEqual(again[0]?.failed, ['d9']);
  });

  test('gives the next event and delivery the numbers that the file would', async (t) => {
    const { from, to } = await pair(t);
    await copyStore(from, to);
    const [file, database] = [await openStore(from), await openStore(to)];
    t.after(() => Promise.all([file.close(), database.close()]));
    const next = newEvent({ svixId: 'next', subject: 'next' });
    assert.deepEqual(await database.accept(next), await file.accept(next));
    assert.deepEqual(
      await database.deliveries({ interview: 'next' }, { limit: 1 }),
      await file.deliveries({ interview: 'next' }, { limit: 1 }),
    );
    const known = (await file.event('e1')) ?? assert.fail();
    const again = newEvent({ source: known.source, svixId: known.svixId });
    assert.deepEqual(await database.accept(again), { id: 'e1', duplicate: true, deliveries: 2, claims: [] });
  });

  test('knows again what PostgreSQL keeps short: ids and targets longer than an index takes', async (t) => {
    const from = path.join(await makeFolder(t), 'relay.db');
    const long = (letter: string) => letter.repeat(5_000);
    const event = newEvent({ svixId: long('m'), subject: long('s'), study: long('t') });
    const request = { destination: 'slack', target: long('C'), now: Date.now(), limit: 1, except: [] };
    const file = await openStore(from);
    await file.accept(event);
    const [claim] = await file.claim(request);
    await file.record(claim?.token ?? '', request.target, { state: 'delivered', receipt: { ts: '1.1' } });
    await file.close();
    const to = await makeDatabase();
    await copyStore(from, to);
    const { store, take, close } = await serveStore(to);
    t.after(close);
    await take('slack', []);
    assert.deepEqual(await store.accept(event), { id: 'e1', duplicate: true, deliveries: 1, claims: [] });
    await store.accept({ ...event, svixId: 'another' });
    const [next] = await store.claim(request);
    assert.deepEqual([next?.receipt, next?.identity.generation, next?.elsewhere], [{ ts: '1.1' }, 1, false]);
  });

  test('copies an empty store, and takes what a relay left in the WAL', async (t) => {
    const from = path.join(await makeFolder(t), 'relay.db');
    await (await openStore(from)).close();
    const empty = await copyStore(from, await makeDatabase());
    assert.ok([...empty.rows.values()].every((rows) => rows === 0));
    const open = await openStore(from);
    t.after(() => open.close());
    await open.accept(newEvent());
    const { rows } = await copyStore(from, await makeDatabase('template0'));
    assert.equal(rows.get('event'), 1);
  });

  test('is refused while either store is served, and where anything is', async (t) => {
    const { from, to } = await pair(t);
    for (const location of [from, to]) {
      const serving = await serveStore(location);
      await assert.rejects(copyStore(from, to), {
        code: 'RELAY_STORE_LOCKED',
        message: /a relay is serving the store/,
      });
      await serving.close();
    }
    await change(to);
    await assert.rejects(copyStore(from, to), { code: 'RELAY_STATE', message: /not empty: it has rows of lane/ });
    assert.equal((await onServer(to, 'SELECT 1 FROM versive_relay.event')).length, 0);
  });

  test('of a damaged copy is no store: the comparison finds it, and the next try begins anew', async (t) => {
    const { from, to } = await pair(t);
    const damage = {
      event: 'IF NEW.id = 1 THEN NEW.routes = \'["One"]\'; END IF; IF NEW.id = 2 THEN RETURN NULL; END IF;',
      body: "NEW.zstd = NEW.zstd || '\\x00'::bytea;",
      delivery: 'NEW.strikes = 0;',
      ledger: 'NEW.doubt = NEW.doubt + 1;',
    };
    for (const [table, statement] of Object.entries(damage)) {
      const body = `BEGIN ${statement} RETURN NEW; END`;
      await onServer(to, `CREATE FUNCTION spoil_${table}() RETURNS trigger LANGUAGE plpgsql AS $$ ${body} $$`);
      await onServer(
        to,
        `CREATE TRIGGER spoil BEFORE INSERT ON versive_relay.${table} FOR EACH ROW EXECUTE FUNCTION spoil_${table}()`,
      );
    }
    await assert.rejects(copyStore(from, to), {
      code: 'RELAY_STATE',
      message: /: event has 11 rows of 12; the checksums of body differ; .* delivery differ; .* ledger differ$/,
    });
    await assert.rejects(openStore(to), { code: 'RELAY_STATE', message: /has not come to its end/ });
    for (const table of Object.keys(damage)) await onServer(to, `DROP TRIGGER spoil ON versive_relay.${table}`);
    assert.equal((await copyStore(from, to)).how, 'anew');
    await (await openStore(to)).close();
  });
});
