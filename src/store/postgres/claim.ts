import type { Receipt } from '../../model.ts';
import type { BodilessClaim } from '../bodies.ts';
import { CLAIM_BYTES, CLAIM_LIMIT } from '../limits.ts';
import { clock } from '../rows.ts';
import type { ClaimRequest } from '../store.ts';
import type { Statement } from './database.ts';
import { type DeliveryRow, deliveryRecord, type EventRow, eventRecord } from './rows.ts';
import { fromDatabase, toDatabase, toKey } from './text.ts';

/** Due deliveries that are looked at for each that is wanted, and more: some have one subject. */
const WINDOW = { times: 2, more: 50 };

/** A claimed delivery with its event and the last generation of its ledger; its body is read apart. */
interface ClaimedRow {
  token: string;
  delivery: DeliveryRow;
  event: EventRow;
  generation: number;
  origin: string;
  /** JSON. */
  receipt: string | null;
  /** JSON, of each earlier generation. */
  earlier: string[] | null;
  superseded: boolean;
  doubt: number | null;
  newer: boolean;
  elsewhere: boolean;
}

/**
 * In the order of due times: one delivery a subject, none of a subject that is under way. One that met two crashes is
 * claimed alone, so that it takes no other along. Rows that a verb holds just now are left for the next claim.
 *
 * All parts see the store as it was before. The ledger's last generation goes on, or a new one begins; either is in doubt
 * from now on, except for what is superseded, which makes no call.
 *
 * `IS TRUE` and the columns of `taken` keep the planner to the primary keys, also while it knows nothing of the tables.
 */
