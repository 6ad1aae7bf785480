/** The files that `tests:` names: each holds a list of tests. */
import { isUtf8 } from 'node:buffer';
import { glob, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Finding } from '../errors.ts';
import { kindOf } from './issues.ts';
import { type Located, Locator, plainValue } from './locate.ts';
import { Report } from './report.ts';
import { reason, type Variables } from './substitute.ts';
import { Texts } from './texts.ts';
import { findTraps } from './traps.ts';

/** Files that one pattern may match: more is surely the wrong folder. */
const MOST_FILES = 1_000;
/** Bytes of a file of tests. */
const LARGEST = 800_000;

/** A file of tests: the list in it, and where what is wrong with it is told. */
export interface TestFile {
  list: Located;
  report: Report;
}

/** Reads files of tests, each once, with the variables of the config. */
export class TestFiles {
  readonly #variables: Variables;
  readonly #reports: Report[] = [];
  /** Absolute paths of all that was read or looked for. */
  readonly files = new Set<string>();

  constructor(variables: Variables) {
    this.#variables = variables;
  }

  /** The files that a pattern of `tests:` matches, in the order of their names, but for those that were read before. */
  async matching(pattern: Located, report: Report): Promise<TestFile[]> {
    const written = String(pattern.scalar);
    const base = path.dirname(report.placeOf(pattern).file);
    const names = await matches(written, path.resolve(base));
    if (names.length === 0) {
      report.at(pattern, {
        level: 'warning',
        code: 'RELAY_CONFIG_REFERENCE',
        message: `no file matches ${JSON.stringify(written)}.`,
        fix: 'Paths are relative to the file that names them, as in tests/*.yaml.',
      });
    } else if (names.length > MOST_FILES) {
      const message = `more than ${MOST_FILES} files match ${JSON.stringify(written)}`;
      report.at(pattern, { code: 'RELAY_CONFIG_INVALID', message, fix: 'Name them closer, as in tests/*.yaml.' });
      return [];
    }
    const found: TestFile[] = [];
    for (const name of names) {
      const file = path.resolve(base, name);
      if (this.files.has(file)) continue;
      this.files.add(file);
      const read = await this.#read(file, path.isAbsolute(name) ? name : path.join(base, name));
      if (read) found.push(read);
    }
    return found;
  }

  /** What is wrong in the files, file by file. */
  findings(secrets: Iterable<string>): Finding[] {
    return this.#reports.flatMap((report) => {
      for (const secret of secrets) report.secrets.add(secret);
      return report.findings(this.#variables.brought);
    });
  }

  /** @param shown the file as findings name it */
  async #read(file: string, shown: string): Promise<TestFile | undefined> {
    let text = '';
    let refused: string | undefined;
    try {
      const { size } = await stat(file);
      const bytes = size > LARGEST ? Buffer.alloc(0) : await readFile(file);
      if (size > LARGEST) refused = `the file has ${size} bytes; one with tests may have ${LARGEST}`;
      else if (isUtf8(bytes)) text = bytes.toString('utf8').replace(/^\uFEFF/, '');
      else refused = 'the file is not UTF-8';
    } catch (error) {
      refused = `the file cannot be read: ${reason(error)}`;
    }
    const texts = new Texts();
    const located = new Locator(texts, this.#variables).locate(shown, text);
    const report = new Report(texts);
    report.file(located);
    this.#reports.push(report);
    const tell = (level: Finding['level'], message: string, fix?: string) =>
      report.yaml([{ level, code: 'RELAY_CONFIG_INVALID', offset: 0, path: [], message, ...(fix && { fix }) }]);
    const { root } = located;
    if (refused !== undefined) tell('error', refused);
    else if (root?.items) {
      report.yaml(findTraps(root, texts.whole));
      return { list: root, report };
    } else if (root && !(root.scalar === null && !root.entries)) {
      const inner = root.entries?.has('tests') ? 'Leave out tests: the file itself is the list.' : EXAMPLE;
      tell('error', `expected a list of tests, found ${kindOf(plainValue(root))}`, inner);
    } else if (!report.failed) tell('warning', 'there are no tests in this file', EXAMPLE);
    return undefined;
  }
}

const EXAMPLE = 'Begin each test with "- name:".';

/** Names of files, one more than are taken at most. Folders are left out, and pipes, which could hold the start up for ever. */
async function matches(pattern: string, folder: string): Promise<string[]> {
  const names: string[] = [];
  for await (const name of glob(pattern, { cwd: folder })) {
    const found = await stat(path.resolve(folder, name)).catch(() => undefined);
    if (found?.isFile() === false) continue;
    names.push(name);
    if (names.length > MOST_FILES) break;
  }
  return names.sort();
}
