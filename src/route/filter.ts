import type { ErrorCode } from '../errors.ts';
import type { JsonValue, RoutedFields } from '../model.ts';
import { type Check, ConditionError, OPERATORS, operatorHint, plainCondition } from './condition.ts';
import { hasFields, isKnownPath, suggestPath } from './fields.ts';
import { colonSlip, type Path, parsePath, printPath, readPath } from './path.ts';
import { PlainScalar } from './scalar.ts';

export { PlainScalar } from './scalar.ts';

/** One condition of a filter, and how an event met it. */
export interface Condition {
  /** As the config writes it: `interview.metadata.plan`. */
  path: string;
  /** In words: `is "enterprise"`, `is any of "a", "b"`, `≥ 120`. */
  condition: string;
  /** What the event has there; undefined when the path is missing. */
  value: JsonValue | undefined;
  held: boolean;
}

/** Conditions of which all, or at least one, had to hold. */
interface Group {
  group: 'all' | 'any';
  held: boolean;
  parts: Told[];
}

/** What an explanation consists of. */
export type Told = Condition | Group;

type Test = (fields: RoutedFields) => boolean;

/** What an event must have so that a filter holds: a field that prints as one of some texts. */
export interface Equality {
  path: Path;
  texts: readonly string[];
  /** What decides about an event that has it; undefined when it matches by that alone. */
  rest: Test | undefined;
}

/** A compiled `when`. No method throws, whatever an event holds. */
export interface Filter {
  test(fields: RoutedFields): boolean;
  /**
   * The conditions that decided. Of `any` that holds only the alternative that did; below `not` each condition is told, and
   * judged, the other way round.
   */
  explain(fields: RoutedFields): Condition[];
  /** The same, with the groups in which alternatives failed. All of these must hold. */
  tree(fields: RoutedFields): Told[];
  /** All of these are met by whatever the filter holds for; empty when it asks for no certain values. */
  readonly equalities: readonly Equality[];
}

/** Something wrong (or suspicious) about a `when`; the path leads into it. */
export interface FilterProblem {
  level: 'error' | 'warning';
  code: ErrorCode;
  path: (string | number)[];
  message: string;
  fix?: string;
  /** Is it the last key of the path that is wrong, and not what stands after it? */
  atKey?: boolean;
}

/** A part of a filter. `wanted` is false below a `not`. */
interface Part {
  test(fields: RoutedFields): boolean;
  tree(fields: RoutedFields, wanted: boolean): Told[];
  /** Those of its conditions that must be met in any case. */
  equalities?: readonly Equality[];
}

/** What other languages call our groups. */
const GROUPS_ELSEWHERE: Record<string, string> = { and: 'all', or: 'any', none: 'not', nor: 'not' };

/**
 * Compiles a `when`: a map from paths to conditions, of which all must hold. Every problem comes at once; there is a filter
 * unless one of them is an error.
 */
export function compileFilter(when: unknown): { filter: Filter | undefined; problems: FilterProblem[] } {
  const compiler = new Compiler();
  const part = compiler.entries(when, [], allOf);
  if (compiler.problems.some(({ level }) => level === 'error'))
    return { filter: undefined, problems: compiler.problems };
  const tree = (fields: RoutedFields) => part.tree(fields, true);
  const { test, equalities = [] } = part;
  const filter: Filter = { test, explain: (fields) => flat(tree(fields)), tree, equalities };
  return { filter, problems: compiler.problems };
}

type Place = (string | number)[];
type Join = (parts: Part[]) => Part;

class Compiler {
  readonly problems: FilterProblem[] = [];

