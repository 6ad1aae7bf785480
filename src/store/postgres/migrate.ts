import { setTimeout as wait } from 'node:timers/promises';
import type { Client } from 'pg';
import { RelayError } from '../../errors.ts';
import { type Migration, migrationsIn, refuseNewer, refuseOlder, type SchemaVersion } from '../migrations.ts';
import { SCHEMA } from './connect.ts';
import { sqlState } from './failure.ts';

const FOLDER = new URL('../migrations/postgres/', import.meta.url);
/** The advisory lock under which one process at a time changes the schema: the letters VRLY. */
const LOCK = 0x56524c59;
/** Milliseconds between two tries to get it. */
const POLL = 100;

/**
 * Milliseconds that a migration waits for a lock on a table, at most: who wants the table meanwhile, as a webhook does, waits
 * behind it. Before the next try they have as long to themselves.
 */
const BRIEF = 2_000;
/** Outside a transaction, an index waits for the transactions that are under way, and nobody waits behind it. */
const LONG = 60_000;
const TRIES = 10;

export interface MigrateOptions {
  /** False makes the schema where there is none, and refuses an older one. */
  upgrade?: boolean;
  /** Milliseconds that others are waited for at a time, in place of what each migration has. */
  lockWait?: number | undefined;
  /** Those of this version by default. */
  migrations?: readonly Migration[];
}

/** How far the schema has come. */
export async function schemaVersion(client: Client): Promise<SchemaVersion> {
  const { rows } = await client.query(`SELECT to_regclass('${SCHEMA}.migration') IS NOT NULL AS found`);
  if (!rows[0].found) return { version: 0, worksWith: 0 };
  // Version 0.1 made the table without that column, and said nothing of what works with it.
  const found = await client.query(`
    SELECT coalesce(max(version), 0) AS version,
      coalesce(max(coalesce((to_jsonb(m) ->> 'works_with')::integer, version)), 0) AS works_with
    FROM ${SCHEMA}.migration m`);
  return { version: Number(found.rows[0].version), worksWith: Number(found.rows[0].works_with) };
}

/**
 * Brings the schema up to date: every numbered file of migrations/postgres that the store has not had, each in a transaction
 * of its own, under an advisory lock over all. Relays of the version before go on meanwhile: a file must leave what they use
 * as it is, and is not let wait for long where they would wait behind it.
 *
 * @param shown the store, as people may see it
 * @throws RelayError RELAY_STORE_NEWER when only newer versions work with it; RELAY_STORE_OLDER; RELAY_STORE_BUSY when others
 *   do not let a table go
 */
export async function migrate(
  client: Client,
  shown: string,
  { upgrade = true, lockWait, migrations = migrationsIn(FOLDER) }: MigrateOptions = {},
): Promise<void> {
  const newest = migrations.length;
  const look = async () => {
    const found = await schemaVersion(client);
    refuseNewer(found, newest, shown);
    return found;
  };
  // The first look takes no lock, so that opening a store that is up to date waits for nobody.
  if ((await look()).version >= newest) return;
  await client.query('SET statement_timeout = 0');
  await lock(client);
  try {
    // Another process may have been faster.
    const found = await look();
    if (!upgrade) refuseOlder(found, newest, shown);
    await patiently(client, { shown, wait: lockWait ?? BRIEF, readers: false }, () => makeTable(client));
    for (const migration of migrations.slice(found.version)) {
      const readers = !migration.inTransaction;
      const longest = readers ? LONG : BRIEF;
      await patiently(client, { shown, wait: lockWait ?? longest, readers }, () => apply(client, migration));
    }
    await client.query('RESET lock_timeout');
  } finally {
    // With the connection it is gone, too.
    await client.query('SELECT pg_advisory_unlock($1)', [LOCK]).catch(() => {});
  }
}

/** Asks again and again: an index that is made meanwhile would wait for whoever waits in a statement, and that one for it. */
async function lock(client: Client): Promise<void> {
  for (;;) {
    const { rows } = await client.query<{ got: boolean }>('SELECT pg_try_advisory_lock($1) AS got', [LOCK]);
    if (rows[0]?.got) return;
    await wait(POLL);
  }
}

