/** Finds routes that never get an event, as one with `stop: true` above takes each of them first. */
import { type Clause, type Group, Leaf } from './clauses.ts';

/** A route as far as it matters here. */
export interface Walked {
  /** Undefined when it could not be understood: then nothing is said of it. */
  when: Group | undefined;
  stop: boolean;
  enabled: boolean;
  /** What the one source's `when` wants, that its events come from. */
  gate: readonly Clause[];
}

/**
 * Pairs of routes that are compared in full. A table has as many only if thousands of routes stop the walk and ask for the
 * same field, but for no value that could be looked up.
 */
const MOST_COMPARED = 200_000;

/**
 * For each shadowed route the first one that takes all its events, by their indexes. It is sound and not complete: what it
 * finds is so, and it looks only at conditions that stand beside each other.
 */
export function findShadows(routes: readonly Walked[]): Map<number, number> {
  const found = new Map<number, number>();
  const index = new StopIndex(routes);
  let left = MOST_COMPARED;
  routes.forEach((route, at) => {
    if (!route.when || !route.enabled) return;
    const wants = new Wants([...route.when.members, ...route.gate]);
    for (const above of index.above(at, wants)) {
      left -= 1;
      if (left < 0) return;
      if (!wants.implies(routes[above]?.when)) continue;
      found.set(at, above);
      return;
    }
  });
  return found;
}

/** What must hold of an event that a route takes. */
class Wants {
  readonly #byPath = new Map<string, Leaf[]>();
  readonly #groups = new Set<string>();
  readonly #left = new Map<string, (string | null)[] | undefined>();

  constructor(clauses: Clause[]) {
    for (const clause of clauses) {
      if (!(clause instanceof Leaf)) this.#groups.add(keyOf(clause));
      else this.#byPath.set(clause.path, [...(this.#byPath.get(clause.path) ?? []), clause]);
    }
  }

  get paths(): Iterable<string> {
    return this.#byPath.keys();
  }

  /** The values that the field can still have; undefined when they cannot be counted. */
  values(path: string): (string | null)[] | undefined {
    if (this.#left.has(path)) return this.#left.get(path);
    const leaves = this.#byPath.get(path) ?? [];
    const counted = leaves.find(({ candidates }) => candidates !== undefined)?.candidates;
    const values = counted?.filter((value) => leaves.every((leaf) => leaf.test(value)));
    this.#left.set(path, values);
    return values;
  }

  /** Does what must hold of the event make this hold too? */
  implies(clause: Clause | undefined): boolean {
    if (clause === undefined) return false;
    if (clause instanceof Leaf) return this.#impliesLeaf(clause);
    if (this.#groups.has(keyOf(clause))) return true;
    const holds = (member: Clause) => this.implies(member);
    return clause.kind === 'all' ? clause.members.every(holds) : clause.members.some(holds);
  }

  #impliesLeaf(wanted: Leaf): boolean {
    const leaves = this.#byPath.get(wanted.path) ?? [];
    if (leaves.length === 0) return false;
    const values = this.values(wanted.path);
    if (values !== undefined) return values.length > 0 && values.every((value) => wanted.test(value));
    return leaves.some(
      (leaf) => leaf.key === wanted.key || isWithin(leaf, wanted) || (asksOnlyForPresence(wanted) && isPresent(leaf)),
    );
  }
}

function asksOnlyForPresence(leaf: Leaf): boolean {
  const notNull = leaf.operator === 'equals' && leaf.operand === null && !leaf.wanted;
  return notNull || (leaf.operator === 'exists' && leaf.needsValue);
}

function isPresent(leaf: Leaf): boolean {
  return leaf.needsValue && !leaf.test(null);
}

/** Is each value within the bound that one sets also within that of the other? */
function isWithin(inner: Leaf, outer: Leaf): boolean {
  const [narrow, wide] = [inner.bound, outer.bound];
  if (!narrow || !wide || !inner.wanted || !outer.wanted) return false;
  if (narrow.kind !== wide.kind || narrow.side !== wide.side) return false;
  const apart = (narrow.value - wide.value) * (wide.side === 'lower' ? 1 : -1);
  return apart > 0 || (apart === 0 && (narrow.strict || !wide.strict));
}

function keyOf(clause: Clause): string {
  if (clause instanceof Leaf) return clause.key;
  return `${clause.kind}(${clause.members.map(keyOf).sort().join()})`;
}

/** The routes that stop the walk, by what an event must have so that they take it. */
class StopIndex {
  readonly #byToken = new Map<string, number[]>();
  /** Those that ask for nothing that could be looked up. */
  readonly #rest: number[] = [];

  constructor(routes: readonly Walked[]) {
    const stops = routes.flatMap(({ when, stop, enabled }, at) => {
      return when && stop && enabled ? [{ at, choices: choicesOf(when) }] : [];
    });
    const uses = new Map<string, number>();
    for (const token of stops.flatMap(({ choices }) => choices.flat())) uses.set(token, (uses.get(token) ?? 0) + 1);
    for (const { at, choices } of stops) {
      // By its rarest condition, so that a thousand routes with one more in common stay apart.
      const busiest = (tokens: string[]) => Math.max(...tokens.map((token) => uses.get(token) ?? 0));
      const [rarest] = choices.toSorted((a, b) => busiest(a) - busiest(b));
      if (!rarest) this.#rest.push(at);
      for (const token of new Set(rarest)) {
        const list = this.#byToken.get(token) ?? [];
        list.push(at);
        this.#byToken.set(token, list);
      }
    }
  }

  /** Those above a route that may take all that it wants. */
  *above(at: number, wants: Wants): Generator<number> {
    const tokens = [...wants.paths].flatMap((path) => {
      const [value] = wants.values(path) ?? [];
      return value === undefined ? [tokenOf(path)] : [tokenOf(path, value), tokenOf(path)];
    });
    for (const list of [this.#rest, ...tokens.map((token) => this.#byToken.get(token) ?? [])]) {
      for (const above of list) {
        if (above >= at) break;
        yield above;
      }
    }
  }
}

/** What a route could be looked up by: of each of its conditions every value that it takes, or just the field. */
function choicesOf({ members }: Group): string[][] {
  return members.flatMap((member) => {
    if (!(member instanceof Leaf)) return [];
    const { path, candidates } = member;
    return [candidates && candidates.length > 0 ? candidates.map((value) => tokenOf(path, value)) : [tokenOf(path)]];
  });
}

function tokenOf(path: string, value?: string | null): string {
  return value === undefined ? path : `${path}\u0000${value === null ? '' : `=${value}`}`;
}
