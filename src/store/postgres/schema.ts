import type { Schema } from '../migrate.ts';
import { refuseNewer } from '../migrations.ts';
import { inspect } from './inspect.ts';
import { migrate, newestSchema, schemaVersion } from './migrate.ts';
import { withClient } from './open.ts';

/** @throws RelayError RELAY_STORE_OPEN, RELAY_STORE_NEWER */
export function postgresSchema(store: string): Promise<Schema> {
  return withClient(store, async (client, { shown }) => {
    await inspect(client, shown);
    const [found, newest] = [await schemaVersion(client), newestSchema()];
    refuseNewer(found, newest, shown);
    return { found: found.version || undefined, newest };
  });
}

/** Other relays of the store go on meanwhile. @throws RelayError RELAY_STORE_OPEN, RELAY_STORE_NEWER, RELAY_STORE_BUSY */
export function migratePostgres(store: string): Promise<void> {
  return withClient(store, async (client, { shown }) => {
    await inspect(client, shown);
    await migrate(client, shown);
  });
}
