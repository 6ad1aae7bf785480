/** A PostgreSQL on the disk that SQLite has too, and what is put into its databases. */
import { tmpdir } from 'node:os';
import pg from 'pg';
import { openStore } from '../src/store/open.ts';
import { packBody } from '../src/store/packing.ts';
import { type PostgresServer, startPostgres } from '../test/support/postgres-server.ts';
import { bodyOf } from './events.ts';

export async function startDatabases(): Promise<PostgresServer> {
  return startPostgres({ shared_buffers: '1GB', max_wal_size: '4GB', autovacuum: 'on' }, tmpdir());
}

async function query(location: string, text: string, values: unknown[] = []): Promise<void> {
  const client = new pg.Client(location);
  await client.connect();
  try {
    await client.query(text, values);
  } finally {
    await client.end();
  }
}

/** A new database with the tables of the relay. @returns its address */
export async function makeStore(server: PostgresServer, name: string): Promise<string> {
  await query(server.url('postgres'), `CREATE DATABASE ${name}`);
  const location = server.url(name);
  await (await openStore(location)).close();
  return location;
}

/** Puts so many events into a store, which wait for each of these destinations. All have the same bytes. */
export async function fillDatabase(location: string, events: number, destinations: string[]): Promise<void> {
  const body = Buffer.from(bodyOf());
  await query(
    location,
    `INSERT INTO versive_relay.event (source, svix_id, event_type, subject, study, state, received_at, routes, size)
      SELECT 'versive', 'fill_' || i, 'interview.completed', 'int_' || i, 'study_1', 'routed', $2::bigint - $1::integer + i,
        '["everything"]', $3::integer FROM generate_series(1, $1::integer) i`,
    [events, Date.now(), body.length],
  );
  await query(location, 'INSERT INTO versive_relay.body SELECT id, $1::bytea FROM versive_relay.event', [
    packBody(body),
  ]);
  await query(
    location,
    `INSERT INTO versive_relay.delivery (event, destination, subject, due_at)
      SELECT e.id, d, e.subject, e.received_at FROM versive_relay.event e, unnest($1::text[]) d`,
    [destinations],
  );
  await query(location, 'VACUUM ANALYZE');
}
