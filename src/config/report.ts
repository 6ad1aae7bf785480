import type { ErrorCode, Finding } from '../errors.ts';
import { clip } from '../text.ts';
import type { YamlProblem } from './compose.ts';
import { kindOf, type OptionProblem, type Quote } from './issues.ts';
import { type Located, type LocatedFile, nearestAt, printPath } from './locate.ts';
import type { OptionPath } from './option-schema.ts';
import { escapePattern, hiddenSecrets, scrubber, secretForms } from './secrets.ts';
import type { Texts } from './texts.ts';
import { booleanTrap } from './traps.ts';

/** Findings that are told; a file with more is no config. */
const MOST = 500;
/** UTF-16 units from which a value that came from outside is cut out of any message, also where it is not quoted. */
const TELLING = 6;

/** UTF-16 units of a message; some quote what they found. */
const LONGEST = 400;
/** Names that are compared with mistyped ones, in all: a second's work. */
const MOST_COMPARED = 200_000;
/** Values that are looked for in one message. */
const MOST_HIDDEN = 100;

interface Entry {
  level: Finding['level'];
  code: ErrorCode;
  offset: number;
  path: OptionPath;
  message: string;
  fix?: string | undefined;
}

/** Gathers what is wrong with a config, and gives each finding its place. */
export class Report {
  readonly #texts: Texts;
  readonly #files: LocatedFile[] = [];
  readonly #unread = new Set<string>();
  readonly #entries: Entry[] = [];
  /** Secrets of the config: no message shows them. */
  readonly secrets = new Set<string>();
  /** Of sources, destinations and routes: every message may show them. */
  readonly names = new Set<string>();

  constructor(texts: Texts) {
    this.#texts = texts;
  }

  /**
   * Takes what was wrong with a file as YAML.
   * @param unread its sections that could not be read
   */
  file(file: LocatedFile, unread: Iterable<string> = file.unread): void {
    this.#files.push(file);
    this.yaml([...file.syntax, ...file.problems]);
    this.unread(...unread);
  }

  /** The secrets that no text may show. */
  get hidden(): string[] {
    return hiddenSecrets(this.secrets, this.names);
  }

  /** Are there so many problems that looking for more helps nobody? */
  get full(): boolean {
    return this.#entries.length > 2 * MOST;
  }

  /** Would it take too long to look among so many names for the one that was meant, as often as problems arise? */
  tooMany(names: ReadonlySet<string>): boolean {
    return names.size * this.#entries.length > MOST_COMPARED;
  }

  get failed(): boolean {
    return this.#entries.some(({ level }) => level === 'error');
  }

  /** Notes that some of these sections could not be read. */
  unread(...sections: string[]): void {
    for (const section of sections) this.#unread.add(section);
  }

  /** Is it unknown what all of this section holds? */
  isUnread(section: string): boolean {
    return this.#unread.has(section);
  }

  /** Was some of it read otherwise than it is written? Nothing can be advised of it then. */
  isMisread({ path }: Located): boolean {
    const isInside = (misread: OptionPath) => path.every((key, index) => misread[index] === key);
    return this.#files.some(({ misread }) => misread.some(isInside));
  }

  /** Where a value stands, in words for a finding about another one: `line 14`, or `config.yaml:14:3` of another file. */
  where(located: Located, from: Located): string {
    const { file, line, column } = this.#texts.place(placeOf(located));
    return file === this.#texts.fileAt(placeOf(from)) ? `line ${line}` : `${file}:${line}:${column}`;
  }

  /** The file (as findings name it) and the line that a value stands in. */
  placeOf(located: Located): { file: string; line: number } {
    const { file, line } = this.#texts.place(located.offset);
    return { file, line };
  }

  yaml(problems: YamlProblem[]): void {
    for (const problem of problems) this.#entries.push(problem);
  }

