import { readFileSync } from 'node:fs';
import type { Client } from 'pg';
import { migrationsIn, refuseNewer } from '../migrations.ts';
import { SCHEMA } from './connect.ts';

const FOLDER = new URL('../migrations/postgres/', import.meta.url);
/** The advisory lock under which one process at a time changes the schema: the letters VRLY. */
const LOCK = 0x56524c59;

/** How far the schema has come, undefined when there is none. */
export async function schemaVersion(client: Client): Promise<number | undefined> {
  const { rows } = await client.query(`SELECT to_regclass('${SCHEMA}.migration') IS NOT NULL AS found`);
  if (!rows[0].found) return undefined;
  const found = await client.query(`SELECT coalesce(max(version), 0) AS version FROM ${SCHEMA}.migration`);
  return Number(found.rows[0].version);
}

/**
 * Brings the schema up to date: every numbered file of migrations/postgres that the store has not had, under an advisory
 * lock, all in one transaction. Files but the first must leave what older replicas use as it is: these go on meanwhile.
 *
 * @param shown the store, as people may see it
 * @throws RelayError RELAY_STORE_NEWER when the store has had more than there are
 */
export async function migrate(client: Client, shown: string): Promise<void> {
  const files = migrationsIn(FOLDER);
  // The first look takes no lock, so that opening a store that is up to date waits for nobody.
  const found = await schemaVersion(client);
  if (found === files.length) return;
  refuseNewer(found, files.length, shown);
  await client.query('BEGIN');
  try {
    await client.query(`SET LOCAL statement_timeout = 0`);
    await client.query(`SELECT pg_advisory_xact_lock(${LOCK})`);
    // Another process may have been faster; and who may use the schema needs no right to make one.
    const { rows } = await client.query(`SELECT 1 FROM pg_namespace WHERE nspname = '${SCHEMA}'`);
    if (rows.length === 0) await client.query(`CREATE SCHEMA ${SCHEMA}`);
    await client.query(`CREATE TABLE IF NOT EXISTS ${SCHEMA}.migration (version integer PRIMARY KEY)`);
    const before = (await schemaVersion(client)) ?? 0;
    refuseNewer(before, files.length, shown);
    for (const name of files.slice(before)) {
      await client.query(readFileSync(new URL(name, FOLDER), 'utf8'));
      await client.query(`INSERT INTO ${SCHEMA}.migration VALUES ($1)`, [Number.parseInt(name, 10)]);
    }
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {});
    throw error;
  }
}

/** The schema that this version of the relay works with. */
export function newestSchema(): number {
  return migrationsIn(FOLDER).length;
}
