/** Turns zod's issues into words for the people who write the config, and never shows what must not be seen. */
import type { z } from 'zod';
import type { ErrorCode } from '../errors.ts';
import { didYouMean } from '../suggest.ts';
import { clip } from '../text.ts';
import type { OptionPath } from './option-schema.ts';
import { isSecretAt, keysAt, scalarTypesAt, schemaAt } from './option-schema.ts';

/** Something wrong about an option; the path leads into the options that were judged. */
export interface OptionProblem {
  code: ErrorCode;
  path: OptionPath;
  message: string;
  fix?: string;
  /** Where in the option's own text, one-based: of a template. */
  place?: { line: number; column: number };
  /** Is it the key that is wrong, and not what stands after it? */
  atKey?: boolean;
}

/** A value that came from a substitution. */
interface Substituted {
  /** As the config writes it, `${NAME}`: what a message shows in place of the value. */
  source: string;
  /** Is all of the text one substitution? Such a text may stand for a number or boolean. */
  whole: boolean;
}

/** Tells of the value at a path whether it came from a substitution. */
export type Quote = (path: OptionPath) => Substituted | undefined;

/** Stands for a message that the schema's author did not write, so that `explain` writes it. */
const UNWRITTEN = '\u0000';

const PARSING = { error: () => UNWRITTEN, reportInput: true };

/** Judges a value by a schema; the problems are in the words of `explainIssues`. */
export function judge<Schema extends z.ZodType>(
  schema: Schema,
  raw: unknown,
  quote: Quote = () => undefined,
): { value: z.output<Schema>; problems: [] } | { value: undefined; problems: OptionProblem[] } {
  const first = schema.safeParse(raw, PARSING);
  if (first.success) return { value: first.data, problems: [] };
  const typed = withTypedSubstitutions({ schema, raw, quote }, first.error.issues);
  const second = typed === undefined ? first : schema.safeParse(typed, PARSING);
  if (second.success) return { value: second.data, problems: [] };
  const problems = second.error.issues.flatMap((issue) => explain({ schema, raw, quote }, issue));
  return { value: undefined, problems: withoutMisspelt(problems) };
}

/** Leaves out that an option is missing where it is only misspelt. */
function withoutMisspelt(problems: OptionProblem[]): OptionProblem[] {
  const misspelt = problems.flatMap(({ code, path, message }) => {
    const meant = code === 'RELAY_CONFIG_UNKNOWN_KEY' ? / Did you mean "(.*)"\?$/.exec(message)?.[1] : undefined;
    return meant === undefined ? [] : [JSON.stringify([...path.slice(0, -1), meant])];
  });
  return problems.filter(
    ({ code, path }) => code !== 'RELAY_CONFIG_MISSING' || !misspelt.includes(JSON.stringify(path)),
  );
}

/**
 * A copy of the value in which each whole substitution that is not right as text, where a number or boolean may stand,
 * has become one. Undefined when there is nothing to change.
 */
function withTypedSubstitutions({ schema, raw, quote }: Judged, issues: z.core.$ZodIssue[]): unknown {
  let copy: unknown;
  for (const issue of issues) {
    const path = issue.path as OptionPath;
    const text = valueAt(raw, path);
    if (typeof text !== 'string' || quote(path)?.whole !== true) continue;
    const wanted = scalarTypesAt(schema, path);
    let value: number | boolean | undefined;
    if (wanted.has('boolean') && (text === 'true' || text === 'false')) value = text === 'true';
    else if (wanted.has('number') && /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) value = Number(text);
    if (value === undefined) continue;
    copy ??= structuredClone(raw);
    replaceAt(copy, path, value);
  }
  return copy;
}

function valueAt(tree: unknown, path: OptionPath): unknown {
  return path.reduce<unknown>((at, key) => (at as Record<string | number, unknown> | null | undefined)?.[key], tree);
}

function replaceAt(tree: unknown, path: OptionPath, value: unknown): void {
  const last = path.at(-1);
  if (last === undefined) return;
  let at = tree as Record<string | number, unknown>;
  for (const key of path.slice(0, -1)) at = at[key] as Record<string | number, unknown>;
  at[last] = value;
}

const TYPES: Record<string, string> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  bigint: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  tuple: 'a list',
  object: 'a map',
  record: 'a map',
  map: 'a map',
  null: 'nothing',
};

interface Judged {
  schema: z.ZodType;
  raw: unknown;
  quote: Quote;
}

