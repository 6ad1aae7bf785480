import type { RoutedFields } from '../model.ts';
import type { Condition } from './filter.ts';
import type { Table } from './table.ts';

/** What became of one route. */
export interface Explained {
  route: string;
  matched: boolean;
  /** The conditions that decided; empty for a route without any, and for one that was not asked. */
  because: Condition[];
  /** Why the route was not asked at all. */
  skipped?: 'disabled' | 'stopped';
  /** The route that ended the walk before this one. */
  stoppedBy?: string;
}

/** What each route of a table makes of an event, in their order: as `table.route` judges, with the reasons. Never throws. */
export function explainRoutes(table: Table, fields: RoutedFields): Explained[] {
  let stoppedBy: string | undefined;
  return table.routes.map((route): Explained => {
    const unasked = { route: route.name, matched: false, because: [] };
    if (stoppedBy !== undefined) return { ...unasked, skipped: 'stopped', stoppedBy };
    if (!route.enabled) return { ...unasked, skipped: 'disabled' };
    const matched = route.when?.test(fields) ?? true;
    if (matched && route.stop) stoppedBy = route.name;
    return { route: route.name, matched, because: route.when?.explain(fields) ?? [] };
  });
}
