import { parsePayload } from '../payload.ts';
import { decide } from '../route/decide.ts';
import type { Table } from '../route/table.ts';
import type { NewEvent } from '../store/store.ts';
import type { VerifiedRequest } from './verify.ts';

/** Reads and routes a verified request. What Versive does not document is quarantined. Never throws. */
export function judge({ source, svixId, body, text }: VerifiedRequest, table: Table): NewEvent {
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
