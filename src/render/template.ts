import { distance } from 'fastest-levenshtein';
import { Liquid, LiquidError, Output, type Template as Parsed } from 'liquidjs';
import type { Item } from '../connector.ts';
import type { JsonValue } from '../model.ts';
import type { Structure, Template, TemplateOptions } from '../options.ts';
import { didYouMean } from '../suggest.ts';
import { clip } from '../text.ts';
import { addFilters, ITEM } from './filters.ts';
import { printValue, typedValue } from './value.ts';

/**
 * What one template may use: characters of its source, and characters and entries that it makes. Far above what a
 * transcript of 5 MB needs, so that only a runaway template meets them.
 */
const LIMITS = { parseLimit: 100_000, memoryLimit: 30_000_000 };

/**
 * Milliseconds of one rendering, for any event and for each megabyte of it: nothing else of the relay runs meanwhile.
 * Measured on 2 cores: a loop over the 25,000 turns of 5 MB takes 350 ms, and 800 ms when it clips each of them.
 */
const RENDERING = { usual: 300, perMegabyte: 300 };

/** Tags that would read other files. */
const FILE_TAGS = ['include', 'render', 'layout', 'block'];

/** What every template knows, by names long enough that a near miss is surely a slip. */
const ROOTS = ['interview', 'study'];

/** What is wrong with one template of a tree. */
export interface TemplateProblem {
  /** Into the structure; empty for a template by itself. */
  path: (string | number)[];
  message: string;
  /** Within the template, one-based. */
  line: number;
  column: number;
}

/** Templates of the config that cannot be parsed. The message tells of each, with its place. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
  readonly problems: TemplateProblem[];

  constructor(problems: TemplateProblem[]) {
    super(problems.map(printProblem).join('; '));
    this.problems = problems;
  }
}

/**
 * A template could not be rendered: it met a limit, or one of Liquid's own filters cannot take what the event holds. That is
 * never the end of the process: the attempt rejects the delivery.
 */
export class TemplateRenderError extends Error {
  override readonly name = 'TemplateRenderError';
  /** What Liquid says, and where in the template (one-based). */
  readonly problem: Omit<TemplateProblem, 'path'>;

  constructor(message: string, problem: Omit<TemplateProblem, 'path'>, options: ErrorOptions) {
    super(message, options);
    this.problem = problem;
  }
}

type Settings = TemplateOptions & { timezone: string };

/**
 * Compiles a Liquid template over `interview`, `study`, `event`, `source` and whatever else the payload has.
 *
 * The template renders a missing field as nothing, and throws TemplateRenderError where it cannot be rendered at all.
 * @throws TemplateError when it cannot be parsed
 */
export function compileTemplate(source: string, settings: Settings): Template {
  return compileWith(enginesOf(settings), source, []);
}

/**
 * Compiles every text of a YAML tree as a template; numbers, booleans and null stay. A text that is one `{{ … }}` keeps its
 * value's type, unless the option escapes: where it does, the service expects text.
 * @throws TemplateError with every template that cannot be parsed
 */
export function compileStructure(source: JsonValue, settings: Settings): Structure {
  const engines = enginesOf(settings);
  const problems: TemplateProblem[] = [];
  const render = compileNode(source, []);
  if (problems.length > 0) throw new TemplateError(problems);
  return Object.assign((item: Item) => render(item), { source });

  function compileNode(node: JsonValue, path: (string | number)[]): (item: Item) => JsonValue {
    if (typeof node === 'string') return compileLeaf(node, path);
    if (Array.isArray(node)) {
      const entries = node.map((entry, index) => compileNode(entry, [...path, index]));
      return (item) => entries.map((entry) => entry(item));
    }
    if (typeof node === 'object' && node !== null) {
      const fields = Object.entries(node).map(([key, entry]) => [key, compileNode(entry, [...path, key])] as const);
      return (item) => Object.fromEntries(fields.map(([key, entry]) => [key, entry(item)]));
    }
    return () => node;
  }

  function compileLeaf(text: string, path: (string | number)[]): (item: Item) => JsonValue {
    try {
      const template = compileWith(engines, text, path);
      return settings.escape === undefined ? template.value : template;
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      problems.push(...error.problems);
      return () => null;
    }
  }
}

interface Engines {
  text: Liquid;
  /** Writes a lone value with its type. */
  typed: Liquid;
}

/** Opened engines by timezone and escape: a config has thousands of templates, and few of these. */
const opened = new Map<string, Map<TemplateOptions['escape'], Engines>>();

function enginesOf({ timezone, escape: escaped }: Settings): Engines {
  const byEscape = opened.get(timezone) ?? new Map<TemplateOptions['escape'], Engines>();
  opened.set(timezone, byEscape);
  const engines = byEscape.get(escaped) ?? openEngines(timezone, escaped);
  byEscape.set(escaped, engines);
  return engines;
}

function openEngines(timezone: string, escaped: TemplateOptions['escape']): Engines {
  if (escaped === undefined) {
    return { text: openEngine(timezone, printValue), typed: openEngine(timezone, typedValue) };
  }
  const write = (value: unknown) => escaped(printValue(value));
  return {
    text: openEngine(timezone, write),
    // Only what can hold no markup keeps its type.
    typed: openEngine(timezone, (value) => (isPlain(value) ? value : write(value))),
  };
}

function isPlain(value: unknown): boolean {
  return value === null || value === undefined || typeof value === 'boolean' || Number.isFinite(value);
}

function openEngine(timezone: string, write: (value: unknown) => unknown): Liquid {
  const engine = new Liquid({
    ...LIMITS,
    templates: {},
    strictFilters: true,
    ownPropertyOnly: true,
    keepOutputType: true,
    locale: 'en-US',
    timezoneOffset: timezone,
    // Liquid's type says text; with keepOutputType a lone value may be anything.
    outputEscape: write as (value: unknown) => string,
  });
  for (const tag of FILE_TAGS) delete engine.tags[tag];
  addFilters(engine, timezone);
  return engine;
}