  /** Something about a value as a whole: at the value, or at its key when it is a map, a list or nothing. */
  at(
    located: Located,
    problem: { level?: Finding['level']; code: ErrorCode; message: string; fix?: string | undefined },
  ): void {
    this.#entries.push({
      level: problem.level ?? 'error',
      code: problem.code,
      offset: placeOf(located),
      path: located.path,
      message: hide(problem.message, located),
      fix: problem.fix === undefined ? undefined : hide(problem.fix, located),
    });
  }

  /** Problems about what stands in `base`; their paths lead into it. */
  options(base: Located, problems: (OptionProblem & { level?: Finding['level'] })[]): void {
    for (const problem of problems) this.#option(base, problem);
  }

  #option(base: Located, problem: OptionProblem & { level?: Finding['level'] }): void {
    const { located, exact } = nearestAt(base, problem.path);
    if (problem.code === 'RELAY_CONFIG_MISSING' || !exact) {
      const key = problem.path.at(-1);
      const path = exact || key === undefined ? located.path : [...located.path, key];
      this.#entries.push({ level: 'error', offset: located.keyOffset ?? located.offset, ...problem, path });
      return;
    }
    if (/^expected true\b/.test(problem.message)) {
      const trap = booleanTrap(located);
      if (trap) return void this.#entries.push(trap);
    }
    const isPath = problem.code === 'RELAY_CONFIG_PATH' && problem.place === undefined;
    const isAboutKey = problem.code === 'RELAY_CONFIG_UNKNOWN_KEY' || isPath || problem.atKey;
    this.#entries.push({
      level: problem.level ?? 'error',
      code: problem.code,
      offset: isAboutKey ? (located.keyOffset ?? located.offset) : this.#inText(located, problem.place),
      path: located.path,
      message: hide(withoutParts(problem, located), located),
      fix: problem.fix === undefined ? quotesFix(located, problem.message) : hide(problem.fix, located),
    });
  }

  /** Where a place within a text stands in the file. Right for texts in one line, and for those after `|`. */
  #inText(located: Located, place: OptionProblem['place']): number {
    const start = placeOf(located);
    if (place === undefined || located.substituted) return start;
    if (!located.block) {
      const quote = located.plain ? 0 : 1;
      return place.line === 1 ? start + quote + place.column - 1 : start;
    }
    let line = start;
    for (let count = 0; count < place.line; count += 1) {
      const next = this.#texts.whole.indexOf('\n', line);
      if (next === -1) return start;
      line = next + 1;
    }
    const indent = /^ */.exec(this.#texts.whole.slice(line, line + 200))?.[0].length ?? 0;
    return line + indent + place.column - 1;
  }

  /**
   * All findings, in the order of the files. Where a trap or a missing variable explains a value, what follows from it is
   * left out.
   */
  findings(brought: ReadonlyMap<string, string>): Finding[] {
    const causes = this.#entries.filter(({ level, code }) => {
      return level === 'error' && (code === 'RELAY_CONFIG_TRAP' || code === 'RELAY_CONFIG_VARIABLE');
    });
    const explained = new Set([
      ...causes.map(({ path, offset }) => inFile(this.#texts.fileAt(offset), path)),
      ...this.#files.flatMap(({ name, misread }) => misread.map((path) => inFile(name, path))),
    ]);
    const told = new Set<Entry>([
      ...causes,
      ...this.#files.flatMap(({ syntax, problems }) => [...syntax, ...problems.filter(isSyntax)]),
    ]);
    const misnamed = new Set(
      this.#entries.filter(({ code }) => code === 'RELAY_CONFIG_REFERENCE').map(({ offset }) => offset),
    );
    const kept = this.#entries.filter((entry) => {
      // A name that nobody has is told with the one that was meant.
      if (entry.message.startsWith('expected a name of small letters') && misnamed.has(entry.offset)) return false;
      return told.has(entry) || !isWithin(entry.path, this.#texts.fileAt(entry.offset), explained);
    });
    const show = this.#shown(brought);
    const places = new Map<string, Finding>();
    for (const { level, code, offset, path, message, fix } of kept.sort((a, b) => a.offset - b.offset)) {
      // A wrong default is told once, and not for each destination that takes it.
      const same = `${offset} ${message}`;
      if (places.has(same)) continue;
      const words = show(clip(fix === undefined || /[.?!:]$/.test(message) ? message : `${message}.`, LONGEST));
      const finding: Finding = { level, code, ...this.#texts.place(offset), path: printPath(path), message: words };
      if (fix !== undefined) finding.fix = show(fix);
      places.set(same, finding);
      if (places.size > MOST) break;
    }
    const all = [...places.values()];
    if (all.length <= MOST) return all;
    const more: Finding = { ...(all[MOST] as Finding), path: '', message: 'more problems follow' };
    delete more.fix;
    return [...all.slice(0, MOST), more];
  }

  /** Cuts secrets, and values that came from outside, out of a message. */
  #shown(brought: ReadonlyMap<string, string>): (text: string) => string {
    const scrub = scrubber(secretForms(this.hidden));
    const values = [...brought].filter(([value]) => value.length >= TELLING).sort(([a], [b]) => b.length - a.length);
    return (text) => scrub(values.reduce((told, [value, source]) => told.replaceAll(value, source), text));
  }
}

