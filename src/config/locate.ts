/** Reads YAML into a tree that knows where each value stands: from a path of the config to its line and column. */
import {
  Composer,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  Parser,
  Scalar,
  type YAMLMap,
} from 'yaml';
import type { ErrorCode } from '../errors.ts';
import type { JsonValue } from '../model.ts';
import type { OptionPath } from './option-schema.ts';
import type { Variables } from './substitute.ts';

/** Values that a config may have, its anchors expanded: what keeps an alias bomb small. */
const MOST_VALUES = 300_000;
const DEEPEST = 60;
/** Syntax errors that are told: more only repeat the first. */
const MOST_ERRORS = 20;

/** One value of the config. */
export interface Located {
  /** Where it stands: of a value that came by an anchor, where it was used. */
  path: OptionPath;
  /** Offset of the value in the file; of the `key:` too, when it has one. */
  offset: number;
  keyOffset: number | undefined;
  /** The scalar, substituted; undefined for a map or a list. */
  scalar: string | number | boolean | null | undefined;
  /** How the scalar is written, without its quotes. */
  source: string;
  /** Is the scalar written without quotes? */
  plain: boolean;
  /** Does a text of several lines begin on the line after its `|` or `>`? */
  block: boolean;
  /** Of a scalar that holds a `${…}`. */
  substituted: { source: string; whole: boolean } | undefined;
  entries: Map<string, Located> | undefined;
  items: Located[] | undefined;
}

export interface YamlProblem {
  level: 'error' | 'warning';
  code: ErrorCode;
  offset: number;
  path: OptionPath;
  message: string;
  fix?: string;
}

export interface LocatedConfig {
  /** Undefined when the file has no value at all, or is not YAML. */
  root: Located | undefined;
  problems: YamlProblem[];
  place(offset: number): { line: number; column: number };
}

/** What the parser says, before it is put into words. */
export interface SyntaxIssue {
  code: string;
  offset: number;
  message: string;
}

/**
 * Reads a config's text. Never throws for what a text holds.
 * @param explain puts the parser's errors into words for a person
 */
export function locate(
  text: string,
  variables: Variables,
  explain: (issues: SyntaxIssue[], text: string) => YamlProblem[],
): LocatedConfig {
  const lines = new LineCounter();
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const { document, issues } = compose(text, lines);
  if (issues.length > 0) return { root: undefined, problems: explain(issues, text).slice(0, MOST_ERRORS), place };
  const walk = new Walk(text, variables, (offset) => place(offset).line);
  const root = document?.contents ? walk.read(document.contents, [], undefined) : undefined;
  // Of a config that is too much, the part that was read would only look like another one.
  return { root: walk.refused ? undefined : root, problems: walk.problems, place };
}

/** Stops the parser: a long file that is wrong in every line would take it seconds. */
class EnoughErrors extends Error {}

/** What `parseDocument` of the library does, but that it ends after so many errors. */
function compose(text: string, lines: LineCounter): { document: Document.Parsed | undefined; issues: SyntaxIssue[] } {
  const issues: SyntaxIssue[] = [];
  // The library compares each key with each other one; `Walk` sees a repeated key in one step.
  const composer = new Composer({ lineCounter: lines, prettyErrors: false, uniqueKeys: false, logLevel: 'error' });
  const found = (source: ErrorSource, code: string, message: string) => {
    const offset = typeof source === 'number' ? source : Array.isArray(source) ? source[0] : source.offset;
    issues.push({ code, offset, message });
    if (issues.length >= MOST_ERRORS * 5) throw new EnoughErrors();
  };
  Object.assign(composer, { onError: found });
  let document: Document.Parsed | undefined;
  try {
    for (const each of composer.compose(new Parser(lines.addNewLine).parse(text), true, text.length)) {
      if (document) found(each.range[0], 'MULTIPLE_DOCS', 'a second document');
      document ??= each;
    }
  } catch (error) {
    if (!(error instanceof EnoughErrors)) throw error;
  }
  return { document, issues };
}

type ErrorSource = number | [number, number] | { offset: number };

