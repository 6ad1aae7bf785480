import type pg from 'pg';
import { RelayError } from '../../errors.ts';
import { SCHEMA, type Settings } from './connect.ts';
import type { Database } from './database.ts';

/** The oldest version that is served, as `server_version_num` has it: the first to end idle sessions by itself. */
const OLDEST = 140_000;

/**
 * Looks at what answers, before anything is asked of it.
 *
 * @returns what every connection is to have beside its own settings
 * @throws RelayError RELAY_STORE_OPEN when the relay cannot keep its promises there
 */
export async function inspect(client: pg.Client, shown: string): Promise<Settings> {
  const { rows } = await client.query(`
    SELECT version() AS program, current_setting('server_version_num')::integer AS version,
      current_setting('server_encoding') AS encoding, current_setting('synchronous_commit') AS synchronous,
      current_setting('search_path') AS path, pg_is_in_recovery() AS standby`);
  const { program, version, encoding, synchronous, path, standby } = rows[0];
  if (!String(program).startsWith('PostgreSQL') || version < OLDEST) {
    throw refusal(shown, `it is ${String(program).split(/,| on /)[0]}`, 'Use PostgreSQL 14 or newer.');
  }
  if (encoding !== 'UTF8') {
    const fix = 'Make a database for the relay: CREATE DATABASE relay ENCODING UTF8 TEMPLATE template0.';
    throw refusal(shown, `its encoding is ${encoding}, which cannot hold every text`, fix);
  }
  if (path !== SCHEMA) throw pooled(shown);
  if (standby) throw refusal(shown, 'it is a standby, which takes no writes', 'Let `store:` name the primary.');
  // An acknowledged event is on disk: off would lose the last ones in a crash.
  return synchronous === 'off' ? { synchronous_commit: 'on' } : {};
}

/**
 * Refuses a connection whose session is not its own: behind a pooler, lanes could not be held. It must have the settings
 * that were asked for, and keep its session while another connection is in a transaction.
 *
 * @throws RelayError RELAY_STORE_OPEN
 */
export async function refusePooler(
  client: pg.Client,
  database: Database,
  { settings, shown }: { settings: Settings; shown: string },
): Promise<void> {
  const names = Object.keys(settings).filter((name) => name.endsWith('session_timeout'));
  const session = async () => {
    const text = `SELECT pg_backend_pid() AS pid, (SELECT array_agg(setting ORDER BY name) FROM pg_settings WHERE name = ANY($1)) AS found`;
    const { rows } = await client.query<{ pid: number; found: string[] }>(text, [names]);
    return rows[0];
  };
  const first = await session();
  const wanted = names.toSorted().map((name) => String(settings[name]));
  if (first?.found.join() !== wanted.join()) throw pooled(shown);
  const moved = await database.transaction(async () => (await session())?.pid !== first.pid);
  if (moved) throw pooled(shown);
}

function pooled(shown: string): RelayError {
  return refusal(
    shown,
    'a pooler stands before it that shares sessions (PgBouncer in transaction mode?)',
    'Connect to PostgreSQL itself: the relay holds locks for as long as its connection lives, and pools by itself.',
  );
}

function refusal(shown: string, why: string, fix: string): RelayError {
  return new RelayError('RELAY_STORE_OPEN', `the store ${shown} cannot be opened: ${why}`, { fix });
}
