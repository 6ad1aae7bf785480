/** Finds comparisons of a field with what it can never be: a number with words, a time with a number. */
import { type Clause, type Group, Leaf, type Place } from './clauses.ts';
import { formsOf, magnitudeOf, PlainScalar, quoted, type Scalar } from './scalar.ts';

type Kind = 'number' | 'boolean' | 'time';

/** Fields that are no text. What stands in metadata may be anything. */
const KINDS: Readonly<Record<string, Kind>> = {
  'interview.active_time': 'number',
  'interview.is_mock': 'boolean',
  'interview.is_archived': 'boolean',
  'interview.created_at': 'time',
  'interview.started_at': 'time',
  'interview.ended_at': 'time',
  'study.created_at': 'time',
};

const WORDS: Record<Kind, string> = { number: 'a number', boolean: 'true or false', time: 'a time' };

const FIXES: Record<Kind, string> = {
  number: 'Compare it with a number, such as 120 or { gte: 120 }.',
  boolean: 'Write true or false.',
  time: 'Compare it with times, such as { gte: 2026-11-23T09:00:00Z }, or write { starts_with: 2026-11-23 } for a day.',
};

/** A comparison that no event can meet. The place leads into the `when`. */
export interface Misfit {
  place: Place;
  message: string;
  fix: string;
}

export function findMisfits({ members }: Group): Misfit[] {
  return members.flatMap((member: Clause) => (member instanceof Leaf ? misfitOf(member) : findMisfits(member)));
}

function misfitOf(leaf: Leaf): Misfit[] {
  const kind = Object.hasOwn(KINDS, leaf.path) ? KINDS[leaf.path] : undefined;
  if (kind === undefined) return [];
  const told = (never: string): Misfit[] => {
    return [{ place: leaf.place, message: `${leaf.path} is ${WORDS[kind]}, and never ${never}`, fix: FIXES[kind] }];
  };
  if (leaf.bound) return leaf.bound.kind === kind ? [] : told(`compares with ${quoted(leaf.operand as Scalar)}`);
  const odd = leaf.equals?.find((value) => value !== null && !fits(value, kind));
  return odd === undefined || odd === null ? [] : told(`equals ${quoted(odd)}`);
}

function fits(value: Scalar, kind: Kind): boolean {
  if (kind === 'boolean') return formsOf(value).some((form) => form === 'true' || form === 'false');
  const plain = value instanceof PlainScalar ? value.value : value;
  const isOfKind = magnitudeOf(plain)?.kind === kind;
  // A time equals only the very same text, and each has a time of the day.
  return kind === 'time' ? isOfKind && /T/i.test(String(plain)) : isOfKind;
}
