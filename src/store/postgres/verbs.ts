import { STEP } from '../limits.ts';
import { clock, numberOf } from '../rows.ts';
import type { Addition } from '../store.ts';
import type { Database } from './database.ts';
import { toDatabase, toKey } from './text.ts';

/**
 * What people ask for. One under way keeps it as a wish, which its end applies; a retry does not take back that it is to be
 * replayed. Rows are locked in one order, so that two verbs never wait for each other in a circle.
 */
const ASK = `
  WITH named AS (
    SELECT id, token IS NOT NULL AS busy FROM delivery WHERE id = ANY($1::bigint[]) AND (token IS NOT NULL
      OR CASE $2::text WHEN 'discard' THEN state IN ('pending', 'failed') WHEN 'retry' THEN state <> 'delivered' ELSE true END)
    ORDER BY id FOR UPDATE),
  changed AS (
    UPDATE delivery d SET
      wish = CASE WHEN NOT n.busy THEN NULL WHEN $2 = 'retry' AND d.wish = 'replay' THEN 'replay' ELSE $2 END,
      renew = CASE WHEN $2 = 'discard' THEN false ELSE d.renew OR $3::boolean END,
      state = CASE WHEN n.busy THEN d.state WHEN $2 = 'discard' THEN 'discarded' ELSE 'pending' END,
      due_at = CASE WHEN n.busy THEN d.due_at WHEN $2 = 'discard' THEN NULL ELSE $4::bigint END,
      attempts = CASE WHEN n.busy OR $2 = 'discard' THEN d.attempts ELSE 0 END,
      strikes = CASE WHEN n.busy OR $2 = 'discard' THEN d.strikes ELSE 0 END,
      reason = CASE WHEN n.busy OR $2 = 'discard' THEN d.reason END,
      detail = CASE WHEN n.busy OR $2 = 'discard' THEN d.detail END,
      fix = CASE WHEN n.busy OR $2 = 'discard' THEN d.fix END
    FROM named n WHERE d.id = n.id RETURNING 1)
  SELECT count(*) FROM changed`;

const ADD = `
  WITH given AS (
    SELECT * FROM json_to_recordset($1) AS g (
      n integer, event bigint, destinations json, renew boolean, judged boolean,
      event_type text, subject text, study text, state text, reason text, routes jsonb)),
  -- Whoever removes its body meanwhile waits, or is waited for.
  whole AS (
    SELECT id, subject FROM event WHERE id IN (SELECT event FROM given) AND removed_at IS NULL
    ORDER BY id FOR NO KEY UPDATE),
  judged AS (
    UPDATE event e SET event_type = g.event_type, subject = g.subject, study = g.study, state = g.state,
      reason = g.reason, routes = g.routes
    FROM (SELECT DISTINCT ON (event) * FROM given WHERE judged ORDER BY event, n DESC) g JOIN whole w ON w.id = g.event
    WHERE e.id = w.id),
  made AS (
    INSERT INTO delivery (event, destination, subject, due_at, renew)
    SELECT DISTINCT ON (e.id, name) e.id, name, coalesce(j.subject, e.subject), $2::bigint, g.renew
    FROM given g JOIN whole e ON e.id = g.event CROSS JOIN LATERAL json_array_elements_text(g.destinations) AS name
    LEFT JOIN LATERAL (
      SELECT subject FROM given j WHERE j.judged AND j.event = g.event ORDER BY n DESC LIMIT 1) j ON true
    ORDER BY e.id, name, g.n
    ON CONFLICT (event, destination) DO NOTHING RETURNING 1)
  SELECT count(*) FROM made`;

/** Retry, discard, replay and add: at most a step of rows in a statement. Each gives how many it changed. */
export class Verbs {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async ask(deliveries: string[], wish: 'retry' | 'replay' | 'discard', renew = false): Promise<number> {
    const ids = deliveries.map((id) => numberOf(id, 'd')).filter((id) => id !== undefined);
    let changed = 0;
    for (let from = 0; from < ids.length; from += STEP) {
      const values = [ids.slice(from, from + STEP), wish, renew, clock(Date.now())];
      const [row] = await this.#database.write<{ count: number }>({ text: ASK, values });
      changed += row?.count ?? 0;
    }
    return changed;
  }

  async add(additions: Addition[]): Promise<number> {
    const rows = additions.map(({ event, destinations, renew, judged }, n) => ({
      n,
      event: numberOf(event, 'e') ?? 0,
      destinations: destinations.map(toDatabase),
      renew,
      judged: judged !== undefined,
      ...(judged && {
        event_type: toDatabase(judged.eventType),
        subject: toKey(judged.subject),
        study: toKey(judged.study),
        state: judged.state,
        reason: judged.reason === undefined ? null : toDatabase(judged.reason),
        routes: judged.routes.map(toDatabase),
      }),
    }));
    let made = 0;
    for (let from = 0; from < rows.length; from += STEP) {
      const values = [JSON.stringify(rows.slice(from, from + STEP)), clock(Date.now())];
      const [row] = await this.#database.write<{ count: number }>({ text: ADD, values });
      made += row?.count ?? 0;
    }
    return made;
  }
}
