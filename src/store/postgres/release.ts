import { APART, STEP, STRIKES, STRUCK } from '../limits.ts';
import { clock } from '../rows.ts';
import type { Statement } from './database.ts';
import { laneLock, type OwnLanes } from './own-lanes.ts';
import { fromDatabase, toDatabase } from './text.ts';

/**
 * Frees a step of claims, with a strike or without. What a person asked for meanwhile counts more than the strike.
 *
 * @param which condition of what is freed, on `delivery`
 */
function release(which: string, strike: 0 | 1): string {
  const fails = strike ? `wish IS NULL AND strikes + 1 >= ${STRIKES}` : 'false';
  const texts = strike ? ['$3', '$4'] : ['NULL', 'NULL'];
  return `
  WITH left_behind AS (
    SELECT id FROM delivery WHERE token IS NOT NULL AND ${which} ORDER BY id LIMIT ${STEP} FOR UPDATE)
  UPDATE delivery d SET token = NULL, wish = NULL,
    strikes = CASE WHEN wish IS NULL THEN strikes + ${strike} ELSE 0 END,
    state = CASE WHEN wish = 'discard' THEN 'discarded' WHEN ${fails} THEN 'failed' ELSE 'pending' END,
    due_at = CASE WHEN wish = 'discard' THEN NULL WHEN wish IS NOT NULL THEN $2::bigint WHEN ${fails} THEN NULL
      -- It was due when it was claimed, whatever the clock says by now.
      WHEN strikes * ${strike} = 0 THEN least(due_at, $2)
      ELSE $2 + ${APART} + floor(random() * ${4 * APART})::bigint END,
    attempts = CASE WHEN wish IN ('retry', 'replay') THEN 0 ELSE attempts END,
    renew = CASE WHEN wish = 'discard' THEN false ELSE renew END,
    reason = CASE WHEN wish IN ('retry', 'replay') THEN NULL WHEN ${fails} THEN 'bug' ELSE reason END,
    detail = CASE WHEN wish IN ('retry', 'replay') THEN NULL WHEN ${fails} THEN ${texts[0]} ELSE detail END,
    fix = CASE WHEN wish IN ('retry', 'replay') THEN NULL WHEN ${fails} THEN ${texts[1]} ELSE fix END
  WHERE id IN (SELECT id FROM left_behind) RETURNING id, state`;
}

const RELEASE = release('destination = ANY($1::text[])', 1);
const RELEASE_LOST = release('token >= $1::uuid AND token < $3::uuid', 0);

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
    const values = [destinations.map(toDatabase), clock(Date.now()), STRUCK.detail, STRUCK.fix];
    const rows = await run({ text: RELEASE, values });
    released.freed += rows.length;
    released.failed.push(...rows.filter(({ state }) => state === 'failed').map(({ id }) => `d${id}`));
    if (rows.length < STEP) return released;
  }
}

/**
 * Frees the claims at the destinations whose lane no connection holds.
 *
 * @param serves whether it is this connection that holds the lane: the database gives a session each lock that it has already
 */
export async function releaseUnserved(run: Run, serves = (_lane: string) => false): Promise<Released> {
  const released: Released = { freed: 0, failed: [] };
  const rows = await run({ text: 'SELECT DISTINCT destination FROM delivery WHERE token IS NOT NULL' });
  for (const { destination } of rows) {
    const lane = fromDatabase(String(destination));
    if (serves(lane)) continue;
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

/**
 * Frees, without a strike, what this process had claimed over connections that it lost: it did not die, so no delivery can
 * have made it. Those that another process was faster to free have their strike. Gives how many were freed.
 */
export async function releaseLost(lanes: OwnLanes): Promise<number> {
  const lost = lanes.lostTokens;
  if (!lost) return 0;
  for (let freed = 0; ; ) {
    const rows = await lanes.run({ text: RELEASE_LOST, values: [lost.from, clock(Date.now()), lost.to] });
    freed += rows.length;
    if (rows.length < STEP) return freed;
  }
}
