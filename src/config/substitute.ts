/** Puts variables and files into the texts of the config: `${NAME}`, `${NAME:-default}`, `${file:PATH}`, and `$${` for a literal. */
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { parseEnv } from 'node:util';
import { didYouMean } from '../suggest.ts';
import { isSecretName } from './secrets.ts';

/** Bytes of a file that `${file:…}` reads: far above any key or certificate. */
const FILE_LIMIT = 1_000_000;

/** How often a default may stand in another one. */
const DEEPEST = 8;

/** Variables that every shell, or its tools, sets: nobody means them. */
const OF_THE_SHELL =
  /^(?:_|TERM|PATH|HOME|USER|SHELL|SHLVL|(?:OLD)?PWD|LANG(?:UAGE)?|LOGNAME|HOST(?:NAME)?|EDITOR|VISUAL|PAGER|LESS|MAIL|DISPLAY|TE?MP(?:DIR)?|TZ|PS\d|IFS|COLUMNS|LINES|CI|DEBUG|(?:LC|XDG|SSH|GPG|DBUS|NODE|TERM|COLOR|NO)_?\w*|npm_\w*)$/;

export interface Substitution {
  text: string;
  /** Is all of the text one `${…}`? */
  whole: boolean;
  /** What is wrong, in the words for a person. */
  problems: { message: string; fix?: string }[];
}

/** Where `${…}` finds its values. */
export class Variables {
  readonly #environment: NodeJS.ProcessEnv;
  readonly #dotEnv: NodeJS.Dict<string>;
  readonly #folder: string;
  /** Absolute paths of the files that were read, or looked for. */
  readonly files = new Set<string>();
  /** Each value that came from outside the config, and the `${…}` that brought it: never shown, whatever it is. */
  readonly brought = new Map<string, string>();

  /**
   * @param folder that of the config: relative paths belong to it
   * @param dotEnv the text of the `.env` beside the config; the environment outranks it
   */
  constructor(folder: string, environment: NodeJS.ProcessEnv, dotEnv: string) {
    this.#folder = folder;
    this.#environment = environment;
    this.#dotEnv = parseEnv(dotEnv);
  }

  /**
   * The text with its `${…}` replaced; undefined when it has none.
   * @param isSecret whether the text is a secret: one that is missing must not get a default
   */
  substitute(text: string, isSecret = false): Substitution | undefined {
    if (!text.includes('${')) return undefined;
    const work: Work = { text, at: 0, depth: 0, isSecret, problems: [] };
    const replaced = this.#until(work, '');
    const whole = /^\$\{/.test(text) && closing(text, 2) === text.length - 1;
    return { text: replaced, whole, problems: work.problems };
  }

  /** Reads on to the closing brace (or to the end, when `end` is empty), replacing. */
  #until(work: Work, end: '' | '}'): string {
    let result = '';
    let depth = 0;
    while (work.at < work.text.length) {
      if (work.text.startsWith('$${', work.at)) {
        result += '${';
        work.at += 3;
        // The literal's own closing brace must not end the default that it may stand in.
        depth += 1;
      } else if (work.text.startsWith('${', work.at)) {
        result += this.#one(work);
      } else {
        const character = work.text.charAt(work.at);
        if (end === '}' && character === '}' && depth === 0) return result;
        if (character === '{') depth += 1;
        if (character === '}') depth = Math.max(0, depth - 1);
        result += character;
        work.at += 1;
      }
    }
    return result;
  }

