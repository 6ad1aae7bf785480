import type { DatabaseSync, StatementSync } from 'node:sqlite';

/** The statements that write, prepared once. What each is for stands where SqliteStore runs it. */
export type Statements = Record<keyof typeof SQL, StatementSync>;

export function prepareStatements(database: DatabaseSync): Statements {
  const prepared = Object.entries(SQL).map(([name, sql]) => [name, database.prepare(sql)]);
  return Object.fromEntries(prepared) as Statements;
}

/** The ledger's row of the delivery `d`: that of its subject's last generation. */
const OF_CLAIM = `
    d.id = :id AND d.token = :token AND ledger.subject = d.subject AND ledger.destination = d.destination
    AND ledger.target = :target AND ledger.generation = (
      SELECT max(generation) FROM ledger l
      WHERE l.subject = d.subject AND l.destination = d.destination AND l.target = :target)`;

/** The delivery `d` waits, and no other one of its subject is under way at its destination. */
const FREE = `
    d.state = 'pending' AND d.token IS NULL AND NOT EXISTS (
      SELECT 1 FROM delivery u WHERE u.destination = d.destination AND u.subject = d.subject AND u.token IS NOT NULL)`;

/** Of these destinations, or of all. */
const OF_LANES = '(:lanes IS NULL OR destination IN (SELECT value FROM json_each(:lanes)))';

