import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after } from 'node:test';
import { parseEnv } from 'node:util';
import pg from 'pg';

/** The stores that a relay can have. */
const STORES = ['sqlite', 'postgres'] as const;
type StoreName = (typeof STORES)[number];

/** Where the tests' PostgreSQL is: the address of a database from which others are made. */
export const SERVER_VARIABLE = 'RELAY_TEST_POSTGRES';
/** A database that has the tables of the relay, and nothing in them. */
export const TEMPLATE = 'relay_template';
/** What a config of `configText` substitutes for its store. */
const STORE_VARIABLE = 'RELAY_STORE';

/** Does the variable STORES want it? `STORES=sqlite,postgres`, and both when it is not set. */
export function isTested(store: StoreName): boolean {
  const wanted = (process.env.STORES ?? STORES.join()).split(',');
  for (const each of wanted) {
    if (!STORES.some((name) => name === each)) throw new Error(`STORES: there is no store "${each}"`);
  }
  return wanted.includes(store);
}

/** On which store this file's relays run: the first that is wanted. */
let current: StoreName = isTested('sqlite') ? 'sqlite' : 'postgres';
let again = false;

/** Whether the file's tests run on another store too, as large as they are written: here they may be smaller. */
export const isAgain = () => again;

/** Defines tests once more, on PostgreSQL, when both stores are wanted: alone it serves every file's tests anyway. */
export async function againOnPostgres(define: () => Promise<unknown>): Promise<void> {
  if (!isTested('sqlite') || !isTested('postgres')) return;
  current = 'postgres';
  again = true;
  await define();
}

/** The line of a config that gives a test its own store: in the folder, or what `placeStore` wrote into its `.env`. */
export const STORE_LINE = `store: "\${${STORE_VARIABLE}:-./relay.db}"`;

/** Gives the config in a folder a store of its own, once. */
export async function placeStore(folder: string): Promise<void> {
  const file = path.join(folder, '.env');
  if (current === 'postgres' && !existsSync(file)) writeFileSync(file, `${STORE_VARIABLE}=${await makeDatabase()}\n`);
}

/** The store of the config in a folder, as `openStore` takes it. */
export async function storeIn(folder: string): Promise<string> {
  await placeStore(folder);
  if (current === 'sqlite') return path.join(folder, 'relay.db');
  return parseEnv(readFileSync(path.join(folder, '.env'), 'utf8'))[STORE_VARIABLE] ?? '';
}

const databases: string[] = [];

/** The address of a new database with the tables of the relay; or, from another template, without. Gone after the file's tests. */
export async function makeDatabase(template = TEMPLATE): Promise<string> {
  const name = `test_${process.pid}_${databases.length}`;
  databases.push(name);
  await onServer(server(), `CREATE DATABASE ${name} TEMPLATE ${template}`);
  const location = new URL(server());
  location.pathname = `/${name}`;
  return location.href;
}

after(async () => {
  for (const name of databases) await onServer(server(), `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
});

function server(): string {
  const found = process.env[SERVER_VARIABLE];
  if (found === undefined)
    throw new Error('there is no PostgreSQL: add --test-global-setup=test/support/global.ts to node --test');
  return found;
}

/** Runs a statement in a database. */
export async function onServer(location: string, statement: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client(location);
  await client.connect();
  try {
    return (await client.query(statement)).rows;
  } finally {
    await client.end();
  }
}
