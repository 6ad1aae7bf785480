import { clock } from '../rows.ts';
import type { Statement } from './database.ts';
import { laneLock } from './own-lanes.ts';
import { fromDatabase, toDatabase } from './text.ts';
import { STEP } from './verbs.ts';

/** Claims in a row that may end with no outcome. */
const STRIKES = 3;
/**
 * Milliseconds, at least, and up to five times as many at random, after which a delivery of two strikes is claimed again,
 * and alone: at the third crash, the one that causes it should be the only one under way.
 */
const APART = 2_000;

/** What a person asked for meanwhile counts more than the strike. */
const RELEASE = `
  WITH left_behind AS (
    SELECT id FROM delivery WHERE token IS NOT NULL AND destination = ANY($1::text[]) ORDER BY id LIMIT ${STEP} FOR UPDATE)
  UPDATE delivery d SET token = NULL, wish = NULL,
    strikes = CASE WHEN wish IS NULL THEN strikes + 1 ELSE 0 END,
    state = CASE WHEN wish = 'discard' THEN 'discarded' WHEN wish IS NULL AND strikes + 1 >= ${STRIKES} THEN 'failed'
      ELSE 'pending' END,
    due_at = CASE WHEN wish = 'discard' THEN NULL WHEN wish IS NOT NULL THEN $2::bigint
      WHEN strikes + 1 >= ${STRIKES} THEN NULL
      -- It was due when it was claimed, whatever the clock says by now.
      WHEN strikes = 0 THEN least(due_at, $2)
      ELSE $2 + ${APART} + floor(random() * ${4 * APART})::bigint END,
    attempts = CASE WHEN wish IN ('retry', 'replay') THEN 0 ELSE attempts END,
    renew = CASE WHEN wish = 'discard' THEN false ELSE renew END,
    reason = CASE WHEN wish IN ('retry', 'replay') THEN NULL WHEN wish IS NULL AND strikes + 1 >= ${STRIKES} THEN 'bug'
      ELSE reason END,
    detail = CASE WHEN wish IN ('retry', 'replay') THEN NULL WHEN wish IS NULL AND strikes + 1 >= ${STRIKES} THEN $3
      ELSE detail END,
    fix = CASE WHEN wish IN ('retry', 'replay') THEN NULL WHEN wish IS NULL AND strikes + 1 >= ${STRIKES} THEN $4
      ELSE fix END
  WHERE id IN (SELECT id FROM left_behind) RETURNING id, wish, state`;

const DETAIL = `The relay ended ${STRIKES} times in the middle of an attempt at this delivery, so no outcome is known.`;
const FIX =
  "Look in the relay's log for why it ended (out of memory, killed, a crash in the connector). The event is kept.";

/** Runs statements one after the other over one connection. */
type Run = (statement: Statement, options?: { alone: boolean }) => Promise<Record<string, unknown>[]>;

/** What is freed, and the ids of those that failed. */
interface Released {
  freed: number;
  failed: string[];
}

/** Frees the claims at these destinations. */
export async function releaseAt(destinations: readonly string[], run: Run): Promise<Released> {
  const released: Released = { freed: 0, failed: [] };
  for (;;) {
    const values = [destinations.map(toDatabase), clock(Date.now()), DETAIL, FIX];
    const rows = await run({ text: RELEASE, values });
    released.freed += rows.length;
    released.failed.push(...rows.filter(({ state }) => state === 'failed').map(({ id }) => `d${id}`));
    if (rows.length < STEP) return released;
  }
}

/** Frees the claims at the destinations whose lane no other connection than this one holds. */
export async function releaseUnserved(run: Run): Promise<Released> {
  const released: Released = { freed: 0, failed: [] };
  const rows = await run({ text: 'SELECT DISTINCT destination FROM delivery WHERE token IS NOT NULL' });
  for (const { destination } of rows) {
    const lane = fromDatabase(String(destination));
    const values = [laneLock(lane)];
    const [lock] = await run({ text: 'SELECT pg_try_advisory_lock($1::bigint) AS got', values }, { alone: true });
    if (lock?.got !== true) continue;
    try {
      const { freed, failed } = await releaseAt([lane], run);
      released.freed += freed;
      released.failed.push(...failed);
    } finally {
      await run({ text: 'SELECT pg_advisory_unlock($1::bigint)', values }, { alone: true });
    }
  }
  return released;
}
