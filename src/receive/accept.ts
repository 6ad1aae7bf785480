import { parsePayload } from '../payload.ts';
import { decide } from '../route/decide.ts';
import type { Table } from '../route/table.ts';
import type { Accepted, NewEvent } from '../store/store.ts';
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
export async function accept(
  request: VerifiedRequest,
  table: Table,
  keep: (event: NewEvent) => Promise<Accepted>,
): Promise<Acceptance> {
  const event = judge(request, table);
  return { ...(await keep(event)), event };
}

function judge({ source, svixId, body, text }: VerifiedRequest, table: Table): NewEvent {
  const judged = parsePayload(text);
  const { state, routes, destinations } = decide(judged, source, table);
  const kept = { source: source.name, svixId, receivedAt: Date.now(), body, state, routes, destinations };
  if (!judged.payload) {
    const { reason, eventType, subject, study } = judged;
    return { ...kept, reason, eventType, subject, study };
  }
  const { event_type, interview, study } = judged.payload;
  return { ...kept, eventType: event_type, subject: interview.id, study: study.id };
}
