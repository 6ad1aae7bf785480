import { STEP } from '../limits.ts';
import { clock } from '../rows.ts';
import type { Halt } from '../store.ts';
import type { Statement } from './database.ts';
import { toDatabase } from './text.ts';

/** What lets a lane flow with the last step of what becomes due. */
const LAST = {
  resume:
    'INSERT INTO lane (destination, paused) SELECT $1, false {} ON CONFLICT (destination) DO UPDATE SET paused = false',
  unhalt: `
    INSERT INTO lane (destination) SELECT $1 {} ON CONFLICT (destination) DO UPDATE SET
      halt_reason = NULL, halt_detail = NULL, halt_fix = NULL, halt_since = NULL`,
  nothing: 'SELECT 1 {}',
};

/**
 * Makes what waits in a lane due at once, a step of it, and lets it flow with the last step: should the process die before,
 * the lane stands still as it did, and a second call does the rest.
 */
export function flowStep(destination: string, last: keyof typeof LAST): Statement {
  const text = `
    WITH due AS (
      UPDATE delivery d SET due_at = least($2::bigint, e.received_at) FROM event e, (
        SELECT id FROM delivery WHERE destination = $1::text AND state = 'pending' AND token IS NULL AND due_at > $2::bigint
        ORDER BY due_at, id LIMIT ${STEP} FOR UPDATE SKIP LOCKED) w
      WHERE d.id = w.id AND e.id = d.event RETURNING 1),
    last AS (${LAST[last].replace('{}', `WHERE (SELECT count(*) FROM due) < ${STEP}`)})
    SELECT count(*) FROM due`;
  return { text, values: [toDatabase(destination), clock(Date.now())] };
}

export function pauseStatement(destination: string): Statement {
  const text =
    'INSERT INTO lane (destination, paused) VALUES ($1, true) ON CONFLICT (destination) DO UPDATE SET paused = true';
  return { text, values: [toDatabase(destination)] };
}

export function haltStatement(destination: string, { reason, detail, fix, since }: Halt): Statement {
  const text = `
    INSERT INTO lane (destination, halt_reason, halt_detail, halt_fix, halt_since) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (destination) DO UPDATE SET halt_reason = excluded.halt_reason, halt_detail = excluded.halt_detail,
      halt_fix = excluded.halt_fix, halt_since = excluded.halt_since`;
  return { text, values: [toDatabase(destination), reason, toDatabase(detail), toDatabase(fix), clock(since)] };
}
