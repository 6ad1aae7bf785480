/** Reads YAML into a tree that knows where each value stands: from a path of the config to its line and column. */
import { isAlias, isMap, isScalar, isSeq, type Node, type Pair, Scalar, type YAMLMap } from 'yaml';
import type { JsonObject, JsonValue } from '../model.ts';
import { nearest } from '../suggest.ts';
import type { YamlProblem } from './compose.ts';
import type { OptionPath } from './option-schema.ts';
import { composeRepairing, type Repair } from './repair.ts';
import { isSecretName } from './secrets.ts';
import type { Variables } from './substitute.ts';
import type { Texts } from './texts.ts';

/** Values that a config may have, its anchors expanded: what keeps an alias bomb small. */
const MOST_VALUES = 200_000;
const DEEPEST = 60;

/** One value of the config. */
export interface Located {
  /** Where it stands: of a value that came by an anchor, where it was used. */
  path: OptionPath;
  /** Offset of the value in the config's texts; of the `key:` too, when it has one. */
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

/** One file of the config. */
export interface LocatedFile {
  /** As messages call it. */
  name: string;
  /** Offset of the file in the config's texts. */
  start: number;
  /** Undefined when the file has no value at all, or is not YAML. */
  root: Located | undefined;
  /** What is no YAML. */
  syntax: YamlProblem[];
  problems: YamlProblem[];
  /** Where the file could only be read otherwise than it is written: nothing more is told of these values. */
  misread: OptionPath[];
  /** Sections that could not be read at all. */
  unread: ReadonlySet<string>;
}

/** Reads the files of one config. Never throws for what a text holds. */
export class Locator {
  readonly texts: Texts;
  readonly #variables: Variables;
  readonly #ignored: string | undefined;
  #values = 0;

  /** @param ignored a section that is not looked at, but for its YAML */
  constructor(texts: Texts, variables: Variables, ignored?: string) {
    this.texts = texts;
    this.#variables = variables;
    this.#ignored = ignored;
  }

  locate(name: string, text: string): LocatedFile {
    const start = this.texts.add(name, text);
    const { document, problems, repairs, unread } = composeRepairing(text);
    const walk = new Walk(text, {
      texts: this.texts,
      start,
      variables: this.#variables,
      repairs,
      values: this.#values,
    });
    const root = document?.contents ? walk.read(document.contents, [], undefined) : undefined;
    this.#values = walk.values;
    const ignored = walk.refused ? undefined : this.#ignored;
    if (ignored !== undefined) root?.entries?.delete(ignored);
    return {
      name,
      start,
      // Of a config that is too much, the part that was read would only look like another one.
      root: walk.refused ? undefined : root,
      syntax: problems.map((problem) => ({ ...problem, offset: start + problem.offset })),
      problems: walk.problems.filter(({ path }) => ignored === undefined || path[0] !== ignored),
      misread: walk.misread,
      unread,
    };
  }
}

interface WalkParts {
  texts: Texts;
  /** Offset of the file in the config's texts. */
  start: number;
  variables: Variables;
  repairs: ReadonlyMap<number, Repair>;
  /** How many the files before have. */
  values: number;
}

class Walk {
  readonly problems: YamlProblem[] = [];
  readonly misread: OptionPath[] = [];
  readonly #text: string;
  readonly #parts: WalkParts;
  readonly #anchors = new Map<string, Node>();
  values: number;
  /** Maps and lists that the value being read stands in. An anchor that contains itself makes it grow without end. */
  #depth = 0;
  refused = false;

  constructor(text: string, parts: WalkParts) {
    this.#text = text;
    this.#parts = parts;
    this.values = parts.values;
  }

