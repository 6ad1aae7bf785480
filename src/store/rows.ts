import type { DeliveryRecord, DeliveryState, EventRecord, EventState, Reason } from '../model.ts';
import { unpackBody } from './packing.ts';
import type { LaneRecord, StoredEvent } from './store.ts';

/** Columns of a row as SQLite gives them. */
export interface EventRow {
  id: number;
  source: string;
  svix_id: string;
  event_type: string;
  subject: string;
  study: string;
  state: string;
  reason: string | null;
  received_at: number;
  removed_at: number | null;
  routes: string;
}

export interface DeliveryRow {
  id: number;
  event: number;
  subject: string;
  destination: string;
  state: string;
  attempts: number;
  due_at: number | null;
  reason: string | null;
  detail: string | null;
  fix: string | null;
  url: string | null;
}

export interface LaneRow {
  destination: string;
  paused: number;
  halt_reason: string | null;
  halt_detail: string;
  halt_fix: string;
  halt_since: number;
}

/** What lists read of an event `e` and a delivery `d`, at both stores. */
export const EVENT =
  'e.id, e.source, e.svix_id, e.event_type, e.subject, e.study, e.state, e.reason, e.received_at, e.removed_at, e.routes';
export const DELIVERY =
  'd.id, d.event, d.subject, d.destination, d.state, d.attempts, d.due_at, d.reason, d.detail, d.fix, d.url';

export function eventRecord(row: EventRow): EventRecord {
  return {
    id: `e${row.id}`,
    source: row.source,
    svixId: row.svix_id,
    eventType: row.event_type,
    subject: row.subject,
    study: row.study,
    state: row.state as EventState,
    reason: row.reason ?? undefined,
    receivedAt: row.received_at,
    removedAt: row.removed_at ?? undefined,
    routes: JSON.parse(row.routes) as string[],
  };
}

export function deliveryRecord(row: DeliveryRow): DeliveryRecord {
  return {
    id: `d${row.id}`,
    event: `e${row.event}`,
    subject: row.subject,
    destination: row.destination,
    state: row.state as DeliveryState,
    attempts: row.attempts,
    nextAttemptAt: row.due_at ?? undefined,
    reason: (row.reason ?? undefined) as Reason | undefined,
    detail: row.detail ?? undefined,
    fix: row.fix ?? undefined,
    url: row.url ?? undefined,
  };
}

export function laneRecord(row: LaneRow): LaneRecord {
  const { halt_reason: reason, halt_detail: detail, halt_fix: fix, halt_since: since } = row;
  return {
    destination: row.destination,
    paused: row.paused === 1,
    halt: reason === null ? undefined : { reason: reason as Reason, detail, fix, since },
  };
}

/** The number of an id such as `e12` or `d7`; undefined when it is no such id. */
export function numberOf(id: string, letter: 'e' | 'd'): number | undefined {
  return id.startsWith(letter) && /^.[1-9]\d{0,14}$/.test(id) ? Number(id.slice(1)) : undefined;
}

/** Epoch milliseconds as the store keeps them: whole, and within what a JavaScript Date can hold. */
export function clock(time: number): number {
  return Math.max(-8.64e15, Math.min(8.64e15, Math.round(time)));
}

/** An event with its body: none when that was removed; none, with why, when the disk has changed or lost it. */
export function withBody(event: EventRecord, zstd: Uint8Array | null): StoredEvent {
  const none = Buffer.alloc(0);
  return { ...event, ...(event.removedAt === undefined ? unpackBody(zstd ?? none) : { body: none }) };
}
