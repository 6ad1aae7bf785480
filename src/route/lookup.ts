import type { RoutedFields } from '../model.ts';
import type { Equality, Filter } from './filter.ts';
import { type Path, printPath, readPath } from './path.ts';
import { printed } from './scalar.ts';

/** What the lookup needs of a route. */
interface Filtered {
  when: Filter | undefined;
}

/** A route that an event may match. */
export interface Candidate<Route> {
  /** Its place in the walk. */
  at: number;
  route: Route;
  /** What decides about an event that found it; undefined when it matches by that alone. */
  test: Filter['test'] | undefined;
}

/** A field, and by the text that it prints as the routes to look at. */
interface Field<Route> {
  path: Path;
  byText: Map<string, Candidate<Route>[]>;
}

/**
 * Finds the routes that an event may match without a look at all the others: each is kept under one equality of its
 * filter, so that an event finds it by what it has there.
 */
export class RouteLookup<Route extends Filtered> {
  readonly #fields: Field<Route>[];
  /** Those that ask for no certain value. */
  readonly #rest: Candidate<Route>[] = [];

  constructor(routes: readonly Route[]) {
    const uses = new Uses(routes.map(({ when }) => when?.equalities ?? []));
    const fields = new Map<string, Field<Route>>();
    routes.forEach((route, at) => {
      const best = uses.best(route.when?.equalities ?? []);
      if (best === undefined) {
        this.#rest.push({ at, route, test: route.when?.test });
        return;
      }
      const field = entryOf(fields, printPath(best.path), () => ({ path: best.path, byText: new Map() }));
      const candidate = { at, route, test: best.rest };
      for (const text of new Set(best.texts)) entryOf(field.byText, text, () => []).push(candidate);
    });
    this.#fields = [...fields.values()];
  }

  /** The routes that the event may match, in the order of the walk. */
  candidates(fields: RoutedFields): Iterable<Candidate<Route>> {
    const lists: Candidate<Route>[][] = [];
    for (const { path, byText } of this.#fields) {
      const text = printed(readPath(fields, path));
      const list = text === undefined ? undefined : byText.get(text);
      if (list !== undefined) lists.push(list);
    }
    const found = lists.length < 2 ? (lists[0] ?? []) : lists.flat().sort((a, b) => a.at - b.at);
    if (this.#rest.length === 0) return found;
    return found.length === 0 ? this.#rest : merged(found, this.#rest);
  }
}

/** How many routes ask for a field, and for which of its texts. */
class Uses {
  readonly #all: number;
  readonly #byField = new Map<string, { count: number; byText: Map<string, number> }>();

  constructor(routes: readonly (readonly Equality[])[]) {
    this.#all = routes.length;
    for (const { path, texts } of routes.flat()) {
      const uses = entryOf(this.#byField, printPath(path), () => ({ count: 0, byText: new Map<string, number>() }));
      uses.count += 1;
      for (const text of new Set(texts)) uses.byText.set(text, (uses.byText.get(text) ?? 0) + 1);
    }
  }

  /** The equality under which a route costs events the least; undefined when there is none. */
  best(equalities: readonly Equality[]): Equality | undefined {
    const [first, ...others] = equalities;
    if (first === undefined || others.length === 0) return first;
    const costs = new Map(equalities.map((equality) => [equality, this.#costOf(equality)]));
    return others.reduce((best, other) => ((costs.get(other) ?? 0) < (costs.get(best) ?? 0) ? other : best), first);
  }

  /**
   * The routes that come up together with this one, and this one's share in the reading of fields: one that a single
   * route asks for would have to be read for each event.
   */
  #costOf({ path, texts }: Equality): number {
    const uses = this.#byField.get(printPath(path));
    if (uses === undefined) return this.#all;
    const together = texts.reduce((most, text) => Math.max(most, uses.byText.get(text) ?? 0), 0);
    return together + this.#all / uses.count;
  }
}

/** Two lists in the order of the walk as one, read only as far as the walk goes. */
function* merged<Route>(left: Candidate<Route>[], right: Candidate<Route>[]): Generator<Candidate<Route>> {
  let [l, r] = [0, 0];
  for (;;) {
    const [a, b] = [left[l], right[r]];
    if (a !== undefined && (b === undefined || a.at < b.at)) {
      l += 1;
      yield a;
    } else if (b !== undefined) {
      r += 1;
      yield b;
    } else return;
  }
}

/** What a map has under a key, made first when there is nothing yet. */
function entryOf<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const found = map.get(key) ?? make();
  map.set(key, found);
  return found;
}