const CLAIM = `
  WITH candidate AS (
    SELECT d.id, d.event, d.subject, d.due_at, d.strikes, row_number() OVER (ORDER BY d.due_at, d.id) AS place
    FROM (
      SELECT * FROM delivery d
      WHERE d.destination = $1::text AND d.state = 'pending' AND d.token IS NULL AND d.due_at <= $2::bigint
        AND d.subject <> ALL($3::text[])
        AND NOT EXISTS (
          SELECT 1 FROM delivery u WHERE u.token IS NOT NULL AND u.destination = $1::text AND u.subject = d.subject)
      ORDER BY d.due_at, d.id LIMIT $4::integer * ${WINDOW.times} + ${WINDOW.more}) d),
  first AS (
    SELECT DISTINCT ON (subject) * FROM candidate
    WHERE CASE WHEN (SELECT strikes >= 2 FROM candidate WHERE place = 1) THEN place = 1 ELSE strikes < 2 END
    ORDER BY subject, place),
  picked AS (
    SELECT id FROM (
      SELECT f.id, row_number() OVER inorder AS n, sum(e.size) OVER inorder AS bytes
      FROM (SELECT * FROM first ORDER BY place LIMIT $4::integer) f JOIN event e ON e.id = f.event
      WINDOW inorder AS (ORDER BY f.place)) f
    WHERE n = 1 OR bytes <= ${CLAIM_BYTES}),
  locked AS (
    SELECT d.id, d.renew FROM delivery d
    WHERE d.id = ANY (ARRAY (SELECT id FROM picked))
      AND (d.destination = $1::text AND d.state = 'pending' AND d.token IS NULL) IS TRUE
    FOR UPDATE SKIP LOCKED),
  taken AS (
    UPDATE delivery d SET token = ($8::text || right(gen_random_uuid()::text, 12))::uuid, attempts = attempts + 1, renew = false
    FROM locked WHERE d.id = locked.id
    RETURNING d.*, $6::text AS target, locked.renew AS renewed),
  last AS (
    SELECT d.*, l.generation AS last, l.origin, l.receipt, l.doubt, l.doubt_event,
      l.generation IS NULL OR d.renewed AS fresh,
      NOT $5::boolean AND NOT d.renewed AND coalesce(l.event > d.event, false) AS superseded
    FROM taken d LEFT JOIN LATERAL (
      SELECT * FROM ledger l WHERE l.destination = $1::text AND l.target = $6::text AND l.subject = d.subject
      ORDER BY l.generation DESC LIMIT 1) l ON true),
  noted AS (
    INSERT INTO target SELECT $1::text, $6::text
    WHERE EXISTS (SELECT 1 FROM taken) AND NOT EXISTS (SELECT 1 FROM target WHERE destination = $1::text AND name = $6::text)
    ON CONFLICT DO NOTHING),
  begun AS (
    INSERT INTO ledger (destination, target, subject, generation, origin, event, doubt, doubt_event)
    SELECT $1::text, $6::text, subject, coalesce(last, 0) + 1, $1::text, 0, $7::bigint, event FROM last WHERE fresh),
  doubted AS (
    UPDATE ledger l SET doubt = coalesce(l.doubt, $7::bigint), doubt_event = greatest(coalesce(l.doubt_event, 0), c.event)
    FROM last c WHERE NOT c.fresh AND NOT c.superseded
      AND l.destination = c.destination AND l.target = c.target AND l.subject = c.subject AND l.generation = c.last)
  SELECT c.token,
    json_build_object('id', c.id, 'event', c.event, 'subject', c.subject, 'destination', c.destination, 'state', c.state,
      'attempts', c.attempts, 'due_at', c.due_at, 'reason', c.reason, 'detail', c.detail, 'fix', c.fix, 'url', c.url
    ) AS delivery,
    json_build_object('id', e.id, 'source', e.source, 'svix_id', e.svix_id, 'event_type', e.event_type,
      'subject', e.subject, 'study', e.study, 'state', e.state, 'reason', e.reason, 'received_at', e.received_at,
      'routes', e.routes) AS event,
    CASE WHEN c.fresh THEN coalesce(c.last, 0) + 1 ELSE c.last END AS generation,
    CASE WHEN c.fresh THEN $1::text ELSE c.origin END AS origin,
    CASE WHEN c.fresh THEN NULL ELSE c.receipt END AS receipt,
    (SELECT json_agg(l.receipt ORDER BY l.generation) FROM ledger l
      WHERE c.last IS NOT NULL AND l.destination = $1::text AND l.target = $6::text AND l.subject = c.subject
        AND l.generation < c.last + c.renewed::integer AND l.receipt IS NOT NULL) AS earlier,
    c.superseded,
    CASE WHEN c.fresh THEN NULL ELSE c.doubt END AS doubt,
    NOT $5::boolean AND coalesce(c.doubt_event > c.event, false) AND EXISTS (
      SELECT 1 FROM delivery n WHERE n.event = c.doubt_event AND n.destination = $1::text AND n.state = 'pending') AS newer,
    -- Until there is a receipt here: a look that the service refused must not be the last. A renewal wants none of it.
    coalesce(c.last, 1) = 1 AND NOT c.renewed AND c.receipt IS NULL AND EXISTS (
      -- The few targets first, in this order: all of the destination's ledger would be walked else.
      SELECT 1 FROM target t WHERE t.destination = $1::text AND t.name <> $6::text AND (
        SELECT true FROM ledger l WHERE l.destination = $1::text AND l.target = t.name AND l.subject = c.subject LIMIT 1
      )) AS elsewhere
  FROM last c JOIN event e ON e.id = c.event ORDER BY c.due_at, c.id`;

/** @param mark how the tokens begin: a UUID but for its last twelve digits */
export function claimStatement(
  { destination, target, now, limit, except, standsAlone = false }: ClaimRequest,
  mark: string,
): Statement {
  const name = toDatabase(destination);
  const most = Math.max(0, Math.min(limit, CLAIM_LIMIT));
  const values = [name, clock(now), except.map(toKey), most, standsAlone, toKey(target), clock(now), mark];
  return { name: 'claim', text: CLAIM, values };
}

export function claimOf(row: Record<string, unknown>): BodilessClaim {
  const { token, delivery, event, generation, origin, receipt, earlier, superseded, doubt, newer, elsewhere } =
    row as unknown as ClaimedRow;
  const record = deliveryRecord(delivery);
  return {
    token,
    delivery: record,
    event: eventRecord(event),
    identity: { destination: fromDatabase(origin), subject: record.subject, generation },
    receipt: receipt === null ? undefined : (JSON.parse(receipt) as Receipt),
    earlier: (earlier ?? []).map((each) => JSON.parse(each) as Receipt),
    superseded,
    doubt: doubt === null ? undefined : { since: doubt, newer },
    elsewhere,
  };
}