class Walk {
  readonly problems: YamlProblem[] = [];
  readonly #text: string;
  readonly #variables: Variables;
  readonly #anchors = new Map<string, Node>();
  readonly #lineOf: (offset: number) => number;
  #values = 0;
  /** Maps and lists that the value being read stands in. An anchor that contains itself makes it grow without end. */
  #depth = 0;
  refused = false;

  constructor(text: string, variables: Variables, lineOf: (offset: number) => number) {
    this.#text = text;
    this.#variables = variables;
    this.#lineOf = lineOf;
  }

  read(node: unknown, path: OptionPath, keyOffset: number | undefined): Located {
    const resolved = this.#follow(node, path, keyOffset);
    const offset = resolved?.range?.[0] ?? keyOffset ?? 0;
    const located: Located = {
      path,
      offset,
      keyOffset,
      scalar: undefined,
      source: '',
      plain: false,
      block: false,
      substituted: undefined,
      entries: undefined,
      items: undefined,
    };
    this.#values += 1;
    if (this.#values > MOST_VALUES || this.#depth > DEEPEST) {
      this.#refuse(path, offset);
      return { ...located, scalar: null };
    }
    if (isScalar(resolved)) return this.#scalar(resolved, located);
    this.#depth += 1;
    try {
      if (isMap(resolved)) return { ...located, entries: this.#map(resolved, path) };
      if (!isSeq(resolved)) return { ...located, scalar: null };
      return { ...located, items: resolved.items.map((item, index) => this.read(item, [...path, index], undefined)) };
    } finally {
      this.#depth -= 1;
    }
  }

  /** Says once that the config is too much; the rest of it is left unread. */
  #refuse(path: OptionPath, offset: number): void {
    if (this.refused) return;
    this.refused = true;
    const message =
      this.#depth > DEEPEST
        ? `this is nested more than ${DEEPEST} levels deep, or is an anchor that contains itself`
        : `the config has more than ${MOST_VALUES} values, its anchors expanded`;
    this.problems.push({ level: 'error', code: 'RELAY_CONFIG_SYNTAX', offset, path: path.slice(0, 4), message });
  }

