/** Finds conditions that exclude each other, so that what they stand in can never hold. */
import { didYouMean } from '../suggest.ts';
import { type Clause, type Group, Leaf, type Place } from './clauses.ts';

/** Something that never holds. The place leads into the `when`. */
export interface Contradiction {
  place: Place;
  /** Can the whole filter never hold, or only one alternative of an `any:`? */
  whole: boolean;
  /** Why, as the end of a sentence. */
  because: string;
  /** What excludes what it wants: another condition, its source's `when`, or what is so of every event. */
  by: 'condition' | 'source' | 'fact';
}

/** What is true of every event that comes to a filter. */
export interface Facts {
  /** The names of the sources that it may come from; undefined when nobody knows. */
  sources: readonly string[] | undefined;
  /** What the one source's `when` wants. */
  gate: readonly Clause[];
}

/** Fields that every event has: without the first two it is quarantined. */
const ALWAYS_THERE = new Set(['interview.id', 'study.id', 'interview', 'study', 'event_type', 'source']);
/** The one event that Versive documents; others are quarantined. */
const EVENT_TYPE = 'interview.completed';

/** What can never hold in a filter: the whole of it, or alternatives of its `any:`. */
export function findContradictions(when: Group, facts: Facts): Contradiction[] {
  const gate = new Set(facts.gate.filter((clause) => clause instanceof Leaf));
  return new Search(facts, gate).all(when.members, indexed([...gate], new Map()));
}

type ByPath = ReadonlyMap<string, readonly Leaf[]>;

class Search {
  readonly #facts: Facts;
  readonly #gate: ReadonlySet<Leaf>;

  constructor(facts: Facts, gate: ReadonlySet<Leaf>) {
    this.#facts = facts;
    this.#gate = gate;
  }

  /** @param outer what must hold beside */
  all(members: Clause[], outer: ByPath): Contradiction[] {
    const own = members.filter((member) => member instanceof Leaf);
    const leaves = indexed(own, outer);
    for (const path of new Set(own.map((leaf) => leaf.path))) {
      const found = this.#conflict(path, leaves.get(path) ?? []);
      if (found) return [found];
    }
    const found: Contradiction[] = [];
    for (const member of members) {
      if (member instanceof Leaf) continue;
      const alternatives = member.members.map((alternative) => {
        const inner = alternative instanceof Leaf || alternative.kind === 'any' ? [alternative] : alternative.members;
        return this.all(inner, leaves);
      });
      const isDead = (each: Contradiction[]) => each.some(({ whole }) => whole);
      const [first] = alternatives.flat().filter(({ whole }) => whole);
      if (first && alternatives.every(isDead)) return [first];
      // What a `not` excludes twice is no slip.
      if (!member.written) continue;
      found.push(
        ...alternatives
          .flat()
          .filter(({ by }) => by !== 'source')
          .map((each) => ({ ...each, whole: false })),
      );
    }
    return found;
  }

  #conflict(path: string, leaves: readonly Leaf[]): Contradiction | undefined {
    return this.#ofFacts(path, leaves) ?? this.#ofValues(leaves) ?? this.#ofBounds(leaves);
  }

  /** One condition that no event meets. */
  #ofFacts(path: string, leaves: readonly Leaf[]): Contradiction | undefined {
    for (const leaf of leaves) {
      if (path === 'event_type' && !leaf.test(EVENT_TYPE)) {
        return this.#told([leaf], `, and event_type is always ${JSON.stringify(EVENT_TYPE)}`);
      }
      const { sources } = this.#facts;
      if (path === 'source' && sources && sources.length > 0 && !sources.some((name) => leaf.test(name))) {
        const named = leaf.equals?.find((value) => typeof value === 'string');
        const meant = typeof named === 'string' ? didYouMean(named, sources) : '';
        return this.#told(
          [leaf],
          `, and there is ${sources.length === 1 ? 'only the source' : 'no source but'} ${sources.join(', ')}.${meant}`,
        );
      }
      const isAbsent = leaf.candidates?.every((value) => value === null) ?? false;
      if (isAbsent && ALWAYS_THERE.has(path)) return this.#told([leaf], ', and every event has it');
    }
    return undefined;
  }

  /** Among the values that can be counted, none meets all. */
  #ofValues(leaves: readonly Leaf[]): Contradiction | undefined {
    const counted = leaves.find((leaf) => leaf.candidates !== undefined);
    const candidates = counted?.candidates;
    if (!counted || !candidates) return undefined;
    const left = candidates.filter((value) => leaves.every((leaf) => leaf.test(value)));
    if (left.length > 0) return undefined;
    const rest = leaves.filter((leaf) => leaf !== counted);
    const other = rest.find((leaf) => !candidates.some((value) => leaf.test(value)));
    return this.#told(other ? [counted, other] : [counted, ...rest]);
  }

  #ofBounds(leaves: readonly Leaf[]): Contradiction | undefined {
    const kinds = leaves.filter(({ wanted, bound }) => wanted && bound);
    const [first] = kinds;
    const kind = first?.bound?.kind;
    if (!first || kind === undefined) return undefined;
    const other = kinds.find(({ bound }) => bound?.kind !== kind);
    if (other) return this.#told([first, other]);
    // Beside such a bound, one that is not to hold is one of the other side.
    const lower = tightest(leaves, kind, 'lower');
    const upper = tightest(leaves, kind, 'upper');
    if (!lower?.bound || !upper?.bound) return undefined;
    const apart = upper.bound.value - lower.bound.value;
    if (apart > 0 || (apart === 0 && !lower.bound.strict && !upper.bound.strict)) return undefined;
    return this.#told([lower, upper]);
  }

  /** Told at the last of the filter's own conditions. */
  #told(leaves: Leaf[], end?: string): Contradiction | undefined {
    const own = leaves.filter((leaf) => !this.#gate.has(leaf));
    // What a source wants in vain is told there.
    if (own.length === 0) return undefined;
    const refused = leaves.filter((leaf) => this.#gate.has(leaf));
    const quoted = (each: Leaf[]) => each.map(({ words }) => `\`${words}\``).join(' and ');
    const by = refused.length > 0 ? 'source' : end === undefined ? 'condition' : 'fact';
    const because =
      by === 'source'
        ? `it wants ${quoted(own)}, and its source lets through only ${quoted(refused)}`
        : by === 'condition'
          ? `${quoted(own)} exclude each other`
          : `it wants ${quoted(own)}${end}`;
    return { place: own.at(-1)?.place ?? [], whole: true, because, by };
  }
}

function tightest(leaves: readonly Leaf[], kind: string, side: 'lower' | 'upper'): Leaf | undefined {
  const sign = side === 'lower' ? 1 : -1;
  let best: Leaf | undefined;
  for (const leaf of leaves) {
    const { bound } = leaf;
    if (bound?.kind !== kind || bound.side !== side) continue;
    const apart = best?.bound ? (bound.value - best.bound.value) * sign : 1;
    if (apart > 0 || (apart === 0 && bound.strict)) best = leaf;
  }
  return best;
}

function indexed(leaves: Leaf[], outer: ByPath): ByPath {
  const all = new Map(outer);
  for (const leaf of leaves) all.set(leaf.path, [...(all.get(leaf.path) ?? []), leaf]);
  return all;
}
