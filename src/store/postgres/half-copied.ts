import type { ClientBase } from 'pg';
import { RelayError } from '../../errors.ts';
import { SCHEMA } from './connect.ts';

/** The table that is there from the beginning of a copy into the store to its end: one row, which says how far it has come. */
export const MARKER = `${SCHEMA}.copying`;

/** Is a copy into the store under way, or was one interrupted? */
export async function isHalfCopied(client: ClientBase): Promise<boolean> {
  const { rows } = await client.query<{ found: boolean }>(`SELECT to_regclass('${MARKER}') IS NOT NULL AS found`);
  return rows[0]?.found === true;
}

/**
 * A relay that served the half of a store would take what it does not know for new, and deliver it twice.
 *
 * @throws RelayError RELAY_STATE
 */
export async function refuseHalfCopied(client: ClientBase, shown: string): Promise<void> {
  if (!(await isHalfCopied(client))) return;
  throw new RelayError('RELAY_STATE', `a copy into the store ${shown} has not come to its end`, {
    fix: 'Run the same `versive-relay store copy` again: it goes on where it stopped.',
  });
}