  /** What an alias stands for. An anchor holds from where it is written on, and may be written again. */
  #follow(node: unknown, path: OptionPath, keyOffset: number | undefined): Node | undefined {
    if (!isAlias(node)) {
      const anchored = node as (Node & { anchor?: string }) | null;
      if (anchored?.anchor !== undefined) this.#anchors.set(anchored.anchor, anchored);
      return anchored ?? undefined;
    }
    const target = this.#anchors.get(node.source);
    if (target !== undefined) return target;
    this.problems.push({
      level: 'error',
      code: 'RELAY_CONFIG_SYNTAX',
      offset: node.range?.[0] ?? keyOffset ?? 0,
      path,
      message: `there is no anchor "${node.source}" before this`,
      fix: `Write &${node.source} at the value that *${node.source} repeats, or put the text in quotes.`,
    });
    return undefined;
  }

  #map(map: YAMLMap, path: OptionPath): Map<string, Located> {
    const own = new Map<string, Located>();
    const merged = new Map<string, Located>();
    for (const pair of map.items) {
      const key = this.#key(pair, path);
      if (key === undefined) continue;
      const { name, offset, plain } = key;
      if (name === '<<' && plain) {
        this.#merge(pair.value, path, offset, merged);
      } else if (own.has(name)) {
        const first = this.#lineOf(own.get(name)?.keyOffset ?? 0);
        this.problems.push({
          level: 'error',
          code: 'RELAY_CONFIG_INVALID',
          offset,
          path: [...path, name],
          message: `"${name}" is here twice: first in line ${first}`,
          fix: 'Keep one of them.',
        });
      } else {
        own.set(name, this.read(pair.value, [...path, name], offset));
      }
    }
    for (const [name, value] of merged) if (!own.has(name)) own.set(name, value);
    return own;
  }

  #key(pair: Pair, path: OptionPath): { name: string; offset: number; plain: boolean } | undefined {
    const key = pair.key as Node | null;
    const offset = key?.range?.[0] ?? 0;
    const refuse = (message: string, fix: string) => {
      this.problems.push({ level: 'error', code: 'RELAY_CONFIG_SYNTAX', offset, path, message, fix });
      return undefined;
    };
    if (!isScalar(key)) {
      // `{{ … }}` is told as the trap that it is; see traps.ts.
      if (isMap(key) || isSeq(key)) return { name: this.#text.slice(...rangeOf(key)), offset, plain: false };
      return refuse('this key is no text', 'Write the key as text.');
    }
    const plain = key.type === Scalar.PLAIN;
    const name = plain ? String(key.source ?? key.value ?? '') : String(key.value);
    if (name === '__proto__') return refuse('"__proto__" cannot be a key', 'Give it another name.');
    if (plain && name === '')
      return refuse('a key is missing before the ":"', 'Write the name of an option, or put the text in quotes.');
    return { name, offset, plain };
  }

  /** `<<: *anchor`, or a list of them: what they have and the map itself lacks. The first one that has a key gives it. */
  #merge(value: unknown, path: OptionPath, offset: number, into: Map<string, Located>): void {
    const node = this.#follow(value, [...path, '<<'], offset);
    const sources = isSeq(node) ? node.items : [value];
    for (const source of sources) {
      const { entries } = this.read(source, path, offset);
      for (const [name, entry] of entries ?? []) if (!into.has(name)) into.set(name, entry);
      if (entries !== undefined) continue;
      this.problems.push({
        level: 'error',
        code: 'RELAY_CONFIG_SYNTAX',
        offset,
        path: [...path, '<<'],
        message: 'only a map can be merged with <<',
        fix: 'Write <<: *name, where &name stands before a map.',
      });
    }
  }

  #scalar(node: Scalar, located: Located): Located {
    const { value } = node;
    const plain = node.type === Scalar.PLAIN || node.type === undefined;
    const block = node.type === Scalar.BLOCK_LITERAL || node.type === Scalar.BLOCK_FOLDED;
    const found = { ...located, plain, block, source: node.source ?? String(value ?? '') };
    if (typeof value !== 'string') {
      return { ...found, scalar: typeof value === 'number' || typeof value === 'boolean' ? value : null };
    }
    const substitution = this.#variables.substitute(value);
    if (substitution === undefined) return { ...found, scalar: value };
    // A top-level `x-…` only holds anchors: what it lacks matters where they are used.
    if (!String(located.path[0]).startsWith('x-')) {
      for (const problem of substitution.problems) {
        this.problems.push({
          level: 'error',
          code: 'RELAY_CONFIG_VARIABLE',
          offset: located.offset,
          path: located.path,
          ...problem,
        });
      }
    }
    return { ...found, scalar: substitution.text, substituted: { source: value, whole: substitution.whole } };
  }
}

function rangeOf(node: Node): [number, number] {
  return [node.range?.[0] ?? 0, node.range?.[1] ?? 0];
}

/** The value at a path; the nearest one above it, when there is none. */
export function nearestAt(root: Located, path: OptionPath): { located: Located; exact: boolean } {
  let located = root;
  for (const key of path) {
    const inner = located.entries?.get(String(key)) ?? located.items?.[Number(key)];
    if (inner === undefined) return { located, exact: false };
    located = inner;
  }
  return { located, exact: true };
}

/** Is the value one `${NAME:-}` whose variable is empty? Such an option counts as not given. */
function isLeftOut({ scalar, substituted }: Located): boolean {
  return scalar === '' && substituted?.whole === true && substituted.source.endsWith(':-}');
}

/** The plain value of a tree, as JSON has it. */
export function plainValue(located: Located): JsonValue {
  if (located.entries) {
    const given = [...located.entries].filter(([, entry]) => !isLeftOut(entry));
    return Object.fromEntries(given.map(([key, entry]) => [key, plainValue(entry)]));
  }
  return located.items ? located.items.map(plainValue) : (located.scalar ?? null);
}

/** `routes[2].to`, `destinations.tracker.columns["Interview ID"]`. */
export function printPath(path: OptionPath): string {
  return path
    .map((key, index) => {
      if (typeof key === 'number') return `[${key}]`;
      return /^[\w-]+$/.test(key) ? `${index === 0 ? '' : '.'}${key}` : `[${JSON.stringify(key)}]`;
    })
    .join('');
}
