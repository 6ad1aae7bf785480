/** Stores that were filled in advance, by SQL: what a relay that was away has before it. */
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openStore } from '../src/store/open.ts';
import { packBody } from '../src/store/packing.ts';
import { bodyOf } from './events.ts';

/**
 * Makes the store of a relay's folder, with so many events that wait for each of these destinations.
 *
 * @param delivered they have all been delivered, to the target `bench`; otherwise they wait
 * @param ownBodies each event has a body about its own interview; otherwise all have the same bytes, which is much faster
 */
export async function fillStore(
  folder: string,
  {
    events,
    destinations,
    delivered = false,
    ownBodies = false,
  }: { events: number; destinations: string[]; delivered?: boolean; ownBodies?: boolean },
): Promise<void> {
  const file = path.join(folder, 'relay.db');
  await (await openStore(file)).close();
  const database = new DatabaseSync(file);
  // Nothing of it is worth a sync; the relay turns both on again.
  database.exec('PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN');
  const body = Buffer.from(bodyOf());
  database
    .prepare(`
      INSERT INTO event (source, svix_id, event_type, subject, study, state, received_at, routes, size)
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :events)
      SELECT 'versive', 'fill_' || i, 'interview.completed', 'int_' || i, 'study_1', 'routed', :now - :events + i,
        '["everything"]', :size FROM n`)
    .run({ events, now: Date.now(), size: body.length });
  if (ownBodies) {
    const insert = database.prepare('INSERT INTO body VALUES (?, ?)');
    for (let n = 1; n <= events; n += 1) insert.run(n, packBody(Buffer.from(bodyOf(`int_${n}`))));
  } else {
    database.prepare('INSERT INTO body SELECT id, ? FROM event').run(packBody(body));
  }
  database
    .prepare(`
      INSERT INTO delivery (event, destination, subject, state, due_at)
      SELECT event.id, value, subject, iif(:delivered, 'delivered', 'pending'), iif(:delivered, NULL, received_at)
      FROM event, json_each(:destinations)`)
    .run({ destinations: JSON.stringify(destinations), delivered: delivered ? 1 : 0 });
  if (delivered) {
    database.exec(`
      INSERT INTO ledger (destination, target, subject, generation, origin, receipt, event)
        SELECT destination, 'bench', subject, 1, destination, '{}', event FROM delivery ORDER BY 3, 1`);
  }
  database.exec('COMMIT');
  database.close();
}
