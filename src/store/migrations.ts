import { readdirSync, readFileSync } from 'node:fs';
import { RelayError } from '../errors.ts';

/**
 * A numbered file of a folder of migrations. Comments on its first lines may say:
 *
 * - `-- works with programs of schema 1`: what they read and write is still there, and means the same;
 * - `-- runs without a transaction`: PostgreSQL alone, and one statement, which may be interrupted and run again.
 */
export interface Migration {
  version: number;
  sql: string;
  /** The oldest schema that a program must know to work with this one; without a word of it, this one. */
  worksWith: number;
  inTransaction: boolean;
}

/** How far the schema of a store has come. */
export interface SchemaVersion {
  /** 0 when there is none. */
  version: number;
  /** The oldest schema that a program must know to work with it. */
  worksWith: number;
}

/** The migrations of a folder, in their order: as many as the newest schema's number. */
export function migrationsIn(folder: URL): Migration[] {
  const names = readdirSync(folder).filter((name) => name.endsWith('.sql'));
  return names.sort().map((name) => {
    const sql = readFileSync(new URL(name, folder), 'utf8');
    const [head = ''] = /^(?:--.*\n)*/.exec(sql) ?? [];
    const version = Number.parseInt(name, 10);
    const worksWith = /^-- works with programs of schema (\d+)$/m.exec(head)?.[1];
    return {
      version,
      sql,
      worksWith: worksWith === undefined ? version : Number(worksWith),
      inTransaction: !/^-- runs without a transaction$/m.test(head),
    };
  });
}

/**
 * @param store as people may see it
 * @throws RelayError RELAY_STORE_NEWER when a program must know a newer schema than this one does
 */
export function refuseNewer({ version, worksWith }: SchemaVersion, newest: number, store: string): void {
  if (version <= newest || worksWith <= newest) return;
  throw new RelayError(
    'RELAY_STORE_NEWER',
    `the store ${store} was written by a newer versive-relay (schema ${version}; this one knows ${newest})`,
    { fix: 'Start the newer version again, or give this one another `store:`.' },
  );
}

/** @throws RelayError RELAY_STORE_OLDER when a store that is there has not had all migrations */
export function refuseOlder({ version }: SchemaVersion, newest: number, store: string): void {
  if (version === 0 || version >= newest) return;
  throw new RelayError(
    'RELAY_STORE_OLDER',
    `the store ${store} is at schema ${version}, and this version works with ${newest}`,
    { fix: '`versive-relay migrate` brings it up to date; so does a relay of this version when it starts.' },
  );
}
