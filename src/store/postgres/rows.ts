import type { DeliveryRecord, DeliveryState, EventRecord, EventState, Reason } from '../../model.ts';
import type { LaneRecord } from '../store.ts';
import { fromDatabase } from './text.ts';

/** Columns of a row as the driver gives them. */
export interface EventRow {
  id: number;
  source: string;
  svix_id: string;
  event_type: string;
  subject: string;
  study: string;
  state: EventState;
  reason: string | null;
  received_at: number;
  /** Absent from what a claim gives: there it was not removed. */
  removed_at?: number | null;
  routes: string[];
}

export interface DeliveryRow {
  id: number;
  event: number;
  subject: string;
  destination: string;
  state: DeliveryState;
  attempts: number;
  due_at: number | null;
  reason: Reason | null;
  detail: string | null;
  fix: string | null;
  url: string | null;
}

export interface LaneRow {
  destination: string;
  paused: boolean;
  halt_reason: Reason | null;
  halt_detail: string;
  halt_fix: string;
  halt_since: number;
}

export function eventRecord(row: EventRow): EventRecord {
  return {
    id: `e${row.id}`,
    source: fromDatabase(row.source),
    svixId: fromDatabase(row.svix_id),
    eventType: fromDatabase(row.event_type),
    subject: fromDatabase(row.subject),
    study: fromDatabase(row.study),
    state: row.state,
    reason: textOf(row.reason),
    receivedAt: row.received_at,
    removedAt: row.removed_at ?? undefined,
    routes: row.routes.map(fromDatabase),
  };
}

export function deliveryRecord(row: DeliveryRow): DeliveryRecord {
  return {
    id: `d${row.id}`,
    event: `e${row.event}`,
    subject: fromDatabase(row.subject),
    destination: fromDatabase(row.destination),
    state: row.state,
    attempts: row.attempts,
    nextAttemptAt: row.due_at ?? undefined,
    reason: row.reason ?? undefined,
    detail: textOf(row.detail),
    fix: textOf(row.fix),
    url: textOf(row.url),
  };
}

export function laneRecord(row: LaneRow): LaneRecord {
  const { halt_reason: reason, halt_detail: detail, halt_fix: fix, halt_since: since } = row;
  return {
    destination: fromDatabase(row.destination),
    paused: row.paused,
    halt: reason === null ? undefined : { reason, detail: fromDatabase(detail), fix: fromDatabase(fix), since },
  };
}

function textOf(text: string | null): string | undefined {
  return text === null ? undefined : fromDatabase(text);
}
