import type { DatabaseSync, StatementSync } from 'node:sqlite';

/** The statements that write, prepared once. What each is for stands where SqliteStore runs it. */
export type Statements = Record<keyof typeof SQL, StatementSync>;

export function prepareStatements(database: DatabaseSync): Statements {
  const prepared = Object.entries(SQL).map(([name, sql]) => [name, database.prepare(sql)]);
  return Object.fromEntries(prepared) as Statements;
}

const SQL = {
  insertEvent: `
    INSERT INTO event (source, svix_id, event_type, subject, study, state, reason, received_at, routes, size)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (source, svix_id) DO NOTHING RETURNING id`,
  insertBody: 'INSERT INTO body (event, zstd) VALUES (?, ?)',
  insertDelivery: 'INSERT INTO delivery (event, destination, subject, due_at) VALUES (?, ?, ?, ?)',
  knownEvent: `
    SELECT id, (SELECT count(*) FROM delivery WHERE event = event.id) AS deliveries
    FROM event WHERE source = ? AND svix_id = ?`,

  underWay: 'SELECT subject FROM delivery INDEXED BY delivery_under_way WHERE token IS NOT NULL AND destination = ?',
  due: `
    SELECT d.id, d.subject, e.size FROM delivery d CROSS JOIN event e ON e.id = d.event
    WHERE d.destination = ? AND d.state = 'pending' AND d.token IS NULL AND d.due_at <= ?
    ORDER BY d.due_at, d.id`,
  take: `
    UPDATE delivery SET token = ?, attempts = attempts + 1 WHERE id = ?
    RETURNING id, event, subject, destination, state, attempts, due_at, reason, detail, fix, url`,
  taken: `
    SELECT e.*, b.zstd, l.generation, l.receipt, l.event AS receipt_event
    FROM delivery d JOIN event e ON e.id = d.event JOIN body b ON b.event = e.id
    LEFT JOIN ledger l ON l.destination = ? AND l.target = ? AND l.subject = d.subject
    WHERE d.id = ?`,

  keepReceipt: `
    INSERT INTO ledger (destination, target, subject, generation, receipt, event)
    SELECT destination, ?, subject, 1, ?, iif(?, event, 0) FROM delivery WHERE token = ?
    ON CONFLICT DO UPDATE SET receipt = excluded.receipt, event = max(event, excluded.event)`,
  linkTo: 'UPDATE delivery SET url = ? WHERE token = ?',
  delivered: `
    UPDATE delivery SET state = 'delivered', token = NULL, due_at = NULL, strikes = 0,
      reason = NULL, detail = NULL, fix = NULL, url = ?
    WHERE token = ?`,
  failed: `
    UPDATE delivery SET state = 'failed', token = NULL, due_at = NULL, strikes = 0, reason = ?, detail = ?, fix = ?
    WHERE token = ?`,
  pending: `
    UPDATE delivery SET token = NULL, due_at = ?, strikes = 0, attempts = attempts - ?, reason = ?, detail = ?, fix = ?
    WHERE token = ?`,
  release: `
    UPDATE delivery SET token = NULL, strikes = strikes + 1,
      state = iif(strikes + 1 < :strikes, state, 'failed'),
      due_at = iif(strikes + 1 < :strikes, due_at, NULL),
      reason = iif(strikes + 1 < :strikes, reason, 'bug'),
      detail = iif(strikes + 1 < :strikes, detail, :detail),
      fix = iif(strikes + 1 < :strikes, fix, :fix)
    WHERE token IN (SELECT token FROM delivery WHERE token IS NOT NULL LIMIT :step)`,

  setPaused: `
    INSERT INTO lane (destination, paused) VALUES (?, ?)
    ON CONFLICT DO UPDATE SET paused = excluded.paused`,
  setHalt: `
    INSERT INTO lane (destination, halt_reason, halt_detail, halt_fix, halt_since) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET halt_reason = excluded.halt_reason, halt_detail = excluded.halt_detail,
      halt_fix = excluded.halt_fix, halt_since = excluded.halt_since`,
  makeDue: `
    UPDATE delivery SET due_at = min(?, (SELECT received_at FROM event WHERE id = delivery.event)) WHERE id IN (
      SELECT id FROM delivery
      WHERE destination = ? AND state = 'pending' AND token IS NULL AND due_at > ? LIMIT ?)`,

  copyLedger: `
    INSERT INTO ledger (destination, target, subject, generation, receipt, event)
    SELECT ?, target, subject, generation, receipt, event FROM ledger WHERE destination = ?
    ORDER BY target, subject LIMIT ?
    ON CONFLICT DO UPDATE SET generation = excluded.generation, receipt = excluded.receipt, event = excluded.event
      WHERE excluded.event > ledger.event`,
  dropLedger: `
    DELETE FROM ledger WHERE (destination, target, subject) IN (
      SELECT destination, target, subject FROM ledger WHERE destination = ? ORDER BY target, subject LIMIT ?)`,
  copyLane: `
    INSERT INTO lane SELECT ?, paused, halt_reason, halt_detail, halt_fix, halt_since FROM lane WHERE destination = ?
    ON CONFLICT DO UPDATE SET paused = max(paused, excluded.paused)`,
  dropLane: 'DELETE FROM lane WHERE destination = ?',
  deliveriesNamed: 'SELECT id FROM delivery WHERE destination = ? AND id > ? ORDER BY id LIMIT ?',
  moveDeliveries: 'UPDATE OR IGNORE delivery SET destination = ? WHERE destination = ? AND id > ? AND id <= ?',

  dropKeys: 'DELETE FROM paused_key WHERE until <= ?',
  pauseKey: `
    INSERT INTO paused_key (key, until) VALUES (?, ?)
    ON CONFLICT DO UPDATE SET until = max(until, excluded.until)`,

  ping: 'UPDATE ping SET count = count + 1',
} as const;
