/** A `when` as a tree without `not`, to reason about: what it wants of each field. */
import type { JsonValue } from '../model.ts';
import { type Check, OPERATORS, plainCondition } from './condition.ts';
import { isMap, negated } from './filter.ts';
import { parsePath, printPath } from './path.ts';
import { formsOf, isScalar, type Magnitude, magnitudeOf, PlainScalar, type Scalar } from './scalar.ts';

/** Where in the `when` something stands. */
export type Place = (string | number)[];

export type Clause = Leaf | Group;

export interface Group {
  kind: 'all' | 'any';
  members: Clause[];
  place: Place;
  /** Is it an `any:` of the config, and not what a `not` makes of an `all`? */
  written: boolean;
}

/** Compares by order; all others by what stands there. */
const ORDERED = new Set(['gt', 'gte', 'lt', 'lte']);

/** One condition on one field. */
export class Leaf {
  readonly path: string;
  /** `equals` for a value or a list; else as in the config. */
  readonly operator: string;
  readonly operand: unknown;
  /** False below a `not`. */
  readonly wanted: boolean;
  readonly place: Place;
  #check: Check | undefined;
  #candidates: (string | null)[] | undefined | 'unknown' = 'unknown';

  constructor(given: Pick<Leaf, 'path' | 'operator' | 'operand' | 'wanted' | 'place'>) {
    this.path = given.path;
    this.operator = given.operator;
    this.operand = given.operand;
    this.wanted = given.wanted;
    this.place = given.place;
  }

  /** Would the condition hold for this value? */
  test(value: JsonValue | undefined): boolean {
    return this.#compiled().test(value) === this.wanted;
  }

  /** `interview.metadata.plan is "enterprise"`. */
  get words(): string {
    const { words } = this.#compiled();
    return `${this.path} ${this.wanted ? words : negated(words)}`;
  }

  /** Equal for conditions that say the same. */
  get key(): string {
    return JSON.stringify([this.path, this.operator, operandKey(this.operand), this.wanted]);
  }

  /** All values that it takes, as they print, and null for a missing one; undefined when they cannot be counted. */
  get candidates(): (string | null)[] | undefined {
    if (this.#candidates === 'unknown') this.#candidates = this.#count();
    return this.#candidates;
  }

  /** Does it only take what is there? */
  get needsValue(): boolean {
    return !this.test(undefined);
  }

  /** The bound that it sets, when it compares by order. */
  get bound(): (Magnitude & { side: 'lower' | 'upper'; strict: boolean }) | undefined {
    if (!ORDERED.has(this.operator)) return undefined;
    const magnitude = magnitudeOf(this.operand instanceof PlainScalar ? this.operand.value : this.operand);
    if (magnitude === undefined) return undefined;
    const isLower = this.operator.startsWith('g') === this.wanted;
    return { ...magnitude, side: isLower ? 'lower' : 'upper', strict: this.operator.endsWith('e') !== this.wanted };
  }

  /** The values that it compares for equality; undefined for all other comparisons. */
  get equals(): (Scalar | null)[] | undefined {
    if (this.operator !== 'equals' && this.operator !== 'in') return undefined;
    return (Array.isArray(this.operand) ? this.operand : [this.operand]) as (Scalar | null)[];
  }

  #count(): (string | null)[] | undefined {
    if (this.operator === 'exists') return this.needsValue ? undefined : [null];
    if (this.equals === undefined) return undefined;
    // What is not null may be anything; what is not "not null" is null.
    if (!this.wanted) return undefined;
    return this.equals.flatMap((value) => (value === null ? [null] : formsOf(value)));
  }

  #compiled(): Check {
    const compile = OPERATORS.get(this.operator);
    this.#check ??= compile ? compile(this.operand, this.operator) : plainCondition(this.operand);
    if (this.#check === undefined) throw new TypeError(`no condition: ${this.operator}`);
    return this.#check;
  }
}

/**
 * Reads a `when` that `compileFilter` found right.
 *
 * @returns undefined for one that it did not
 */
export function clausesOf(when: unknown): Group | undefined {
  try {
    return asGroup(entries(when, { place: [], wanted: true, join: 'all' }));
  } catch {
    return undefined;
  }
}

/** A clause as a group of which all must hold. */
export function asGroup(clause: Clause): Group {
  if (!(clause instanceof Leaf) && clause.kind === 'all') return clause;
  return { kind: 'all', members: [clause], place: [], written: false };
}

interface Reading {
  place: Place;
  wanted: boolean;
  join: 'all' | 'any';
}

function entries(map: unknown, { place, wanted, join }: Reading): Clause {
  if (!isMap(map)) throw new TypeError('no map');
  const members = Object.entries(map).map(([key, value]) => entry(key, value, { place: [...place, key], wanted }));
  return group(members, { place, wanted, join });
}

function entry(key: string, value: unknown, { place, wanted }: Pick<Reading, 'place' | 'wanted'>): Clause {
  if (key === 'not') return entries(value, { place, wanted: !wanted, join: 'all' });
  if (key !== 'all' && key !== 'any') return condition(printPath(parsePath(key)), value, { place, wanted });
  if (!Array.isArray(value)) return entries(value, { place, wanted, join: key });
  const members = value.map((member, index) => entries(member, { place: [...place, index], wanted, join: 'all' }));
  return group(members, { place, wanted, join: key });
}

function condition(path: string, value: unknown, { place, wanted }: Pick<Reading, 'place' | 'wanted'>): Clause {
  if (!isMap(value)) return leaf({ path, operator: 'equals', operand: value, wanted, place });
  const members = Object.entries(value).map(([operator, operand]) => {
    const inner = [...place, operator];
    if (operator === 'not') return condition(path, operand, { place: inner, wanted: !wanted });
    return leaf({ path, operator, operand, wanted, place: inner });
  });
  return group(members, { place, wanted, join: 'all' });
}

/** @throws ConditionError, or TypeError, for what is no condition */
function leaf(given: Pick<Leaf, 'path' | 'operator' | 'operand' | 'wanted' | 'place'>): Leaf {
  const made = new Leaf(given);
  made.test(undefined);
  return made;
}

/** Joins what a map or list has; below a `not`, all of them become any, and the other way round. */
function group(members: Clause[], { place, wanted, join }: Reading): Clause {
  const [only] = members;
  if (only !== undefined && members.length === 1) return only;
  const kind = wanted ? join : join === 'all' ? 'any' : 'all';
  const flat = members.flatMap((member) =>
    !(member instanceof Leaf) && member.kind === kind ? member.members : member,
  );
  return { kind, members: flat, place, written: wanted && join === 'any' };
}

function operandKey(operand: unknown): unknown {
  if (Array.isArray(operand)) return operand.map(operandKey).sort();
  return isScalar(operand) ? formsOf(operand).at(-1) : operand;
}
