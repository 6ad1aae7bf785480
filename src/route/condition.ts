import { RE2JS } from 're2js';
import type { JsonValue } from '../model.ts';
import { nearest } from '../suggest.ts';
import { formsOf, isScalar, magnitudeOf, PlainScalar, printed, quoted, type Scalar } from './scalar.ts';

/** A test of one value, and what it says in words. */
export interface Check {
  words: string;
  test(value: JsonValue | undefined): boolean;
  /** All that a value which holds may print as; undefined when that is not known, or the value may be missing. */
  texts?: readonly string[];
}

/** Why a condition cannot be compiled. */
export class ConditionError extends Error {
  readonly fix: string | undefined;

  constructor(message: string, fix?: string) {
    super(message);
    this.fix = fix;
  }
}

/** Compiles the operand of an operator. Throws ConditionError. */
type Operator = (operand: unknown, name: string) => Check;

/** The operators, but `not`, which takes a condition. */
export const OPERATORS: ReadonlyMap<string, Operator> = new Map<string, Operator>([
  ['in', (operand) => anyOf(listOf(operand, 'in', 'Write `in: [a, b]`.'))],
  ['exists', exists],
  ['contains', textual('contains', contains)],
  ['starts_with', textual('starts with', (forms, value) => startsWithAny(value, forms))],
  ['ends_with', textual('ends with', (forms, value) => endsWithAny(value, forms))],
  ['matches', matches],
  ['gt', ordered('>', (value, bound) => value > bound)],
  ['gte', ordered('≥', (value, bound) => value >= bound)],
  ['lt', ordered('<', (value, bound) => value < bound)],
  ['lte', ordered('≤', (value, bound) => value <= bound)],
]);

/** What other languages call our operators. */
const OPERATORS_ELSEWHERE: Record<string, string> = {
  '>': 'gt',
  '>=': 'gte',
  '<': 'lt',
  '<=': 'lte',
  min: 'gte',
  max: 'lte',
  before: 'lt',
  after: 'gt',
  regex: 'matches',
  regexp: 'matches',
  match: 'matches',
  includes: 'contains',
  has: 'contains',
  prefix: 'starts_with',
  suffix: 'ends_with',
  one_of: 'in',
  any_of: 'in',
  ne: 'not',
  neq: 'not',
  not_in: 'not',
  present: 'exists',
};

/** Names of equality, for which we have no operator. */
const EQUALITY_ELSEWHERE = ['eq', 'equal', 'equals', 'is', '=', '=='];

/** Names of alternatives, which are a list. */
const ALTERNATIVES_ELSEWHERE = ['or', 'any', 'either'];

/** What to write for a mistyped or foreign operator, as a sentence; undefined for a name that is like none. */
export function operatorHint(name: string): string | undefined {
  const plain = name.toLowerCase().replaceAll(/[$\s-]/g, '');
  if (EQUALITY_ELSEWHERE.includes(plain)) return 'To compare for equality write the value itself.';
  if (ALTERNATIVES_ELSEWHERE.includes(plain)) return 'For any of several values write a list: [a, b].';
  const meant = Object.hasOwn(OPERATORS_ELSEWHERE, plain)
    ? OPERATORS_ELSEWHERE[plain]
    : nearest(
        name,
        [...OPERATORS.keys(), 'not'].filter((operator) => operator.length > 2),
      );
  return meant === undefined ? undefined : `Did you mean "${meant}"?`;
}

/** A scalar, a list of them, or null; anything else is left to the caller. */
export function plainCondition(condition: unknown): Check | undefined {
  if (condition === null) return { words: 'is missing', test: isMissing };
  if (isScalar(condition)) {
    const forms = formsOf(condition);
    return { words: `is ${quoted(condition)}`, test: (value) => equalsAny(value, forms), texts: forms };
  }
  return Array.isArray(condition) ? anyOf(listOf(condition, 'a list', '')) : undefined;
}

function isMissing(value: JsonValue | undefined): boolean {
  return value === undefined || value === null;
}

function equalsAny(value: JsonValue | undefined, forms: readonly string[]): boolean {
  const text = printed(value);
  return text !== undefined && forms.includes(text);
}

