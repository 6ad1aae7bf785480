import type { DatabaseSync } from 'node:sqlite';
import { PRUNE_STEP } from './limits.ts';
import { clock, numberOf } from './rows.ts';
import type { Pruned, PruneRequest } from './store.ts';

/** A step, as both stores look for it. */
export interface PruneStep {
  /** Epoch milliseconds. */
  before: number;
  /** Number of the event after which it begins. */
  after: number;
  limit: number;
}

export function pruneStep({ before, after, limit = PRUNE_STEP }: PruneRequest): PruneStep {
  return {
    before: clock(before),
    after: (after !== undefined && numberOf(after, 'e')) || 0,
    limit: Math.max(1, Math.min(limit, PRUNE_STEP)),
  };
}

/** An event that still has its body. */
export interface PrunableRow {
  id: number;
  old: boolean;
  /** Of an old one. */
  deliveries: number;
  failed: boolean;
  pending: boolean;
}

/**
 * What a step would remove. Events are walked in the order of acceptance, by the bodies: what was removed is not met again. A
 * step in which none is old is the end: later ones are not older, but for a clock that was wrong, and are removed later then.
 */
export function prunedOf(rows: readonly PrunableRow[], { limit }: PruneStep): Pruned {
  const old = rows.filter((row) => row.old);
  const failed = old.filter((row) => row.failed);
  const pending = old.filter((row) => row.pending && !row.failed);
  const isSettled = (row: PrunableRow) => row.old && !row.pending && !row.failed;
  const settled = rows.filter(isSettled);
  const kept = rows.findIndex((row) => !isSettled(row));
  const done = rows[(kept === -1 ? rows.length : kept) - 1]?.id;
  const isEnd = rows.length < limit || old.length === 0;
  return {
    removed: settled.map(({ id }) => `e${id}`),
    deliveries: settled.reduce((sum, { deliveries }) => sum + deliveries, 0),
    failed: failed.length,
    pending: pending.length,
    after: isEnd ? undefined : `e${rows.at(-1)?.id}`,
    done: done === undefined ? undefined : `e${done}`,
  };
}

const FIND = `
  SELECT b.event AS id, e.received_at < :before AS old, count(d.id) AS deliveries,
    max(d.state = 'failed') AS failed, max(d.state = 'pending') AS pending
  FROM (SELECT event FROM body WHERE event > :after ORDER BY event LIMIT :limit) b CROSS JOIN event e ON e.id = b.event
  LEFT JOIN delivery d ON d.event = b.event AND e.received_at < :before
  GROUP BY b.event ORDER BY b.event`;

/** What a step would remove from an SQLite store. */
export function findPrunable(database: DatabaseSync, step: PruneStep): Pruned {
  const rows = database.prepare(FIND).all({ ...step });
  const prunable = rows.map(({ id, old, deliveries, failed, pending }) => ({
    id: Number(id),
    old: old === 1,
    deliveries: Number(deliveries),
    failed: failed === 1,
    pending: pending === 1,
  }));
  return prunedOf(prunable, step);
}

/** Removes a step from an SQLite store, within a transaction. What is deleted is overwritten: pages are used again much later. */
export function prune(database: DatabaseSync, step: PruneStep, now: number): Pruned {
  const found = findPrunable(database, step);
  const events = JSON.stringify(found.removed.map((id) => Number(id.slice(1))));
  const those = 'IN (SELECT value FROM json_each(?))';
  database.exec('PRAGMA secure_delete = ON');
  try {
    database.prepare(`DELETE FROM body WHERE event ${those}`).run(events);
    database.prepare(`DELETE FROM delivery WHERE event ${those}`).run(events);
    database.prepare(`UPDATE event SET removed_at = ? WHERE id ${those}`).run(now, events);
  } finally {
    database.exec('PRAGMA secure_delete = OFF');
  }
  return found;
}