  #one(work: Work): string {
    const start = work.at;
    const last = closing(work.text, start + 2);
    if (last === undefined) {
      work.at = work.text.length;
      work.problems.push({
        message: 'a ${ is never closed',
        fix: 'Close it with }, or write $${ for the characters themselves.',
      });
      return '';
    }
    const source = work.text.slice(start, last + 1);
    const inner = work.text.slice(start + 2, last);
    const [, name, fallback] = /^([A-Za-z_][A-Za-z0-9_]*)(?:(:-)[\s\S]*)?$/.exec(inner) ?? [];
    if (name !== undefined) {
      const value = this.#environment[name] ?? this.#dotEnv[name];
      if (value !== undefined && (value !== '' || fallback === undefined)) {
        work.at = last + 1;
        if (value !== '') this.brought.set(value, `\${${name}}`);
        return value;
      }
      if (fallback !== undefined) {
        const text = work.depth < DEEPEST ? this.#default(work, start + 2 + name.length + 2) : '';
        if (work.depth >= DEEPEST) work.problems.push({ message: 'defaults stand in defaults too often' });
        work.at = last + 1;
        return text;
      }
      work.problems.push({
        message: `the variable ${name} is not set.${this.#meant(name)}`,
        fix: `Set it in the environment or in the .env beside the config${work.isSecret || isSecretName(name) ? '' : `, or give a default: \${${name}:-…}`}.`,
      });
    } else if (inner.startsWith('file:')) {
      work.at = last + 1;
      return this.#file(inner.slice('file:'.length).trim(), source, work);
    } else {
      work.problems.push({
        message: `${source.length > 40 ? 'this substitution' : source} is no substitution`,
        fix: `Write \${NAME}, \${NAME:-default} or \${file:PATH}, or $\${ for the characters themselves.`,
      });
    }
    work.at = last + 1;
    return '';
  }

  /** The `.env` was written for this config; of the environment only a slip of one letter is told. */
  #meant(name: string): string {
    const known = Object.keys(this.#environment).filter((each) => !OF_THE_SHELL.test(each));
    const near = didYouMean(name, Object.keys(this.#dotEnv)) || didYouMean(name, known, 1);
    const fuller = near ? undefined : [...Object.keys(this.#dotEnv), ...known].find((each) => isShort(name, each));
    return fuller === undefined ? near : ` Did you mean "${fuller}"?`;
  }

  #default(work: Work, from: number): string {
    work.at = from;
    work.depth += 1;
    const text = this.#until(work, '}');
    work.depth -= 1;
    return text;
  }

  #file(name: string, source: string, work: Work): string {
    const file = path.resolve(this.#folder, name);
    this.files.add(file);
    try {
      const stat = statSync(file);
      // A pipe or a device could hold the start up for ever.
      if (!stat.isFile()) throw new Error('it is no regular file');
      if (stat.size > FILE_LIMIT) throw new Error('it is larger than 1 MB');
      const text = readFileSync(file, 'utf8').replace(/\r?\n$/, '');
      if (text !== '') this.brought.set(text, source);
      return text;
    } catch (error) {
      work.problems.push({
        message: `the file ${name} cannot be read: ${reason(error)}`,
        fix: 'Its path is relative to the main config file; the relay needs the right to read it.',
      });
      return '';
    }
  }
}

interface Work {
  text: string;
  at: number;
  /** Defaults that the place stands in. */
  depth: number;
  isSecret: boolean;
  problems: { message: string; fix?: string }[];
}

/** Does a name leave out words of another one, as VERSIVE_SECRET does of VERSIVE_WEBHOOK_SECRET? */
function isShort(name: string, other: string): boolean {
  const words = name.toUpperCase().split('_');
  const all = other.toUpperCase().split('_');
  return words.length > 1 && words.length < all.length && words.every((word) => all.includes(word));
}

/** The index of the brace that closes the one opened before `from`. */
function closing(text: string, from: number): number | undefined {
  let depth = 1;
  for (let at = from; at < text.length; at += 1) {
    if (text[at] === '{') depth += 1;
    if (text[at] === '}') depth -= 1;
    if (depth === 0) return at;
  }
  return undefined;
}

/** Why a file could not be read, in words and without its path. */
export function reason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'it is not there';
  if (code === 'EACCES' || code === 'EPERM') return 'the relay may not read it';
  if (code === 'EISDIR') return 'it is a folder';
  return code ?? message;
}