function listOf(operand: unknown, name: string, fix: string): (Scalar | null)[] {
  if (!Array.isArray(operand)) throw new ConditionError(`${name} takes a list, not ${kindOf(operand)}`, fix);
  if (operand.length === 0) throw new ConditionError('an empty list matches nothing', 'Name at least one value.');
  const odd = operand.find((entry) => entry !== null && !isScalar(entry));
  if (odd === undefined) return operand as (Scalar | null)[];
  throw new ConditionError(
    `a list holds plain values, not ${kindOf(odd)}`,
    'For several conditions write `any:` or `all:` with a list of conditions.',
  );
}

function anyOf(list: (Scalar | null)[]): Check {
  const forms = new Set(list.flatMap((entry) => (entry === null ? [] : formsOf(entry))));
  const takesMissing = list.includes(null);
  const words = list.map((entry) => (entry === null ? 'missing' : quoted(entry)));
  return {
    words: words.length === 1 ? `is ${words[0]}` : `is any of ${words.join(', ')}`,
    test(value) {
      if (isMissing(value)) return takesMissing;
      const text = printed(value);
      return text !== undefined && forms.has(text);
    },
    ...(!takesMissing && { texts: [...forms] }),
  };
}

function exists(operand: unknown): Check {
  const wanted = operand instanceof PlainScalar ? operand.value : operand;
  if (typeof wanted !== 'boolean') throw new ConditionError(`exists takes true or false, not ${kindOf(operand)}`);
  return { words: wanted ? 'is there' : 'is missing', test: (value) => isMissing(value) !== wanted };
}

/** An operator on texts; a list as operand means any of. */
function textual(words: string, holds: (forms: string[], value: JsonValue) => boolean): Operator {
  return (operand, name) => {
    const list = Array.isArray(operand) ? operand : [operand];
    const scalars = list.filter(isScalar);
    if (list.length === 0 || scalars.length < list.length) {
      throw new ConditionError(`${name} takes text, or a list of texts, not ${kindOf(operand)}`);
    }
    const forms = scalars.flatMap(formsOf);
    return {
      words: `${words} ${scalars.map(quoted).join(' or ')}`,
      test: (value) => value !== undefined && value !== null && holds(forms, value),
    };
  };
}

function contains(forms: string[], value: JsonValue): boolean {
  if (Array.isArray(value)) return value.some((element) => equalsAny(element, forms));
  const text = printed(value);
  return text !== undefined && forms.some((form) => text.includes(form));
}

function startsWithAny(value: JsonValue, forms: string[]): boolean {
  const text = printed(value);
  return text !== undefined && forms.some((form) => text.startsWith(form));
}

function endsWithAny(value: JsonValue, forms: string[]): boolean {
  const text = printed(value);
  return text !== undefined && forms.some((form) => text.endsWith(form));
}

function matches(operand: unknown): Check {
  if (!isScalar(operand)) throw new ConditionError(`matches takes a regular expression, not ${kindOf(operand)}`);
  const source = operand instanceof PlainScalar ? operand.text : String(operand);
  const pattern = compilePattern(source);
  return {
    words: `matches ${JSON.stringify(source)}`,
    test(value) {
      const text = printed(value);
      return text !== undefined && pattern.test(text);
    },
  };
}

function compilePattern(source: string): RE2JS {
  try {
    return RE2JS.compile(source);
  } catch (error) {
    const lookaround = /\(\?<?[=!]/.test(source);
    throw new ConditionError(
      `the regular expression cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      lookaround
        ? 'RE2 has no lookaround: combine two conditions with `all:` or `not:`.'
        : 'The syntax is that of RE2: https://github.com/google/re2/wiki/Syntax.',
    );
  }
}

function ordered(sign: string, holds: (value: number, bound: number) => boolean): Operator {
  return (operand, name) => {
    const bound = magnitudeOf(operand instanceof PlainScalar ? operand.value : operand);
    if (bound === undefined) {
      throw new ConditionError(
        `${name} takes a number or an ISO 8601 time, not ${isScalar(operand) ? quoted(operand) : kindOf(operand)}`,
        'Write for example `gte: 120` or `gte: 2026-11-23T09:00:00Z`.',
      );
    }
    return {
      words: `${sign} ${quoted(operand as Scalar)}`,
      test(value) {
        const magnitude = magnitudeOf(value);
        return magnitude !== undefined && magnitude.kind === bound.kind && holds(magnitude.value, bound.value);
      },
    };
  };
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object' && !(value instanceof PlainScalar)) return 'a map';
  return isScalar(value) ? quoted(value) : typeof value;
}
