import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type pg from 'pg';
import { parseAddress } from '../../src/address.ts';
import { clientConfig } from '../../src/store/postgres/connect.ts';
import { LANE_SETTINGS, LaneConnection } from '../../src/store/postgres/lane-connection.ts';
import { isTested, makeDatabase, onServer } from '../support/stores.ts';

type Hooks = ConstructorParameters<typeof LaneConnection>[1];

async function connect(t: TestContext, location: string, hooks: Partial<Hooks> = {}): Promise<LaneConnection> {
  const connection = new LaneConnection(clientConfig(parseAddress(location), LANE_SETTINGS), {
    prepare: async () => {},
    beat: () => ({ text: 'SELECT 1' }),
    made: () => {},
    lost: () => {},
    ...hooks,
  });
  t.after(() => connection.close());
  await connection.open();
  return connection;
}

const pidOf = async (client: pg.Client | LaneConnection) => {
  const text = 'SELECT pg_backend_pid() AS pid';
  const rows = 'query' in client ? (await client.query(text)).rows : await client.run({ text });
  return Number(rows[0]?.pid);
};

describe('the connection of lanes', { skip: !isTested('postgres') }, () => {
  test('a new one that dies while it is looked at is not taken, and the next one is', {
    timeout: 20_000,
  }, async (t) => {
    const location = await makeDatabase();
    const end = (pid: number) => onServer(location, `SELECT pg_terminate_backend(${pid})`);
    const back = Promise.withResolvers<void>();
    let connections = 0;
    const connection = await connect(t, location, {
      async prepare(client) {
        connections += 1;
        if (connections !== 2) return;
        const over = new Promise<void>((resolve) => client.once('end', resolve));
        await end(await pidOf(client));
        await over;
      },
      made() {
        if (connections > 1) back.resolve();
      },
    });
    await end(await pidOf(connection));
    await back.promise;
    assert.equal(connections, 3);
    assert.ok(await pidOf(connection));
  });

  test('a statement that never reached the database is not waited for', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    const connection = await connect(t, await makeDatabase());
    await connection.run({ name: 'one', text: 'SELECT 1' });
    // The client itself refuses a second text under a name.
    await assert.rejects(connection.run({ name: 'one', text: 'SELECT 2' }), /unique/);
    const now = performance.now();
    t.mock.method(performance, 'now', () => now + 9_000);
    t.mock.timers.tick(1_000);
    assert.ok(await pidOf(connection));
    assert.equal(connection.isSure, true);
  });
});
