import { type PrunableRow, type PruneStep, prunedOf } from '../prune.ts';
import type { Pruned } from '../store.ts';
import type { Database } from './database.ts';

/** One process at a time prunes a store: an advisory lock of two numbers, beside that of copies. */
const LOCK = '0x56524c59, 2';

const FIND = `
  SELECT e.id, e.received_at < $1::bigint AS old, count(d.id) AS deliveries,
    coalesce(bool_or(d.state = 'failed'), false) AS failed, coalesce(bool_or(d.state = 'pending'), false) AS pending
  FROM (SELECT event FROM body WHERE event > $2::bigint ORDER BY event LIMIT $3::integer) b JOIN event e ON e.id = b.event
  LEFT JOIN delivery d ON d.event = e.id AND e.received_at < $1::bigint
  GROUP BY e.id ORDER BY e.id`;

/** Locks are held to the end of the transaction, so that no verb adds or brings back a delivery. What one holds is left. */
const LOCK_EVENTS = 'SELECT id FROM event WHERE id = ANY($1::bigint[]) ORDER BY id FOR UPDATE SKIP LOCKED';
const LOCK_SETTLED = `
  SELECT id FROM delivery WHERE event = ANY($1::bigint[]) AND state IN ('delivered', 'discarded')
  ORDER BY id FOR UPDATE SKIP LOCKED`;

/** It begins after the locks, so it sees what verbs have done before: an event stays that has any other delivery. */
const REMOVE = `
  WITH old AS (
    SELECT e.id FROM event e WHERE e.id = ANY($1::bigint[])
      AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.event = e.id AND d.id <> ALL($2::bigint[]))),
  bodies AS (DELETE FROM body b USING old WHERE b.event = old.id),
  deliveries AS (DELETE FROM delivery d USING old WHERE d.event = old.id)
  UPDATE event e SET removed_at = $3 FROM old WHERE e.id = old.id RETURNING e.id`;

async function find(database: Database, step: PruneStep): Promise<PrunableRow[]> {
  return database.read<PrunableRow>({ text: FIND, values: [step.before, step.after, step.limit] });
}

/** What a step would remove. */
export async function findPrunable(database: Database, step: PruneStep): Promise<Pruned> {
  return prunedOf(await find(database, step), step);
}

/** Removes a step; undefined while another process is at it. */
export async function prune(database: Database, step: PruneStep, now: number): Promise<Pruned | undefined> {
  const rows = await find(database, step);
  const old = prunedOf(rows, step).removed.map((id) => Number(id.slice(1)));
  if (old.length === 0) return prunedOf(rows, step);
  return database.transaction(async (client) => {
    const { rows: locks } = await client.query(`SELECT pg_try_advisory_xact_lock(${LOCK}) AS got`);
    if (locks[0]?.got !== true) return undefined;
    // Should this process be stopped in the middle, a webhook that comes again does not wait for it.
    await client.query('SET LOCAL idle_in_transaction_session_timeout = 4000');
    const idsOf = async (text: string, values: unknown[]) =>
      (await client.query<{ id: number }>({ text, values })).rows.map(({ id }) => id);
    const events = await idsOf(LOCK_EVENTS, [old]);
    const settled = await idsOf(LOCK_SETTLED, [events]);
    const removed = new Set(await idsOf(REMOVE, [events, settled, now]));
    // What a verb holds is about to be pending.
    const isHeld = ({ id }: PrunableRow) => old.includes(id) && !removed.has(id);
    return prunedOf(
      rows.map((row) => (isHeld(row) ? { ...row, pending: true } : row)),
      step,
    );
  });
}