function explain(judged: Judged, issue: z.core.$ZodIssue): OptionProblem[] {
  const { schema, raw, quote } = judged;
  const path = issue.path as OptionPath;
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => unknownKey([...path, key], keysAt(schema, path)));
  }
  if (issue.code === 'invalid_key') {
    const inner = issue.issues[0];
    const written = inner !== undefined && inner.message !== UNWRITTEN;
    const key = String(path.at(-1));
    return [
      { code: 'RELAY_CONFIG_INVALID', path, message: written ? inner.message : `"${key}" cannot be a name here` },
    ];
  }
  if (issue.code === 'invalid_union') {
    const nested = closestBranch(issue.errors);
    if (nested !== undefined) {
      return nested.flatMap((inner) =>
        explain(judged, { ...inner, path: [...path, ...inner.path] } as z.core.$ZodIssue),
      );
    }
  }
  if (issue.input === undefined && isRequired(issue)) {
    const about = schemaAt(schema, path)?.description;
    return [
      {
        code: 'RELAY_CONFIG_MISSING',
        path,
        message: `the option "${String(path.at(-1) ?? '')}" is missing`,
        ...(about !== undefined && {
          fix: `Add ${String(path.at(-1))}: ${about.replace(/^[A-Z](?![A-Z])/, (first) => first.toLowerCase())}`,
        }),
      },
    ];
  }
  const source = quote(path)?.source;
  // What the config says: a schema may have turned it into something else before it refused it.
  const value = valueAt(raw, path);
  const shown = source ?? (isSecretAt(schema, path) ? kindOf(value) : show(value));
  const wanted = issue.message === UNWRITTEN ? `expected ${expected(issue)}` : issue.message;
  const message = wanted.startsWith('expected ') && !wanted.includes(', found ') ? `${wanted}, found ${shown}` : wanted;
  const meant =
    issue.code === 'invalid_value' && typeof issue.input === 'string' && source === undefined
      ? didYouMean(issue.input, issue.values.map(String))
      : '';
  return [{ code: 'RELAY_CONFIG_INVALID', path, message: meant === '' ? message : `${message}.${meant}` }];
}

/** The problem of a key that is no option, where `keys` are the options. */
export function unknownKey(path: OptionPath, keys: string[]): OptionProblem {
  const key = String(path.at(-1));
  const meant = didYouMean(key, keys);
  return {
    code: 'RELAY_CONFIG_UNKNOWN_KEY',
    path,
    message: `no option "${key}".${meant}`,
    ...(meant === '' && keys.length > 0 && { fix: `The options here are ${keys.join(', ')}.` }),
  };
}

/** Of a union's branches, the one whose type was right, so that its inner problems are what to tell. */
function closestBranch(branches: z.core.$ZodIssue[][]): z.core.$ZodIssue[] | undefined {
  return branches.find(
    (issues) =>
      issues.length > 0 &&
      issues.every(
        (issue) =>
          issue.path.length > 0 ||
          !(issue.code === 'invalid_type' || issue.code === 'invalid_value' || issue.code === 'invalid_union'),
      ),
  );
}

function isRequired(issue: z.core.$ZodIssue): boolean {
  return (
    issue.path.length > 0 && ['invalid_type', 'invalid_value', 'invalid_union', 'invalid_format'].includes(issue.code)
  );
}

function expected(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return TYPES[issue.expected] ?? issue.expected;
    case 'invalid_value':
      return `${issue.values.length > 1 ? 'one of ' : ''}${issue.values.map((value) => JSON.stringify(value)).join(', ')}`;
    case 'invalid_union': {
      const names = new Set(issue.errors.flatMap((branch) => branch.slice(0, 1).map(expected)));
      if (names.size > 0) return [...names].join(' or ');
      const { options } = issue as { options?: unknown[] };
      return options === undefined
        ? 'another value'
        : `one of ${options.map((option) => JSON.stringify(option)).join(', ')}`;
    }
    case 'too_small':
      return `${atLeast(issue.origin, Number(issue.minimum))}${issue.inclusive === false ? ' (and more than that)' : ''}`;
    case 'too_big':
      return atMost(issue.origin, Number(issue.maximum));
    case 'invalid_format':
      return FORMATS[issue.format] ?? `text of the form ${String(issue.pattern ?? issue.format)}`;
    case 'not_multiple_of':
      return `a multiple of ${issue.divisor}`;
    default:
      return 'another value';
  }
}

const FORMATS: Record<string, string> = {
  url: 'an address such as https://example.com/path',
  email: 'an e-mail address',
  uuid: 'an id such as 2f6c1c52-0000-4000-8000-000000000000',
  ipv4: 'an IPv4 address',
  ipv6: 'an IPv6 address',
};

function atLeast(origin: string, minimum: number): string {
  if (origin === 'string') return minimum === 1 ? 'text that is not empty' : `text of at least ${minimum} characters`;
  if (origin === 'array' || origin === 'set')
    return minimum === 1 ? 'a list with at least one entry' : `a list with at least ${minimum} entries`;
  return `a number of at least ${minimum}`;
}

function atMost(origin: string, maximum: number): string {
  if (origin === 'string') return `text of at most ${maximum} characters`;
  if (origin === 'array' || origin === 'set') return `a list with at most ${maximum} entries`;
  return `a number of at most ${maximum}`;
}

/** A value in a message: a short text or scalar as it is, anything else by its kind. */
function show(value: unknown): string {
  if (value === '') return 'an empty text';
  if (typeof value === 'string') return JSON.stringify(clip(withoutAccess(value), 60));
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return kindOf(value);
}

/** An address without what may give access in it: user and password, and what follows the `?`. */
function withoutAccess(text: string): string {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text.replace(/\/\/[^/?#]*@/, '//…@').replace(/[?#].*$/s, '?…') : text;
}

/** What a value is, without showing any of it. */
export function kindOf(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (value === '') return 'an empty text';
  if (typeof value === 'string') return 'a text';
  if (typeof value === 'number' || typeof value === 'bigint') return 'a number';
  if (typeof value === 'boolean') return 'true or false';
  return Array.isArray(value) ? 'a list' : 'a map';
}