  /** A map from paths and groups to conditions. Only a whole filter may be empty: it matches everything. */
  entries(map: unknown, place: Place, join: Join): Part {
    if (!isMap(map)) {
      const fix = Array.isArray(map)
        ? 'Write `any:` or `all:` before the list.'
        : map === null
          ? 'Indent its conditions further than this line, or remove it.'
          : 'Write for example `study.id: study_123`.';
      const slip = typeof map === 'string' ? colonSlip(map) : undefined;
      const more = slip ? `: ${slip.message}` : '';
      return this.#error(place, `a filter is a map from paths to conditions${more}`, slip?.fix ?? fix);
    }
    const entries = Object.entries(map);
    if (entries.length === 0 && place.length > 0) return this.#empty(place);
    return join(entries.map(([key, value]) => this.#entry(key, value, [...place, key])));
  }

  #entry(key: string, value: unknown, place: Place): Part {
    if (key === 'not') return negation(this.entries(value, place, allOf));
    if (key === 'all' || key === 'any') return this.#group(key, value, place);
    const meant = GROUPS_ELSEWHERE[key.toLowerCase()];
    if (meant !== undefined && (Array.isArray(value) || isMap(value))) {
      return this.#error(place, `there is no group "${key}"`, `Did you mean "${meant}"?`);
    }
    if (OPERATORS.has(key) || /^[<>=!]+$/.test(key)) {
      const fix = 'Indent it further than its path, or write both in one line: `interview.active_time: { gte: 120 }`.';
      return this.#keyError(place, `"${key}" belongs below a path`, fix);
    }
    const slip = colonSlip(key);
    if (slip !== undefined) return this.#keyError(place, slip.message, slip.fix);
    let path: Path;
    try {
      path = parsePath(key);
    } catch (error) {
      const fix = 'A name with dots in it is quoted in brackets: `interview.metadata["a.b"]`.';
      return this.#error(place, error instanceof Error ? error.message : String(error), fix);
    }
    const problems = this.problems.length;
    const part = this.#condition(path, value, place);
    // A nested map is told as such, and not also as a path that does not exist.
    if (this.problems.length === problems) this.#warnOfPath(path, place);
    return part;
  }

  /** Members as a list of maps; a map's entries are members too. */
  #group(kind: 'all' | 'any', value: unknown, place: Place): Part {
    const join = kind === 'all' ? allOf : anyOf;
    if (!Array.isArray(value)) return this.entries(value, place, join);
    if (value.length === 0) return this.#empty(place);
    return join(value.map((member, index) => this.entries(member, [...place, index], allOf)));
  }

  #empty(place: Place): Part {
    return this.#error(place, 'there is no condition here', 'Write at least one, or leave the group out.');
  }

  #condition(path: Path, condition: unknown, place: Place): Part {
    if (isMap(condition)) return this.#operators(path, condition, place);
    try {
      const check = plainCondition(condition);
      if (check !== undefined) return leaf(path, check);
      return this.#error(place, `a condition is a value, a list or a map of operators, not ${typeof condition}`);
    } catch (error) {
      return this.#conditionError(place, error);
    }
  }

  #operators(path: Path, map: Record<string, unknown>, place: Place): Part {
    const names = Object.keys(map);
    if (names.length === 0) {
      return this.#error(place, 'the condition is empty', 'Write a value, a list, or an operator such as `gte: 120`.');
    }
    if (hasFields(path) && names.some((name) => isFieldName(path, name))) return this.#nested(path, map, place);
    return allOf(names.map((name) => this.#operator(path, name, map[name], [...place, name])));
  }

  #operator(path: Path, name: string, operand: unknown, place: Place): Part {
    if (name === 'not') return negation(this.#condition(path, operand, place));
    const compile = OPERATORS.get(name);
    if (compile === undefined) {
      const operators = `The operators are ${[...OPERATORS.keys(), 'not'].join(', ')}.`;
      return this.#error(place, `there is no operator "${name}"`, operatorHint(name) ?? operators);
    }
    try {
      return leaf(path, compile(operand, name));
    } catch (error) {
      return this.#conditionError(place, error);
    }
  }

  #nested(path: Path, map: Record<string, unknown>, place: Place): Part {
    const paths = leavesOf(path, map).map((found) => `\`${printPath(found)}\``);
    const fix = `Write ${paths.slice(0, 3).join(', ')}${paths.length > 3 ? ', …' : ''}.`;
    this.problems.push({
      level: 'error',
      code: 'RELAY_CONFIG_TRAP',
      path: place,
      message: 'a filter names a field by one path, not by maps within maps.',
      fix,
    });
    return NEVER;
  }

  #warnOfPath(path: Path, place: Place): void {
    if (isKnownPath(path)) return;
    const meant = suggestPath(path);
    const isEvent = path[0] === 'event' && meant === undefined;
    this.problems.push({
      level: 'warning',
      code: 'RELAY_CONFIG_PATH',
      path: place,
      message: `${isEvent ? 'for filters there is' : 'interview.completed has'} no "${printPath(path)}".`,
      fix:
        meant === undefined ? 'Paths begin with event_type, source, interview or study.' : `Did you mean "${meant}"?`,
    });
  }

  #conditionError(place: Place, error: unknown): Part {
    if (!(error instanceof ConditionError)) throw error;
    return this.#error(place, error.message, error.fix);
  }

  #keyError(path: Place, message: string, fix: string): Part {
    this.problems.push({ level: 'error', code: 'RELAY_CONFIG_FILTER', path, message: `${message}.`, fix, atKey: true });
    return NEVER;
  }

  #error(path: Place, message: string, fix?: string): Part {
    this.problems.push({
      level: 'error',
      code: 'RELAY_CONFIG_FILTER',
      path,
      message: `${message}.`,
      ...(fix && { fix }),
    });
    return NEVER;
  }
}