const SQL = {
  insertEvent: `
    INSERT INTO event (source, svix_id, event_type, subject, study, state, reason, received_at, routes, size)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (source, svix_id) DO NOTHING`,
  insertBody: 'INSERT INTO body (event, zstd) VALUES (?, ?)',
  // All of an event in one statement: each statement that triggers follow keeps what it would undo.
  insertDeliveries: `
    INSERT INTO delivery (event, destination, subject, due_at)
    SELECT :event, value, :subject, :due FROM json_each(:destinations)`,
  insertClaimed: `
    INSERT INTO delivery (id, event, destination, subject, due_at, attempts, token)
    SELECT number, :event, value, :subject, :due, 1, number || '-' || :claim
    FROM (SELECT CAST(:first AS INTEGER) + key AS number, value FROM json_each(:destinations))`,
  nextDelivery: "SELECT coalesce(max(seq), 0) + 1 AS first FROM sqlite_sequence WHERE name = 'delivery'",
  knownSubject: `
    SELECT 1 WHERE EXISTS (SELECT 1 FROM ledger WHERE subject = :subject)
      OR EXISTS (SELECT 1 FROM event WHERE subject = :subject AND id <> :event)`,
  knownEvent: `
    SELECT id, (SELECT count(*) FROM delivery WHERE event = event.id) AS deliveries
    FROM event WHERE source = ? AND svix_id = ?`,

  // With all that a claim needs to know, but the body.
  due: `
    SELECT d.id, d.event, d.subject, d.destination, d.state, d.attempts, d.strikes, d.renew, d.due_at,
      d.reason, d.detail, d.fix, d.url, e.source, e.svix_id, e.event_type, e.study, e.state AS event_state,
      e.reason AS event_reason, e.received_at, e.routes, e.size, l.generation, l.origin, l.receipt,
      l.event AS receipt_event, l.doubt,
      l.doubt_event > e.id AND EXISTS (
        SELECT 1 FROM delivery n WHERE n.event = l.doubt_event AND n.destination = d.destination AND n.state = 'pending'
      ) AS newer,
      EXISTS (
        SELECT 1 FROM ledger x WHERE x.subject = d.subject AND x.destination = d.destination AND x.target <> :target
      ) AS elsewhere
    FROM delivery d CROSS JOIN event e ON e.id = d.event
    LEFT JOIN ledger l ON l.subject = d.subject AND l.destination = d.destination AND l.target = :target
      AND l.generation = (
        SELECT max(generation) FROM ledger g
        WHERE g.subject = d.subject AND g.destination = d.destination AND g.target = :target)
    WHERE d.destination = :destination AND d.due_at <= :now AND ${FREE}
    ORDER BY d.due_at, d.id`,
  take: 'UPDATE delivery SET token = ?, attempts = attempts + 1, renew = 0 WHERE id = ?',
  packed: `
    SELECT b.zstd, e.size, (
      SELECT count(*) FROM delivery d WHERE d.event = e.id AND d.state = 'pending' AND d.token IS NULL
    ) AS wanted FROM event e JOIN body b ON b.event = e.id WHERE e.id = ?`,
  earlier: `
    SELECT receipt FROM ledger WHERE subject = ? AND destination = ? AND target = ? AND generation < ?
      AND receipt IS NOT NULL ORDER BY generation`,
  begin: `
    INSERT INTO ledger (destination, target, subject, generation, origin, event, doubt, doubt_event)
    VALUES (:destination, :target, :subject, :generation, :destination, 0, :doubt, :event)`,
  doubt: `
    UPDATE ledger SET doubt = coalesce(doubt, :doubt), doubt_event = max(coalesce(doubt_event, 0), :event)
    WHERE destination = :destination AND target = :target AND subject = :subject AND generation = :generation`,

  keepReceipt: `
    UPDATE ledger SET receipt = :receipt FROM delivery d WHERE ${OF_CLAIM}`,
  arrive: `
    UPDATE ledger SET receipt = :receipt, event = max(ledger.event, d.event),
      doubt = :doubt, doubt_event = iif(:doubt IS NULL, NULL, coalesce(doubt_event, d.event))
    FROM delivery d WHERE ${OF_CLAIM}`,
  settleDoubt: `
    UPDATE ledger SET doubt = :doubt, doubt_event = iif(:doubt IS NULL, NULL, coalesce(doubt_event, d.event))
    FROM delivery d WHERE ${OF_CLAIM}`,
  linkTo: 'UPDATE delivery SET url = ? WHERE id = ? AND token = ?',
  delivered: `
    UPDATE delivery SET state = 'delivered', token = NULL, due_at = NULL, strikes = 0,
      reason = NULL, detail = ?, fix = ?, url = ?
    WHERE id = ? AND token = ? RETURNING wish`,
  failed: `
    UPDATE delivery SET state = 'failed', token = NULL, due_at = NULL, strikes = 0, reason = ?, detail = ?, fix = ?
    WHERE id = ? AND token = ? RETURNING wish`,
  pending: `
    UPDATE delivery SET token = NULL, due_at = :due, attempts = attempts - :uncounted,
      -- Only what was really tried says that it does not take the relay down.
      strikes = iif(:unsent, strikes, 0), reason = :reason, detail = :detail, fix = :fix
    WHERE id = :id AND token = :token RETURNING wish`,
  underWayWith: `SELECT id, wish FROM delivery WHERE token IS NOT NULL AND wish IS NOT NULL AND ${OF_LANES} LIMIT :step`,
  free: 'UPDATE delivery SET token = NULL, strikes = 0 WHERE id = ?',

  // A verb on a delivery that is under way leaves a wish, which its end applies.
  retry: `
    UPDATE delivery SET state = 'pending', due_at = ?, attempts = 0, strikes = 0, reason = NULL, detail = NULL, fix = NULL,
      wish = NULL
    WHERE id = ? AND token IS NULL AND state <> 'delivered'`,
  replay: `
    UPDATE delivery SET state = 'pending', due_at = ?, attempts = 0, strikes = 0, reason = NULL, detail = NULL, fix = NULL,
      wish = NULL, renew = max(renew, ?)
    WHERE id = ? AND token IS NULL`,
  discard: `
    UPDATE delivery SET state = 'discarded', due_at = NULL, renew = 0, wish = NULL
    WHERE id = ? AND token IS NULL AND state IN ('pending', 'failed')`,
  forgetWish: 'UPDATE delivery SET wish = NULL WHERE id = ? AND wish IS NOT NULL',
  wish: `
    UPDATE delivery SET wish = iif(:wish = 'retry' AND wish = 'replay', 'replay', :wish),
      renew = iif(:wish = 'discard', 0, max(renew, :renew))
    WHERE id = :id AND token IS NOT NULL`,
  judge: `
    UPDATE event SET event_type = ?, subject = ?, study = ?, state = ?, reason = ?, routes = ?
    WHERE id = ? AND removed_at IS NULL`,
  addDelivery: `
    INSERT INTO delivery (event, destination, subject, due_at, renew)
    SELECT id, ?, subject, ?, ? FROM event WHERE id = ? AND removed_at IS NULL
    ON CONFLICT (event, destination) DO NOTHING`,

  release: `
    UPDATE delivery SET token = NULL, strikes = strikes + 1,
      state = iif(strikes + 1 < :strikes, state, 'failed'),
      due_at = CASE WHEN strikes + 1 >= :strikes THEN NULL
        -- It was due when it was claimed, whatever the clock says by now.
        WHEN strikes = 0 THEN min(due_at, :now)
        ELSE :now + :apart + abs(random() % (4 * :apart)) END,
      reason = iif(strikes + 1 < :strikes, reason, 'bug'),
      detail = iif(strikes + 1 < :strikes, detail, :detail),
      fix = iif(strikes + 1 < :strikes, fix, :fix)
    WHERE id IN (SELECT id FROM delivery WHERE token IS NOT NULL AND ${OF_LANES} LIMIT :step)
    RETURNING id, state`,

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

  // The last of the next subjects in the ledger, whosever they are.
  ledgerStep:
    'SELECT max(subject) AS last FROM (SELECT subject FROM ledger WHERE subject > ? ORDER BY subject LIMIT ?)',
  copyLedger: `
    INSERT INTO ledger (subject, destination, target, generation, origin, receipt, event, doubt, doubt_event)
    SELECT subject, :to, target, generation, origin, receipt, event, doubt, doubt_event FROM ledger
    WHERE subject > :after AND subject <= :last AND destination = :from
    ON CONFLICT DO UPDATE SET
      origin = iif(excluded.event > ledger.event OR ledger.receipt IS NULL, excluded.origin, ledger.origin),
      receipt = iif(excluded.event > ledger.event, coalesce(excluded.receipt, ledger.receipt),
        coalesce(ledger.receipt, excluded.receipt)),
      event = max(ledger.event, excluded.event),
      -- Whatever either was in doubt about may be there.
      doubt = min(coalesce(ledger.doubt, excluded.doubt), coalesce(excluded.doubt, ledger.doubt)),
      doubt_event = max(coalesce(ledger.doubt_event, excluded.doubt_event),
        coalesce(excluded.doubt_event, ledger.doubt_event))`,
  dropLedger: 'DELETE FROM ledger WHERE subject > ? AND subject <= ? AND destination = ?',
  copyLane: `
    INSERT INTO lane SELECT ?, paused, halt_reason, halt_detail, halt_fix, halt_since FROM lane WHERE destination = ?
    ON CONFLICT DO UPDATE SET paused = max(paused, excluded.paused)`,
  dropLane: 'DELETE FROM lane WHERE destination = ?',
  deliveriesNamed: 'SELECT id FROM delivery WHERE destination = ? AND id > ? ORDER BY id LIMIT ?',
  moveDeliveries: 'UPDATE OR IGNORE delivery SET destination = ? WHERE destination = ? AND id > ? AND id <= ?',

  dropKeys: 'DELETE FROM paused_key WHERE until <= ?',
  pauseKey: `
    INSERT INTO paused_key (key, until, length) VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET until = excluded.until, length = excluded.length WHERE excluded.until > until`,

  ping: 'UPDATE ping SET count = count + 1',
} as const;