function isSyntax({ code }: YamlProblem): boolean {
  return code === 'RELAY_CONFIG_SYNTAX';
}

function placeOf(located: Located): number {
  const isScalar = located.entries === undefined && located.items === undefined && located.scalar !== null;
  return isScalar ? located.offset : (located.keyOffset ?? located.offset);
}

function inFile(file: string, path: OptionPath): string {
  return `${file} ${printPath(path)}`;
}

function isWithin(path: OptionPath, file: string, explained: Set<string>): boolean {
  return explained.size > 0 && path.some((_, index) => explained.has(inFile(file, path.slice(0, index + 1))));
}

/** Of a filter or template that came whole from outside: what is wrong, without the parts of it that the words quote. */
function withoutParts({ code, message }: OptionProblem, { substituted }: Located): string {
  if (!substituted?.whole) return message;
  if (code === 'RELAY_CONFIG_TEMPLATE') return `${substituted.source} is no template that can be parsed`;
  return code === 'RELAY_CONFIG_FILTER' ? (message.split(': ')[0] ?? message) : message;
}

/** Text that looks like a number or boolean to YAML. */
function quotesFix(located: Located, message: string): string | undefined {
  const isOther = typeof located.scalar === 'number' || typeof located.scalar === 'boolean';
  if (typeof located.scalar === 'number' && located.plain) {
    if (message.startsWith('expected a duration of at least 1d'))
      return `Write the unit too: ${located.source}d for days.`;
    if (message.startsWith('expected a duration')) return `Write the unit too: ${located.source}s for seconds.`;
    if (message.startsWith('expected a size')) return `Write the unit too: ${located.source}MB for megabytes.`;
  }
  if (!isOther || !/^expected (text|a name|an? \w+ id|the id)/.test(message) || !located.plain) return undefined;
  return message.endsWith(kindOf(located.scalar)) ? 'Put it in quotes.' : `Put it in quotes: "${located.source}".`;
}

/** Shows `${NAME}` in place of each value in `located` that came from a substitution. */
function hide(message: string, located: Located): string {
  const values = substitutedIn(located).sort(([a], [b]) => b.length - a.length);
  if (values.length === 0) return message;
  const sources = new Map(
    values.flatMap(([value, source]) => [
      [value, source],
      [JSON.stringify(value), source],
    ]),
  );
  // What is shown by its source already comes first, so that nothing within it is replaced.
  const forms = [...values.map(([, source]) => source), ...values.map(([value]) => JSON.stringify(value))];
  // A short value without quotes is some word of ours.
  forms.push(...values.map(([value]) => value).filter((value) => value.length >= TELLING));
  const pattern = new RegExp(forms.map(escapePattern).join('|'), 'g');
  return message.replace(pattern, (found) => sources.get(found) ?? found);
}

function substitutedIn(
  located: Located,
  found: [value: string, source: string][] = [],
): [value: string, source: string][] {
  if (found.length >= MOST_HIDDEN) return found;
  for (const inner of located.entries?.values() ?? located.items ?? []) substitutedIn(inner, found);
  const { scalar, substituted } = located;
  if (substituted && typeof scalar === 'string' && scalar !== '') found.push([scalar, substituted.source]);
  return found;
}

/** What a message may show of the values in a tree. */
export function quoteOf(base: Located): Quote {
  return (path) => {
    const { located, exact } = nearestAt(base, path);
    return exact ? located.substituted : undefined;
  };
}