function compileWith(engines: Engines, source: string, path: (string | number)[]): Template {
  const parsed = parse(engines.text, source, path);
  const lone = parse(engines.typed, source.trim(), path);
  const typed = lone.length === 1 && lone[0] instanceof Output;
  const text = (item: Item): string => {
    const rendered = render(engines.text, parsed, source, item);
    return typeof rendered === 'string' ? rendered : printValue(rendered);
  };
  const value = (item: Item): JsonValue =>
    typed ? ((render(engines.typed, lone, source, item) ?? null) as JsonValue) : text(item);
  return Object.assign(text, { value, source });
}

function render(engine: Liquid, parsed: Parsed[], source: string, item: Item): unknown {
  // The view's own work, once for all templates, is not on the clock: quotes of 5 MB take up to a second.
  if (/\binterview\s*\|\s*quotes\b/.test(source)) void item.view.quotes;
  const renderLimit = RENDERING.usual + (RENDERING.perMegabyte * item.body.length) / 1_000_000;
  try {
    return engine.renderSync(parsed, scopeOf(item), { renderLimit });
  } catch (error) {
    const { line, column, ...problem } = placed(error);
    const message = clip(problem.message, 200);
    const shown = clip(source.replace(/\s+/g, ' ').trim(), 80);
    const words = `"${shown}" at ${line}:${column}: ${message}`;
    throw new TemplateRenderError(words, { message, line, column }, { cause: error });
  }
}

function scopeOf(item: Item): object {
  const { id, type, source, svixId, receivedAt } = item.event;
  return {
    ...item.payload,
    event: { id, type, source, svix_id: svixId, received_at: receivedAt.toISOString() },
    source,
    [ITEM]: item,
  };
}

/** A field that a template uses. */
export interface FieldUse {
  /** As far as the template itself says it: to the first part that is only known when it is rendered. */
  path: (string | number)[];
  /** Within the template, one-based. */
  line: number;
  column: number;
}

/** The fields of the event that a template uses; not what it names itself. The template must be one that compiles. */
export function fieldsOf(source: string): FieldUse[] {
  const engine = enginesOf({ timezone: 'UTC' }).text;
  return Object.values(engine.analyzeSync(engine.parse(source)).globals).flatMap((uses) =>
    uses.map(({ segments, location }) => {
      const known = segments.findIndex((segment) => typeof segment === 'object');
      const path = segments.slice(0, known === -1 ? undefined : known) as (string | number)[];
      return { path, line: location.row, column: location.col };
    }),
  );
}

function parse(engine: Liquid, source: string, path: (string | number)[]): Parsed[] {
  let parsed: Parsed[];
  try {
    parsed = engine.parse(source);
  } catch (error) {
    const halfClosed = halfClosedIn(source);
    if (halfClosed) throw new TemplateError([{ path, ...halfClosed }]);
    const { message, line, column } = placed(error);
    throw new TemplateError([{ path, message: explained(message, engine), line, column }]);
  }
  const problems = Object.entries(engine.analyzeSync(parsed).globals).flatMap(([name, places]): TemplateProblem[] => {
    const meant = ROOTS.find((root) => root !== name && distance(root, name) === 1);
    if (meant === undefined) return [];
    const { row: line, col: column } = places[0]?.location ?? { row: 1, col: 1 };
    return [{ path, message: `there is no "${name}". Did you mean "${meant}"?`, line, column }];
  });
  if (problems.length > 0) throw new TemplateError(problems);
  return parsed;
}

/** Of a template that cannot be read: a {{ that a single } should close. */
function halfClosedIn(source: string): Omit<TemplateProblem, 'path'> | undefined {
  const found = /\{\{([^{}"']*)\}(?!\})/.exec(source);
  if (!found) return undefined;
  const before = source.slice(0, found.index).split('\n');
  const message = `this {{ is closed by one } only: write {{ ${clip((found[1] ?? '').trim(), 60)} }}`;
  return { message, line: before.length, column: (before.at(-1) ?? '').length + 1 };
}

/** Liquid's words without the place in them, and the place. */
function placed(error: unknown): { message: string; line: number; column: number } {
  if (!(error instanceof Error)) return { message: String(error), line: 1, column: 1 };
  const token = LiquidError.is(error) ? error.token : undefined;
  const [line = 1, column = 1] = token?.getPosition() ?? [];
  return { message: error.message.replace(/, line:\d+, col:\d+$/, ''), line, column };
}

function explained(message: string, engine: Liquid): string {
  const filter = /^undefined filter: (.*)$/s.exec(message)?.[1];
  if (filter !== undefined) return `there is no filter "${filter}".${didYouMean(filter, Object.keys(engine.filters))}`;
  if (message === 'expected "|" before filter') {
    return 'this cannot be read: values are compared with ==, and a filter has a | before it.';
  }
  const tag = /^tag "(.*)" not found$/s.exec(message)?.[1];
  if (tag === undefined) return message;
  if (/^end|^els/.test(tag)) return `"${tag}" belongs to a tag that is not open here.`;
  if (FILE_TAGS.includes(tag)) return `there is no tag "${tag}": templates cannot read other files.`;
  return `there is no tag "${tag}".${didYouMean(tag, Object.keys(engine.tags))}`;
}

function printProblem({ path, message, line }: TemplateProblem): string {
  const inside = path.length === 0 ? '' : `at ${path.join('.')}: `;
  return line === 1 ? inside + message : `${inside}line ${line} of the template: ${message}`;
}
