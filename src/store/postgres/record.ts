import type { Receipt } from '../../model.ts';
import { clock } from '../rows.ts';
import type { Settlement } from '../store.ts';
import type { Statement } from './database.ts';
import { toDatabase, toKey } from './text.ts';

/** One claim's progress or end, as its statement takes it. */
interface Given {
  id: number;
  token: string;
  target: string;
}

/** The ledger's last generation of a delivery `d` at a target. */
const LAST = `(
  SELECT max(l.generation) FROM ledger l
  WHERE l.destination = d.destination AND l.target = g.target AND l.subject = d.subject) AS generation`;
const IN_LEDGER = `
  l.destination = d.destination AND l.target = d.target AND l.subject = d.subject AND l.generation = d.generation`;

/** `IS TRUE` keeps the planner to the primary key. */
const CHECKPOINT = `
  WITH given AS (SELECT * FROM json_to_recordset($1) AS g (id bigint, token uuid, target text, receipt text, url text)),
  claimed AS (
    SELECT g.*, d.destination, d.subject, ${LAST}
    FROM given g JOIN delivery d ON d.id = g.id AND (d.token = g.token) IS TRUE ORDER BY d.id FOR UPDATE OF d),
  kept AS (UPDATE ledger l SET receipt = d.receipt FROM claimed d WHERE ${IN_LEDGER} RETURNING d.id, d.token, d.url),
  linked AS (UPDATE delivery d SET url = k.url FROM kept k WHERE d.id = k.id RETURNING k.token)
  SELECT token FROM linked`;

/** Of claims of different deliveries. Gives the tokens of those that were kept. */
export function checkpointStatement(given: (Given & { receipt: Receipt })[]): Statement {
  const rows = given.map(({ id, token, target, receipt }) => ({
    id,
    token,
    target: toKey(target),
    receipt: JSON.stringify(receipt),
    url: receipt.url === undefined ? null : toDatabase(receipt.url),
  }));
  return { name: 'checkpoint', text: CHECKPOINT, values: [JSON.stringify(rows)] };
}

/**
 * Ends claims; what a verb wished for meanwhile is done with it. A discard concerns what did not arrive, a retry too, and
 * a replay all. `whole`: it was delivered, and its receipt is that of its event.
 */
const RECORD = `
  WITH given AS (
    SELECT * FROM json_to_recordset($1) AS g (
      id bigint, token uuid, target text, state text, receipt text, url text, due bigint, uncounted integer,
      unsent boolean, reason text, detail text, fix text, doubt bigint)),
  claimed AS (
    SELECT g.*, d.destination, d.subject, d.event, g.state = 'delivered' AS whole,
      d.wish = 'replay' OR (d.wish = 'retry' AND g.state <> 'delivered') AS again,
      d.wish = 'discard' AND g.state <> 'delivered' AS dropped, ${LAST}
    FROM given g JOIN delivery d ON d.id = g.id AND (d.token = g.token) IS TRUE ORDER BY d.id FOR UPDATE OF d),
  ending AS (SELECT * FROM claimed WHERE NOT whole OR generation IS NOT NULL),
  ended AS (
    UPDATE delivery d SET token = NULL, wish = NULL,
      state = CASE WHEN g.again THEN 'pending' WHEN g.dropped THEN 'discarded' ELSE g.state END,
      due_at = CASE WHEN g.again THEN $2::bigint WHEN g.dropped THEN NULL ELSE g.due END,
      attempts = CASE WHEN g.again THEN 0 ELSE d.attempts - g.uncounted END,
      -- Only what was really tried says that it does not take the relay down.
      strikes = CASE WHEN g.unsent AND NOT coalesce(g.again, false) THEN d.strikes ELSE 0 END,
      renew = CASE WHEN g.dropped THEN false ELSE d.renew END,
      reason = CASE WHEN g.again THEN NULL ELSE g.reason END,
      detail = CASE WHEN g.again THEN NULL ELSE g.detail END,
      fix = CASE WHEN g.again THEN NULL ELSE g.fix END,
      url = CASE WHEN g.whole THEN g.url ELSE d.url END
    FROM ending g WHERE d.id = g.id RETURNING g.token),
  settled AS (
    UPDATE ledger l SET
      receipt = CASE WHEN d.whole THEN d.receipt ELSE l.receipt END,
      event = CASE WHEN d.whole THEN greatest(l.event, d.event) ELSE l.event END,
      doubt = d.doubt,
      doubt_event = CASE WHEN d.doubt IS NULL THEN NULL ELSE coalesce(l.doubt_event, d.event) END
    FROM ending d WHERE ${IN_LEDGER})
  SELECT token FROM ended`;

/** Of claims of different deliveries and subjects. Gives the tokens of those that were ended. */
export function recordStatement(given: (Given & { settlement: Settlement })[], now: number): Statement {
  const rows = given.map(({ id, token, target, settlement }) => ({
    id,
    token,
    target: toKey(target),
    doubt: settlement.doubt === undefined ? null : clock(settlement.doubt),
    uncounted: 0,
    unsent: false,
    ...endOf(settlement),
  }));
  return { name: 'record', text: RECORD, values: [JSON.stringify(rows), clock(now)] };
}

function endOf(settlement: Settlement): Record<string, unknown> {
  const { state } = settlement;
  if (state === 'delivered') {
    const { receipt, note } = settlement;
    const url = receipt.url === undefined ? null : toDatabase(receipt.url);
    return { state, receipt: JSON.stringify(receipt), url, ...(note && texts(note)) };
  }
  const { reason, detail, fix } = settlement;
  if (state === 'failed') return { state, reason, ...texts({ detail, fix }) };
  const { nextAttemptAt, counted, unsent = false } = settlement;
  return { state, due: clock(nextAttemptAt), uncounted: counted ? 0 : 1, unsent, reason, ...texts({ detail, fix }) };
}

function texts({ detail, fix }: { detail: string; fix?: string | undefined }): { detail: string; fix: string | null } {
  return { detail: toDatabase(detail), fix: fix === undefined ? null : toDatabase(fix) };
}
