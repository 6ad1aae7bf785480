import type { RoutedFields } from '../model.ts';
import type { Filter } from './filter.ts';
import { RouteLookup } from './lookup.ts';

export interface Route {
  name: string;
  /** Undefined matches everything. */
  when: Filter | undefined;
  to: string[];
  /** The walk ends after a match. */
  stop: boolean;
  enabled: boolean;
}

/** Where an event goes. */
interface Routing {
  routes: string[];
  /** Each once, in the order of the routes. */
  destinations: string[];
}

export interface Table {
  routes: readonly Route[];
  route(fields: RoutedFields): Routing;
}

/** The routes of a config, ready to judge events: as a walk from the first to the last would. `route` never throws. */
export function compileTable(routes: Route[]): Table {
  const lookup = new RouteLookup(routes.filter(({ enabled }) => enabled));
  return {
    routes,
    route(fields) {
      const taken: string[] = [];
      const destinations = new Set<string>();
      for (const { route, test } of lookup.candidates(fields)) {
        if (test?.(fields) === false) continue;
        taken.push(route.name);
        for (const name of route.to) destinations.add(name);
        if (route.stop) break;
      }
      return { routes: taken, destinations: [...destinations] };
    },
  };
}
