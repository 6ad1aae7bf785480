/** Starts what all tests share, once for a run: `node --test-global-setup`. */
import pg from 'pg';
import { openStore } from '../../src/store/open.ts';
import { type PostgresServer, startPostgres } from './postgres-server.ts';
import { isTested, SERVER_VARIABLE, TEMPLATE } from './stores.ts';

let server: PostgresServer | undefined;

export async function globalSetup(): Promise<void> {
  if (!isTested('postgres')) return;
  server = await startPostgres();
  process.env[SERVER_VARIABLE] = server.url('postgres');
  const client = new pg.Client(server.url('postgres'));
  await client.connect();
  await client.query(`CREATE DATABASE ${TEMPLATE}`);
  await (await openStore(server.url(TEMPLATE))).close();
  await client.end();
}

export async function globalTeardown(): Promise<void> {
  await server?.remove();
}
