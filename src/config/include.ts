/** The files that a config includes: `include: teams/*.yaml`. */
import { glob } from 'node:fs/promises';
import path from 'node:path';
import { judge } from './issues.ts';
import { type Located, type LocatedFile, type Locator, plainValue, printPath } from './locate.ts';
import { readText, type TextProblem } from './read-text.ts';
import { quoteOf, type Report } from './report.ts';
import { includeSchema, patternSchema, SHARED_SECTIONS } from './schema.ts';

/** Files that one config may include. */
const MOST_FILES = 1_000;
/** Entries of folders that one pattern may look at. The relay looks again every second. */
const MOST_ENTRIES = 5_000;

/** What `include:` asks for, and the files that it found. */
export interface Include {
  /** That of the config: patterns are relative to it. */
  folder: string;
  patterns: string[];
  /** As the patterns lead to them. */
  matched: string[];
}

/** A file to include, and where the config asks for it. */
export interface Included {
  name: string;
  /** Absolute. */
  file: string;
  at: Located;
}

/**
 * Finds the files of an `include:`, in the order of its list; what one pattern matches, in the order of names.
 * @param main the config that includes
 */
export async function findIncluded(
  { name: main, root, problems }: LocatedFile,
  report: Report,
): Promise<{ include: Include; files: Included[] }> {
  const folder = path.dirname(path.resolve(main));
  const include: Include = { folder, patterns: [], matched: [] };
  const files = new Map<string, Included>();
  const section = root?.entries?.get('include');
  // Without the variable that it lacks, a pattern would be another one.
  const broken = new Set(problems.map((problem) => printPath(problem.path)));
  if (section && !broken.has('include')) {
    report.options(section, judge(includeSchema, plainValue(section), quoteOf(section)).problems);
  }
  if (report.isUnread('include')) report.unread(...SHARED_SECTIONS);
  for (const at of section?.items ?? (section ? [section] : [])) {
    const pattern = patternSchema.safeParse(at.scalar).data;
    if (pattern === undefined || broken.has(printPath(at.path))) {
      report.unread(...SHARED_SECTIONS);
      continue;
    }
    const matches = await matchesOf(pattern, folder);
    if (matches === undefined) {
      report.at(at, { code: 'RELAY_CONFIG_INVALID', ...TOO_WIDE });
      report.unread(...SHARED_SECTIONS);
      continue;
    }
    include.patterns.push(pattern);
    include.matched.push(...matches);
    if (matches.length === 0) report.at(at, { level: 'warning', code: 'RELAY_CONFIG_REFERENCE', ...NO_MATCH });
    for (const match of matches) {
      const file = path.resolve(folder, match);
      const name = path.isAbsolute(match) ? match : path.join(path.dirname(main), match);
      if (file === path.resolve(main)) report.at(at, { code: 'RELAY_CONFIG_INVALID', ...ITSELF });
      else if (!files.has(file)) files.set(file, { name, file, at });
    }
  }
  return { include, files: [...files.values()] };
}

const TOO_WIDE = {
  message: `this looks at more than ${MOST_ENTRIES} files and folders, or matches more than ${MOST_FILES}`,
  fix: 'Name the folder of the files, such as teams/*.yaml.',
};
const ITSELF = {
  message: 'the config includes itself',
  fix: 'Keep the files to include in a folder of their own, such as teams/*.yaml.',
};
const NO_MATCH = {
  message: 'no file matches this, so nothing is included.',
  fix: 'It is relative to this file. A file that is added later is read then.',
};

/** Would the config include other files now? */
export async function matchesOthers({ folder, patterns, matched }: Include): Promise<boolean> {
  const matches = await Promise.all(patterns.map((pattern) => matchesOf(pattern, folder)));
  return matches.flatMap((each) => each ?? []).join('\n') !== matched.join('\n');
}

/** The files that a pattern matches, sorted; a name without any of a pattern's signs is that file. Undefined when it is too wide. */
async function matchesOf(pattern: string, folder: string): Promise<string[] | undefined> {
  if (!/[*?[\]]/.test(pattern)) return [pattern];
  const matches: string[] = [];
  let seen = 0;
  const exclude = () => ++seen > MOST_ENTRIES;
  for await (const entry of glob(pattern, { cwd: folder, withFileTypes: true, exclude })) {
    const file = path.join(entry.parentPath, entry.name);
    if (!entry.isDirectory()) matches.push(path.isAbsolute(pattern) ? file : path.relative(folder, file));
    if (matches.length > MOST_FILES || seen > MOST_ENTRIES) return undefined;
  }
  return seen > MOST_ENTRIES ? undefined : matches.sort();
}

/**
 * Reads what is to be included.
 * @param left bytes that all files together may have
 * @returns of each file that can be read, all that it holds
 */
export async function readIncluded(
  files: Included[],
  { locator, report, left }: { locator: Locator; report: Report; left: number },
): Promise<Located[]> {
  const roots: Located[] = [];
  let most = left;
  for (const { name, file, at } of files) {
    const read = await readText(file, { name, most, onDisk: true });
    if ('problem' in read) {
      tell(read.problem, name, at, { locator, report });
      continue;
    }
    most -= Buffer.byteLength(read.text);
    const located = locator.locate(name, read.text);
    report.file(
      located,
      SHARED_SECTIONS.filter((section) => located.unread.has(section)),
    );
    if (located.root) roots.push(located.root);
    else report.unread(...SHARED_SECTIONS);
    const isEmpty = !located.root && located.syntax.length + located.problems.length === 0;
    if (isEmpty) report.yaml([{ level: 'error', offset: located.start, path: [], ...EMPTY_FILE }]);
  }
  return roots;
}

/** A file that someone is about to write is empty for a moment: its routes must not be gone for as long. */
const EMPTY_FILE = {
  code: 'RELAY_CONFIG_INVALID',
  message: 'the file is empty.',
  fix: `Write ${SHARED_SECTIONS.join(', ')} into it, or remove it.`,
} as const;

/** Why a file cannot be included: where the config asks for it, or at the character that is to blame. */
function tell(
  { before, ...problem }: TextProblem,
  name: string,
  at: Located,
  { locator, report }: { locator: Locator; report: Report },
): void {
  report.unread(...SHARED_SECTIONS);
  if (before === undefined) {
    const fix = 'Correct the name, which is relative to this file; or leave it out.';
    report.at(at, { ...(problem.code === 'RELAY_CONFIG_NOT_FOUND' && { fix }), ...problem });
    return;
  }
  const offset = locator.texts.add(name, before) + before.length;
  report.yaml([{ level: 'error', offset, path: [], ...problem }]);
}
