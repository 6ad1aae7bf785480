/**
 * Reads YAML that has errors as far as it can be told what was meant, so that one error hides no other. What is to blame is
 * read as a text of the same length: all places in the file stay as they are.
 */
import type { Document } from 'yaml';
import type { Composed, YamlProblem } from './compose.ts';
import { LongComposer } from './compose-long.ts';
import { explainSyntax, type Span, type SyntaxProblem } from './syntax.ts';

/** How often a text is repaired. */
const MOST_ROUNDS = 20;
/** UTF-16 units that are parsed again in all, so that a long file that is wrong everywhere takes no minute. */
const MOST_PARSED = 700_000;
/** Errors after which a text is repaired no more: it is no config. */
const MOST_REPAIRED = 200;
/** Errors that are told of a text that cannot be repaired: more only repeat the first. */
const MOST_ERRORS = 20;

/** A text that was read otherwise than it is written. */
export interface Repair {
  problem: YamlProblem;
  /** What was surely meant; undefined when nobody can say. */
  text: string | undefined;
}

export interface Repaired {
  /** Undefined when the text could not be repaired. */
  document: Document.Parsed | undefined;
  problems: YamlProblem[];
  /** By the offset at which each begins. */
  repairs: Map<number, Repair>;
  /** Sections that were left out, for what is wrong in them. */
  unread: Set<string>;
}

/** Reads a text; never throws for what it holds. */
export function composeRepairing(text: string): Repaired {
  const work = new Work(text);
  let rounds = 0;
  while (work.composed.issues.length > 0 && rounds < MOST_ROUNDS && !work.enough) {
    rounds += 1;
    if (!work.round()) break;
  }
  return work.result();
}

class Work {
  /** With what was repaired so far. */
  #text: string;
  readonly #written: string;
  readonly #composer = new LongComposer();
  readonly #problems: SyntaxProblem[] = [];
  readonly #repairs = new Map<number, Repair>();
  readonly #unread = new Set<string>();
  composed: Composed;
  #parsed = 0;

  constructor(text: string) {
    this.#written = text;
    this.#text = text;
    this.composed = this.#composer.compose(text);
  }

  get enough(): boolean {
    return this.#problems.length > MOST_REPAIRED || this.#parsed > MOST_PARSED;
  }

  result(): Repaired {
    const { document, issues } = this.composed;
    const left = explainSyntax(issues, this.#text).slice(0, MOST_ERRORS);
    return {
      document: issues.length > 0 ? undefined : document,
      problems: [...this.#problems, ...left],
      repairs: this.#repairs,
      unread: this.#unread,
    };
  }

  /** Repairs what the parser told of last; false when nothing helped. */
  round(): boolean {
    const problems = explainSyntax(this.composed.issues, this.#text);
    const [first] = problems;
    if (first === undefined) return false;
    if (first.meant === undefined) return this.#try(first, problems) || this.#leaveOut(first, problems);
    for (const problem of problems) if (problem.meant) this.#tell(problem, problem.meant, true);
    this.#take(this.#text, this.#composer.compose(this.#text));
    return true;
  }

  #take(text: string, composed: Composed): void {
    this.#text = text;
    this.composed = composed;
    this.#parsed += text.length;
  }

  #tell(problem: SyntaxProblem, span: Span, isMeant: boolean): void {
    this.#problems.push(problem);
    const text = isMeant ? this.#written.slice(span.start, span.end) : undefined;
    this.#repairs.set(span.start, { problem, text });
    this.#text = filled(this.#text, span, 'x');
  }

  /** Reads one of the suspects as some text. Right when the parser then finds nothing wrong there. */
  #try(first: SyntaxProblem, problems: SyntaxProblem[]): boolean {
    const whole = wholeRepair(first, this.#text);
    const attempts =
      whole === undefined ? first.suspects.map((span) => ({ span, text: filled(this.#text, span, 'x') })) : [];
    if (whole !== undefined) attempts.push({ span: { start: 0, end: 0 }, text: whole });
    for (const { span, text } of attempts) {
      if (this.enough) return false;
      const composed = this.#composer.compose(text);
      this.#parsed += text.length;
      if (!isBetter(this.composed, composed)) continue;
      if (whole === undefined) this.#tell(unclosed(first, span, this.#text), span, false);
      else this.#problems.push(...problems.filter(({ issue }) => issue === first.issue));
      this.#take(text, composed);
      return true;
    }
    return false;
  }

  /** Reads the text without the section that is wrong. */
  #leaveOut(first: SyntaxProblem, problems: SyntaxProblem[]): boolean {
    const section = sectionAt(this.#text, first.offset);
    if (section === undefined || this.#unread.has(section.name) || this.enough) return false;
    const text = filled(this.#text, section, ' ');
    const composed = this.#composer.compose(text);
    this.#parsed += text.length;
    if (!isBetter(this.composed, composed)) return false;
    const inside = problems.filter(({ offset }) => offset >= section.start && offset <= section.end);
    this.#problems.push(...inside.slice(0, MOST_ERRORS));
    this.#unread.add(section.name);
    this.#take(text, composed);
    return true;
  }
}

/** A bracket that is never closed is told where it stands, and not where the next line begins. */
function unclosed(problem: SyntaxProblem, span: Span, text: string): SyntaxProblem {
  const bracket = text.charAt(span.start);
  const isAbove = problem.offset > span.end && (bracket === '[' || bracket === '{');
  if (!isAbove) return problem;
  const closing = bracket === '[' ? ']' : '}';
  return {
    ...problem,
    offset: span.start,
    message: `this ${bracket} is never closed`,
    fix: `Close it with ${closing}.`,
  };
}

/** The text with each character of a part replaced, but for line ends. */
function filled(text: string, { start, end }: Span, character: string): string {
  return text.slice(0, start) + text.slice(start, end).replace(/[^\r\n]/g, character) + text.slice(end);
}

function isBetter(before: Composed, after: Composed): boolean {
  const [was, is] = [before, after].map(({ issues }) => Math.min(...issues.map(({ offset }) => offset)));
  if (after.issues.length === 0) return true;
  return after.issues.length < before.issues.length || Number(is) > Number(was);
}

/** What repairs an error of the file as a whole: tabs that indent it, and a second document. */
function wholeRepair({ issue, offset }: SyntaxProblem, text: string): string | undefined {
  // Beside spaces nobody can say how far a tab goes.
  if (issue === 'TAB_AS_INDENT' && !/^ +\S/m.test(text))
    return text.replace(/^\t+/gm, (tabs) => ' '.repeat(tabs.length));
  return issue === 'MULTIPLE_DOCS' && text.startsWith('---', offset)
    ? filled(text, { start: offset, end: offset + 3 }, '#')
    : undefined;
}

/** The top-level section that a place stands in. One that has anchors is needed by others. */
function sectionAt(text: string, offset: number): (Span & { name: string }) | undefined {
  let found: (Span & { name: string }) | undefined;
  for (const { 1: name = '', index } of text.matchAll(/^([A-Za-z_][\w-]*):(?=\s|$)/gm)) {
    if (index > offset) {
      if (found) found.end = index;
      break;
    }
    found = { name, start: index, end: text.length };
  }
  return found === undefined || /(?:^|\s)&\w/.test(text.slice(found.start, found.end)) ? undefined : found;
}
