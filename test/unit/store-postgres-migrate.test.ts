import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RelayError } from '../../src/errors.ts';
import { openStore, serveStore } from '../../src/store/open.ts';
import { newEvent } from '../contracts/store/under-test.ts';
import { migrateTo, withSession } from '../support/migrations.ts';
import { isTested, makeDatabase, onServer } from '../support/stores.ts';

const TODAY = 2;

async function schemaOf(location: string): Promise<number> {
  return Number((await onServer(location, 'SELECT max(version) AS version FROM versive_relay.migration'))[0]?.version);
}

const indexes = (location: string) =>
  onServer(
    location,
    "SELECT indisvalid AS valid FROM pg_index WHERE indexrelid = 'versive_relay.delivery_weight'::regclass",
  );

/** A store as the first version left it. */
async function makeFirst(): Promise<string> {
  const location = await makeDatabase();
  await onServer(
    location,
    `ALTER TABLE versive_relay.event DROP COLUMN removed_at; ALTER TABLE versive_relay.migration DROP COLUMN works_with;
     DELETE FROM versive_relay.migration WHERE version > 1`,
  );
  return location;
}

describe('migrating PostgreSQL', { skip: !isTested('postgres') }, () => {
  test('a verb leaves an older store as it is; a relay that starts brings it up to date', async () => {
    const location = await makeFirst();
    await assert.rejects(openStore(location), {
      code: 'RELAY_STORE_OLDER',
      message: /is at schema 1, and this version works with 2/,
      fix: /`versive-relay migrate`/,
    });
    assert.equal(await schemaOf(location), 1);
    const serving = await serveStore(location);
    await serving.store.accept(newEvent());
    await serving.close();
    assert.equal(await schemaOf(location), TODAY);
    await (await openStore(location)).close();
    // As the first version notes one of its own.
    await onServer(location, 'INSERT INTO versive_relay.migration VALUES (3)');
    await assert.rejects(openStore(location), { code: 'RELAY_STORE_NEWER' });
  });

  test('a newer store is opened if what made it says that this version works with it', async () => {
    const location = await makeDatabase();
    await migrateTo(4, location);
    const serving = await serveStore(location);
    await serving.store.accept(newEvent());
    await (await openStore(location)).close();
    await serving.close();
    await migrateTo(5, location);
    for (const open of [openStore, serveStore]) {
      await assert.rejects(open(location), { code: 'RELAY_STORE_NEWER', message: /schema 5; this one knows 2/ });
    }
    assert.equal(await schemaOf(location), 5);
  });

  test('who holds a table for too long is named, and nothing is half done', async () => {
    const location = await makeDatabase();
    const error = await withSession(
      location,
      async (holder) => {
        await holder.query('BEGIN; SELECT count(*) FROM event');
        const { rows } = await holder.query('SELECT pg_backend_pid() AS pid');
        const failed = await migrateTo(4, location, 20).then(
          () => assert.fail('it was migrated'),
          (thrown: RelayError) => thrown,
        );
        assert.match(failed.message, new RegExp(`process ${rows[0].pid} \\(psql, since 20\\d\\d-.*Z\\) is in the way`));
        assert.match(failed.fix ?? '', new RegExp(`pg_terminate_backend\\(${rows[0].pid}\\)`));
        return failed;
      },
      'psql',
    );
    assert.equal(error.code, 'RELAY_STORE_BUSY');
    assert.equal(await schemaOf(location), TODAY);
    await migrateTo(4, location, 20);
    assert.equal(await schemaOf(location), 4);
  });

  test('who keeps an index from being made is named: it waits for whoever sees what was before', async () => {
    const location = await makeDatabase();
    await migrateTo(3, location);
    await withSession(
      location,
      async (reader) => {
        await reader.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM pg_class');
        const { rows } = await reader.query('SELECT pg_backend_pid() AS pid');
        const named = new RegExp(`process ${rows[0].pid} \\(report, since .* is in the way`);
        await assert.rejects(migrateTo(4, location, 20), { code: 'RELAY_STORE_BUSY', message: named });
      },
      'report',
    );
    await migrateTo(4, location);
    assert.deepEqual(await indexes(location), [{ valid: true }]);
  });

  test('between its tries, others have the table', async () => {
    const location = await makeDatabase();
    const store = await openStore(location);
    await withSession(location, async (holder) => {
      await holder.query('BEGIN; SELECT count(*) FROM event');
      const migrating = migrateTo(4, location, 200);
      // Behind the migration's lock they wait, and before its last try the holder ends.
      for (let n = 0; n < 5; n += 1) await store.accept(newEvent());
      await holder.query('COMMIT');
      await migrating;
    });
    await store.close();
    assert.equal(await schemaOf(location), 4);
  });

  test('an index that was interrupted is made again', async () => {
    const location = await makeDatabase();
    await migrateTo(3, location);
    await onServer(location, 'CREATE INDEX delivery_weight ON versive_relay.delivery (weight)');
    const half = "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'versive_relay.delivery_weight'::regclass";
    await onServer(location, half);
    await migrateTo(4, location);
    assert.deepEqual(await indexes(location), [{ valid: true }]);
    const [row] = await onServer(location, "SELECT pg_get_indexdef('versive_relay.delivery_weight'::regclass) AS text");
    assert.match(String(row?.text), /\(weight, id\)/);
  });

  test('of many that start at once one migrates, an index without a transaction too', async () => {
    const location = await makeFirst();
    await Promise.all(Array.from({ length: 4 }, () => migrateTo(4, location)));
    assert.deepEqual(await indexes(location), [{ valid: true }]);
    const rows = await onServer(location, 'SELECT version, works_with FROM versive_relay.migration ORDER BY version');
    assert.deepEqual(
      rows.map((row) => [row.version, row.works_with]),
      [
        [1, null],
        [2, 1],
        [3, 2],
        [4, 2],
      ],
    );
  });
});
