import { STEP } from '../limits.ts';
import type { Database } from './database.ts';
import { toDatabase } from './text.ts';

/** Where both names have a row, that of the later event stays. Whatever either was in doubt about may be there. */
const LEDGER = `
  WITH gone AS (
    DELETE FROM ledger WHERE (destination, target, subject, generation) IN (
      SELECT destination, target, subject, generation FROM ledger WHERE destination = $1
      ORDER BY target, subject, generation LIMIT ${STEP})
    RETURNING *),
  moved AS (
    INSERT INTO ledger (destination, target, subject, generation, origin, receipt, event, doubt, doubt_event)
    SELECT $2::text, target, subject, generation, origin, receipt, event, doubt, doubt_event FROM gone
    ON CONFLICT (destination, target, subject, generation) DO UPDATE SET
      origin = CASE WHEN excluded.event > ledger.event OR ledger.receipt IS NULL THEN excluded.origin ELSE ledger.origin END,
      receipt = CASE WHEN excluded.event > ledger.event THEN coalesce(excluded.receipt, ledger.receipt)
        ELSE coalesce(ledger.receipt, excluded.receipt) END,
      event = greatest(ledger.event, excluded.event),
      doubt = least(ledger.doubt, excluded.doubt),
      doubt_event = greatest(ledger.doubt_event, excluded.doubt_event))
  SELECT count(*) FROM gone`;

const LANE = `
  WITH named AS (DELETE FROM target WHERE destination = $1 RETURNING name),
  targets AS (INSERT INTO target SELECT $2::text, name FROM named ON CONFLICT DO NOTHING),
  gone AS (DELETE FROM lane WHERE destination = $1 RETURNING *)
  INSERT INTO lane SELECT $2::text, paused, halt_reason, halt_detail, halt_fix, halt_since FROM gone
  ON CONFLICT (destination) DO UPDATE SET paused = lane.paused OR excluded.paused`;

const DELIVERIES = `
  WITH named AS (
    SELECT id, event FROM delivery WHERE destination = $1 AND id > $3::bigint ORDER BY id LIMIT ${STEP} FOR UPDATE),
  moved AS (
    UPDATE delivery d SET destination = $2::text FROM named n
    WHERE d.id = n.id AND NOT EXISTS (SELECT 1 FROM delivery o WHERE o.event = n.event AND o.destination = $2)
    RETURNING 1)
  SELECT (SELECT max(id) FROM named) AS last, (SELECT count(*) FROM named) AS found, (SELECT count(*) FROM moved) AS moved`;

/**
 * The ledger goes first: a delivery must never stand under the new name while its receipt is under the old one. Where both
 * names have a receipt, that of the later event stays; where both have a delivery of one event, both stay.
 *
 * @returns how many deliveries moved
 */
export async function rename(database: Database, from: string, to: string): Promise<number> {
  const names = [toDatabase(from), toDatabase(to)];
  for (;;) {
    const [row] = await database.write<{ count: number }>({ text: LEDGER, values: names });
    if ((row?.count ?? 0) < STEP) break;
  }
  await database.write({ text: LANE, values: names });
  let moved = 0;
  for (let last = 0; ; ) {
    const [row] = await database.write<{ last: number; found: number; moved: number }>({
      text: DELIVERIES,
      values: [...names, last],
    });
    moved += row?.moved ?? 0;
    if (!row || row.found < STEP) return moved;
    last = row.last;
  }
}