/** Stands where there was an error; such a filter is never used. */
const NEVER: Part = { test: () => false, tree: () => [] };

function leaf(path: Path, check: Check): Part {
  const text = printPath(path);
  const { test } = check;
  return {
    test: (fields) => test(readPath(fields, path)),
    tree(fields, wanted) {
      const value = readPath(fields, path);
      const condition = wanted ? check.words : negated(check.words);
      return [{ path: text, condition, value, held: check.test(value) === wanted }];
    },
    equalities: check.texts ? [{ path, texts: check.texts, rest: undefined }] : [],
  };
}

function negation(part: Part): Part {
  return { test: (fields) => !part.test(fields), tree: (fields, wanted) => part.tree(fields, !wanted) };
}

function allOf(parts: Part[]): Part {
  return {
    test: conjunction(parts.map(({ test }) => test)) ?? (() => true),
    tree: (fields, wanted) => (wanted ? tellAll(parts, fields, wanted) : tellAny(parts, fields, wanted)),
    equalities: parts.flatMap((part) => {
      const others = parts.filter((other) => other !== part).map(({ test }) => test);
      return (part.equalities ?? []).map(({ rest, ...equality }) => ({
        ...equality,
        rest: conjunction(rest ? [...others, rest] : others),
      }));
    }),
  };
}

function conjunction(tests: Test[]): Test | undefined {
  if (tests.length < 2) return tests[0];
  return (fields) => tests.every((test) => test(fields));
}

function anyOf(parts: Part[]): Part {
  const test: Test = (fields) => parts.some((part) => part.test(fields));
  return {
    test,
    tree: (fields, wanted) => (wanted ? tellAny(parts, fields, wanted) : tellAll(parts, fields, wanted)),
    equalities: sharedEqualities(parts, test),
  };
}

/** Of alternatives: the fields that each of them asks for, with the texts of all. */
function sharedEqualities(parts: Part[], rest: Test): Equality[] {
  const [first = [], ...others] = parts.map(({ equalities = [] }) => equalities);
  return first.flatMap(({ path, texts }) => {
    const field = printPath(path);
    const more = others.map((each) => each.find((other) => printPath(other.path) === field)?.texts);
    return more.includes(undefined) ? [] : [{ path, texts: [texts, ...more].flatMap((each) => each ?? []), rest }];
  });
}

function tellAll(parts: Part[], fields: RoutedFields, wanted: boolean): Told[] {
  return parts.flatMap((part) => part.tree(fields, wanted));
}

/** The alternative that held; else all of them, as a group. */
function tellAny(parts: Part[], fields: RoutedFields, wanted: boolean): Told[] {
  const held = parts.find((part) => part.test(fields) === wanted);
  if (held !== undefined) return held.tree(fields, wanted);
  const told = parts.map((part) => part.tree(fields, wanted));
  if (told.length < 2) return told.flat();
  const alternatives = told.map((each): Told[] =>
    each.length < 2 ? each : [{ group: 'all', held: false, parts: each }],
  );
  return [{ group: 'any', held: false, parts: alternatives.flat() }];
}

/** The conditions of an explanation, without its groups. */
function flat(told: Told[]): Condition[] {
  return told.flatMap((each) => ('group' in each ? flat(each.parts) : [each]));
}

/** The words of a condition that must not hold. */
export function negated(words: string): string {
  return words.startsWith('is ') ? `is not ${words.slice(3)}` : `not: ${words}`;
}

/** A map of the config, and no scalar. */
export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof PlainScalar);
}

/** Whether a key below a path that has fields is one of them, rather than an operator, well or badly spelled. */
function isFieldName(path: Path, name: string): boolean {
  if (name === 'not' || OPERATORS.has(name)) return false;
  const isField = path[1] === undefined && isKnownPath([...path, name]);
  return isField || operatorHint(name) === undefined;
}

/** The paths that nested maps lead to: down to values, lists and maps of operators. */
function leavesOf(path: Path, map: Record<string, unknown>): Path[] {
  return Object.entries(map).flatMap(([name, value]) => {
    const inner = [...path, name];
    const deeper = isMap(value) && Object.keys(value).some((key) => isFieldName(inner, key));
    return deeper ? leavesOf(inner, value) : [inner];
  });
}