async function makeTable(client: Client): Promise<void> {
  // Who may use the schema needs no right to make one.
  const { rows } = await client.query(`SELECT 1 FROM pg_namespace WHERE nspname = '${SCHEMA}'`);
  if (rows.length === 0) await client.query(`CREATE SCHEMA ${SCHEMA}`);
  await client.query(`
    CREATE TABLE IF NOT EXISTS ${SCHEMA}.migration (version integer PRIMARY KEY);
    ALTER TABLE ${SCHEMA}.migration ADD COLUMN IF NOT EXISTS works_with integer`);
}

async function apply(client: Client, { version, sql, worksWith, inTransaction }: Migration): Promise<void> {
  const note = () => client.query(`INSERT INTO ${SCHEMA}.migration VALUES ($1, $2)`, [version, worksWith]);
  if (!inTransaction) {
    await dropInvalid(client);
    await client.query(sql);
    await note();
    return;
  }
  await client.query('BEGIN');
  try {
    await client.query(sql);
    await note();
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {});
    throw error;
  }
}

/** Indexes that were half made when it was interrupted: IF NOT EXISTS would take them for whole. */
async function dropInvalid(client: Client): Promise<void> {
  const { rows } = await client.query<{ name: string }>(`
    SELECT c.oid::regclass::text AS name FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE NOT i.indisvalid AND c.relnamespace = '${SCHEMA}'::regnamespace`);
  for (const { name } of rows) await client.query(`DROP INDEX CONCURRENTLY IF EXISTS ${name}`);
}

/**
 * Does something that may have to wait for others, who hold a table: not for long, but several times.
 *
 * @param patience.wait milliseconds of each time, and until the next one
 * @param patience.readers whoever sees the database as it was before is waited for, too
 */
async function patiently(
  client: Client,
  patience: { shown: string; wait: number; readers: boolean },
  work: () => Promise<void>,
): Promise<void> {
  await client.query(`SET lock_timeout = ${patience.wait}`);
  for (let tries = 1; ; tries += 1) {
    try {
      await work();
      return;
    } catch (error) {
      if (sqlState(error) !== '55P03') throw error;
      if (tries === TRIES) throw blocked(patience.shown, await holders(client, patience), error);
    }
    await wait(patience.wait);
  }
}

/** A session that is in the way. */
interface Holder {
  pid: number;
  name: string;
  /** Of the transaction; null when this user may not see it. */
  since: string | null;
}

/** Those who have been in a transaction for so long that they were in the way the whole time, the longest first. */
async function holders(client: Client, { wait: ms, readers }: { wait: number; readers: boolean }): Promise<Holder[]> {
  const { rows } = await client.query<Holder>(
    `SELECT a.pid, coalesce(nullif(a.application_name, ''), a.usename, a.backend_type, 'unknown') AS name,
       to_char(a.xact_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS since
     FROM pg_stat_activity a
     WHERE a.pid <> pg_backend_pid() AND coalesce(a.xact_start < clock_timestamp() - $1 * interval '1 millisecond', true)
       AND a.datname = current_database() AND ($2 AND a.backend_xmin IS NOT NULL OR EXISTS (
         SELECT 1 FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
         WHERE l.pid = a.pid AND l.granted AND c.relnamespace = '${SCHEMA}'::regnamespace))
     ORDER BY a.xact_start NULLS LAST LIMIT 3`,
    [ms, readers],
  );
  return rows;
}

function blocked(shown: string, found: Holder[], cause: unknown): RelayError {
  const named = found.map(({ pid, name, since }) => `${pid} (${name}${since === null ? '' : `, since ${since}`})`);
  const who = named.length === 0 ? 'another transaction' : `the transaction of process ${named.join(', and of ')}`;
  const end = found.map(({ pid }) => `SELECT pg_terminate_backend(${pid})`).join('; ');
  return new RelayError('RELAY_STORE_BUSY', `the store ${shown} cannot be migrated: ${who} is in the way`, {
    fix: `End it${end && ` (${end})`}, then try again: what was done so far stays, and the rest follows.`,
    cause,
  });
}

/** The schema that this version of the relay works with. */
export function newestSchema(): number {
  return migrationsIn(FOLDER).length;
}
