import type { DeliveryRecord, EventRecord, JsonObject } from '../model.ts';
import { type Hold, holdOf } from './holds.ts';

/** A delivery as `--json` prints it. What holds it stands in place of how its last attempt ended. */
export function deliveryShape(delivery: DeliveryRecord, holds: Map<string, Hold>): JsonObject {
  const hold = holdOf(delivery, holds);
  return {
    id: delivery.id,
    event: delivery.event,
    subject: delivery.subject,
    destination: delivery.destination,
    state: hold ? 'held' : delivery.state,
    attempts: delivery.attempts,
    next_attempt_at: delivery.nextAttemptAt === undefined ? null : iso(delivery.nextAttemptAt),
    reason: hold?.reason ?? delivery.reason ?? null,
    detail: hold?.detail ?? delivery.detail ?? null,
    fix: hold?.fix ?? delivery.fix ?? null,
    url: delivery.url ?? null,
  };
}

/** An event as `--json` prints it; a quarantined one has its `reason` too, one whose body was removed its `removed_at`. */
export function eventShape(event: EventRecord, deliveries: DeliveryRecord[], holds: Map<string, Hold>): JsonObject {
  return {
    id: event.id,
    source: event.source,
    svix_id: event.svixId,
    event_type: event.eventType,
    subject: event.subject,
    study: event.study,
    state: event.state,
    ...(event.reason !== undefined && { reason: event.reason }),
    received_at: iso(event.receivedAt),
    ...(event.removedAt !== undefined && { removed_at: iso(event.removedAt) }),
    routes: event.routes,
    deliveries: deliveries.map((delivery) => deliveryShape(delivery, holds)),
  };
}

/** Writes one object on one line. */
export function printJson(shape: JsonObject): void {
  process.stdout.write(`${JSON.stringify(shape)}\n`);
}

function iso(time: number): string {
  return new Date(time).toISOString();
}
