/** Finds comparisons of a field with what it can never be: a number with words, a time with a number, a text by size. */
import { type Clause, type Group, Leaf, type Place } from './clauses.ts';
import { formsOf, magnitudeOf, PlainScalar, quoted, type Scalar } from './scalar.ts';

type Kind = 'number' | 'boolean' | 'time' | 'text' | 'map' | 'list';

/** What fields are. What stands in metadata may be anything. */
const KINDS: ReadonlyMap<string, Kind> = new Map(
  Object.entries({
    number: ['interview.active_time'],
    boolean: ['interview.is_mock', 'interview.is_archived'],
    time: ['interview.created_at', 'interview.started_at', 'interview.ended_at', 'study.created_at'],
    text: [
      ...['event_type', 'source'],
      ...['id', 'title', 'status', 'type', 'recording_url', 'transcript', 'vid'].map((name) => `interview.${name}`),
      ...['id', 'title', 'type', 'mode'].map((name) => `study.${name}`),
    ],
    map: ['interview', 'interview.metadata', 'study', 'study.metadata'],
    list: ['interview.parsed_conversation_json'],
  } satisfies Record<Kind, string[]>).flatMap(([kind, paths]) => paths.map((path) => [path, kind as Kind] as const)),
);

const WORDS: Record<Kind, string> = {
  number: 'a number',
  boolean: 'true or false',
  time: 'a time',
  text: 'a text',
  map: 'a map',
  list: 'a list',
};

const FIXES: Record<Kind, string> = {
  number: 'Compare it with a number, such as 120 or { gte: 120 }.',
  boolean: 'Write true or false.',
  time: 'Compare it with times, such as { gte: 2026-11-23T09:00:00Z }, or write { starts_with: 2026-11-23 } for a day.',
  text: 'Compare it with a text, a list of texts, or { contains: … }.',
  map: 'Name a field in it, such as interview.metadata.plan.',
  list: 'What people said stands in interview.transcript: write { contains: … } there.',
};

const TEXTUAL = ['contains', 'starts_with', 'ends_with', 'matches'];

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
  const kind = KINDS.get(leaf.path);
  if (kind === undefined) return [];
  const told = (never: string, fix = FIXES[kind]): Misfit[] => {
    return [{ place: leaf.place, message: `${leaf.path} is ${WORDS[kind]}, and never ${never}`, fix }];
  };
  const asksText = TEXTUAL.includes(leaf.operator);
  if (asksText) return kind === 'text' || kind === 'time' ? [] : told(`a text that ${leaf.operator} could look into`);
  if (kind === 'text' && leaf.bound) return told(`a number or a time that ${leaf.operator} could compare`);
  if (leaf.bound) return leaf.bound.kind === kind ? [] : told(`compares with ${quoted(leaf.operand as Scalar)}`);
  const odd = leaf.equals?.find((value) => value !== null && !fits(value, kind));
  if (odd === undefined || odd === null) return [];
  const [, sign = '', bound] = (typeof odd === 'string' && /^([<>]=?)\s*(\S+)$/.exec(odd)) || [];
  const operator = new Map(Object.entries({ '>': 'gt', '>=': 'gte', '<': 'lt', '<=': 'lte' })).get(sign);
  if (operator) return told(`equals ${quoted(odd)}`, `Write { ${operator}: ${bound} }.`);
  return told(
    `equals ${quoted(odd)}`,
    kind === 'text' ? 'To ask whether it is there write { exists: true }.' : undefined,
  );
}

function fits(value: Scalar, kind: Kind): boolean {
  if (kind === 'map' || kind === 'list') return false;
  // A text can print like a number.
  if (kind === 'text') return !(value instanceof PlainScalar && typeof value.value === 'boolean');
  if (kind === 'boolean') return formsOf(value).some((form) => form === 'true' || form === 'false');
  const plain = value instanceof PlainScalar ? value.value : value;
  const isOfKind = magnitudeOf(plain)?.kind === kind;
  // A time equals only the very same text, and each has a time of the day.
  return kind === 'time' ? isOfKind && /T/i.test(String(plain)) : isOfKind;
}
