import path from 'node:path';
import { describe } from 'node:test';
import pg from 'pg';
import { openFolder } from './folder.ts';

/** The stores that a relay can have. */
export const STORES = ['sqlite', 'postgres'] as const;
export type StoreName = (typeof STORES)[number];

/** Where the tests' PostgreSQL is: the address of a database from which others are made. */
export const SERVER_VARIABLE = 'RELAY_TEST_POSTGRES';
/** A database that has the tables of the relay, and nothing in them. */
export const TEMPLATE = 'relay_template';

/** Does the variable STORES want it? `STORES=sqlite,postgres`, and both when it is not set. */
export function isTested(store: StoreName): boolean {
  const wanted = (process.env.STORES ?? STORES.join()).split(',');
  for (const each of wanted) {
    if (!STORES.some((name) => name === each)) throw new Error(`STORES: there is no store "${each}"`);
  }
  return wanted.includes(store);
}

/** Defines tests once for each store. */
export function onEachStore(define: (store: StoreName) => void): void {
  for (const store of STORES.filter(isTested)) describe(`on ${store}`, () => define(store));
}

/** An empty store of one test, as `store:` says it; gone with `remove`. */
export interface StorePlace {
  location: string;
  remove(): Promise<void>;
}

export async function openPlace(store: StoreName): Promise<StorePlace> {
  if (store === 'postgres') return makeDatabase();
  const { folder, remove } = await openFolder();
  return { location: path.join(folder, 'relay.db'), remove };
}

let made = 0;

/** A database with the tables of the relay; or, from another template, without. */
export async function makeDatabase(template = TEMPLATE): Promise<StorePlace> {
  const server = process.env[SERVER_VARIABLE];
  if (server === undefined) throw new Error('there is no PostgreSQL: run the tests with `npm test`');
  made += 1;
  const name = `test_${process.pid}_${made}`;
  await onServer(server, `CREATE DATABASE ${name} TEMPLATE ${template}`);
  const location = new URL(server);
  location.pathname = `/${name}`;
  return {
    location: location.href,
    remove: async () => void (await onServer(server, `DROP DATABASE ${name} WITH (FORCE)`)),
  };
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
