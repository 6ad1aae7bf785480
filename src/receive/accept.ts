import type { JsonObject } from '../model.ts';
import { parsePayload } from '../payload.ts';
import type { Table } from '../route/table.ts';
import type { Accepted, NewEvent, Store } from '../store/store.ts';
import type { VerifiedRequest } from './verify.ts';

/** What became of a verified request, and what its event says of itself. */
export interface Acceptance extends Accepted {
  event: NewEvent;
}

/**
 * Routes a verified request, and keeps it with its deliveries in one transaction. What Versive does not document is kept
 * as quarantined.
 *
 * @throws RelayError RELAY_STORE_BUSY when the store cannot commit
 */
export async function accept(request: VerifiedRequest, table: Table, store: Store): Promise<Acceptance> {
  const event = judge(request, table);
  return { ...(await store.accept(event)), event };
}

function judge({ source, svixId, body }: VerifiedRequest, table: Table): NewEvent {
  const kept = { source: source.name, svixId, receivedAt: Date.now(), body, routes: [], destinations: [] };
  const judged = parsePayload(body);
  if (!judged.payload) {
    const { reason, eventType, subject, study } = judged;
    return { ...kept, state: 'quarantined', reason, eventType, subject, study };
  }
  const { event_type, interview, study } = judged.payload;
  const about = { ...kept, eventType: event_type, subject: interview.id, study: study.id };
  // The whole payload: extra fields are usable in filters.
  const fields = { ...(judged.payload as JsonObject), source: source.name, event_type, interview, study };
  if (source.when && !source.when.test(fields)) return { ...about, state: 'unrouted' };
  const routing = table.route(fields);
  return { ...about, ...routing, state: routing.destinations.length > 0 ? 'routed' : 'unrouted' };
}