  read(node: unknown, path: OptionPath, keyOffset: number | undefined): Located {
    const resolved = this.#follow(node, path, keyOffset);
    const located: Located = {
      path,
      offset: resolved?.range ? this.#parts.start + resolved.range[0] : (keyOffset ?? this.#parts.start),
      keyOffset,
      scalar: null,
      source: '',
      plain: false,
      block: false,
      substituted: undefined,
      entries: undefined,
      items: undefined,
    };
    this.values += 1;
    if (this.values > MOST_VALUES || this.#depth > DEEPEST) this.#refuse(path, located.offset);
    else if (isScalar(resolved)) this.#scalar(resolved, located);
    else if (isMap(resolved) || isSeq(resolved)) {
      located.scalar = undefined;
      this.#depth += 1;
      if (isMap(resolved)) located.entries = this.#map(resolved, path);
      else located.items = resolved.items.map((item, index) => this.read(item, [...path, index], undefined));
      this.#depth -= 1;
    }
    return located;
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
    const meant = nearest(node.source, this.#anchors.keys());
    this.misread.push(path);
    this.problems.push({
      level: 'error',
      code: 'RELAY_CONFIG_SYNTAX',
      offset: node.range ? this.#parts.start + node.range[0] : (keyOffset ?? this.#parts.start),
      path,
      message: `there is no anchor "${node.source}" before this`,
      fix:
        path[0] === 'include'
          ? `Put the pattern in quotes: "*${node.source}".`
          : meant !== undefined
            ? `Did you mean *${meant}?`
            : `Write &${node.source} at the value that *${node.source} repeats, or put the text in quotes.`,
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
        const first = this.#parts.texts.place(own.get(name)?.keyOffset ?? 0).line;
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
    const offset = this.#parts.start + (key?.range?.[0] ?? 0);
    const refuse = (message: string, fix: string) => {
      this.problems.push({ level: 'error', code: 'RELAY_CONFIG_SYNTAX', offset, path, message, fix });
      return undefined;
    };
    if (!isScalar(key)) {
      // `{{ … }}` is told as the trap that it is; see traps.ts.
      if (isMap(key) || isSeq(key)) return { name: this.#text.slice(...rangeOf(key)), offset, plain: false };
      return refuse('this key is no text', 'Write the key as text.');
    }
    const meant = this.#repaired(key, (text) => [...path, text]);
    const plain = key.type === Scalar.PLAIN && meant === undefined;
    const name = meant ?? (plain ? String(key.source ?? key.value ?? '') : String(key.value));
    if (name === '__proto__') return refuse('"__proto__" cannot be a key', 'Give it another name.');
    if (plain && name === '')
      return refuse('a key is missing before the ":"', 'Write the name of an option, or put the text in quotes.');
    return { name, offset, plain };
  }

  /** `<<: *anchor`, or a list of them: what they have and the map itself lacks. The first one that has a key gives it. */
  #merge(value: unknown, path: OptionPath, offset: number, into: Map<string, Located>): void {
    const node = this.#follow(value, [...path, '<<'], offset);
    if (node === undefined && isAlias(value)) return;
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

  /** The text that was meant where a repaired one stands, whose place in the config is known from now on. */
  #repaired(node: Node, pathOf: (text: string) => OptionPath): string | undefined {
    const repair = node.range ? this.#parts.repairs.get(node.range[0]) : undefined;
    if (repair === undefined) return undefined;
    const text = repair.text ?? '…';
    const path = pathOf(text);
    if (repair.problem.path.length === 0) repair.problem.path = path;
    this.misread.push(path);
    return text;
  }

  #scalar(node: Scalar, located: Located): void {
    const meant = this.#repaired(node, () => located.path);
    const value = meant ?? node.value;
    located.plain = meant === undefined && (node.type === Scalar.PLAIN || node.type === undefined);
    located.block = node.type === Scalar.BLOCK_LITERAL || node.type === Scalar.BLOCK_FOLDED;
    located.source = meant ?? node.source ?? String(value ?? '');
    if (typeof value === 'number' || typeof value === 'boolean') located.scalar = value;
    if (typeof value !== 'string') return;
    located.scalar = value;
    const substitution = this.#parts.variables.substitute(value, located.path.some(isSecretKey));
    if (substitution === undefined) return;
    located.scalar = substitution.text;
    located.substituted = { source: value, whole: substitution.whole };
    // A top-level `x-…` only holds anchors: what it lacks matters where they are used.
    if (String(located.path[0]).startsWith('x-')) return;
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
}

/** Is what stands below this key most likely secret? */
function isSecretKey(key: string | number): boolean {
  return key === 'headers' || key === 'credentials' || isSecretName(String(key));
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
export function isLeftOut({ scalar, substituted }: Located): boolean {
  return scalar === '' && substituted?.whole === true && substituted.source.endsWith(':-}');
}

/** The plain value of a tree, as JSON has it. */
export function plainValue(located: Located): JsonValue {
  if (!located.entries) return located.items ? located.items.map(plainValue) : (located.scalar ?? null);
  const value: JsonObject = {};
  for (const [key, entry] of located.entries) if (!isLeftOut(entry)) value[key] = plainValue(entry);
  return value;
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
