import pg from 'pg';
import { type Migration, migrationsIn } from '../../src/store/migrations.ts';
import { migrate } from '../../src/store/postgres/migrate.ts';

const REAL = migrationsIn(new URL('../../src/store/migrations/postgres/', import.meta.url));
const FUTURE = migrationsIn(new URL('../fixtures/migrations/', import.meta.url));

/** The migrations of a version to come, up to this schema: those of today, and made up ones. */
export function migrationsTo(schema: number): Migration[] {
  return [...REAL, ...FUTURE].slice(0, schema);
}

/** Does what `migrate` of a version to come does. */
export async function migrateTo(schema: number, location: string, lockWait = 5_000): Promise<void> {
  await withSession(location, (client) => migrate(client, 'the store', { migrations: migrationsTo(schema), lockWait }));
}

/** Runs something over a connection of its own, with the store's tables by their short names. */
export async function withSession<T>(
  location: string,
  run: (client: pg.Client) => Promise<T>,
  name = 'test',
): Promise<T> {
  const options = '-c search_path=versive_relay';
  const client = new pg.Client({ connectionString: location, options, application_name: name });
  await client.connect();
  try {
    return await run(client);
  } finally {
    await client.end();
  }
}
