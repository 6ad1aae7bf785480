import { readdirSync } from 'node:fs';
import { RelayError } from '../errors.ts';

/** The numbered files of a folder of migrations, in their order: as many as the newest schema's number. */
export function migrationsIn(folder: URL): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.sql'))
    .sort();
}

/**
 * @param store as people may see it
 * @throws RelayError RELAY_STORE_NEWER when the schema found is above the newest one that is known
 */
export function refuseNewer(found: number | undefined, newest: number, store: string): void {
  if (found === undefined || found <= newest) return;
  throw new RelayError(
    'RELAY_STORE_NEWER',
    `the store ${store} was written by a newer versive-relay (schema ${found}; this one knows ${newest})`,
    { fix: 'Start the newer version again, or give this one another `store:`.' },
  );
}
