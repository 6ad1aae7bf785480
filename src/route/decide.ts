import type { EventState, JsonObject, Payload, RoutedFields } from '../model.ts';
import type { Judged } from '../payload.ts';
import type { Filter } from './filter.ts';
import type { Table } from './table.ts';

/** What of a source has a say in where its events go. */
export interface Gate {
  name: string;
  /** Undefined lets everything through. */
  when: Filter | undefined;
}

/** What becomes of an event. */
interface Decision {
  state: EventState;
  /** Names of the routes that take it. */
  routes: string[];
  destinations: string[];
  /** The source's `when` kept it from the routes. */
  refused: boolean;
}

/** Decides on an event: quarantine first, then the source's `when`, then the routes. Never throws. */
export function decide({ payload }: Judged, source: Gate, table: Table): Decision {
  if (payload === undefined) return { state: 'quarantined', refused: false, routes: [], destinations: [] };
  const fields = routedFields(payload, source.name);
  if (source.when?.test(fields) === false) return { state: 'unrouted', refused: true, routes: [], destinations: [] };
  const routing = table.route(fields);
  return { ...routing, state: routing.destinations.length > 0 ? 'routed' : 'unrouted', refused: false };
}

/** The whole payload: extra fields are usable in filters. */
export function routedFields(payload: Payload, source: string): RoutedFields {
  const { event_type, interview, study } = payload;
  return { ...(payload as JsonObject), source, event_type, interview, study };
}
