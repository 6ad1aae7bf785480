/** Reads YAML into a document, and gathers what the parser finds wrong with it. */
import { Composer, type Document, Parser } from 'yaml';
import type { ErrorCode } from '../errors.ts';
import type { OptionPath } from './option-schema.ts';

/** Errors after which the parser stops: a long file that is wrong in every line would take it seconds. */
const MOST_ISSUES = 100;

/** What the parser says, before it is put into words. */
export interface SyntaxIssue {
  code: string;
  offset: number;
  message: string;
}

/** Something wrong with the config as YAML, in words for a person. */
export interface YamlProblem {
  level: 'error' | 'warning';
  code: ErrorCode;
  offset: number;
  path: OptionPath;
  message: string;
  fix?: string;
}

export interface Composed {
  document: Document.Parsed | undefined;
  issues: SyntaxIssue[];
}

/** Stops the parser. */
class EnoughIssues extends Error {}

/**
 * What `parseDocument` of the library does, but that it ends after so many errors.
 * @param offset where the text begins in the file
 */
export function compose(text: string, offset = 0): Composed {
  const { env } = process;
  // At every sign the library looks for a debug variable, and each look into the real environment asks the system.
  process.env = {};
  try {
    return composeBare(text, offset);
  } finally {
    process.env = env;
  }
}

function composeBare(text: string, offset: number): Composed {
  const issues: SyntaxIssue[] = [];
  // The library compares each key with each other one; `locate` sees a repeated key in one step.
  const composer = new Composer({ prettyErrors: false, uniqueKeys: false, logLevel: 'error' });
  const parser = new Parser();
  parser.offset = offset;
  const found = (source: ErrorSource, code: string, message: string) => {
    const at = typeof source === 'number' ? source : Array.isArray(source) ? source[0] : source.offset;
    issues.push({ code, offset: at, message });
    if (issues.length >= MOST_ISSUES) throw new EnoughIssues();
  };
  Object.assign(composer, { onError: found });
  let document: Document.Parsed | undefined;
  try {
    for (const each of composer.compose(parser.parse(text), true, offset + text.length)) {
      if (document) found(each.range[0], 'MULTIPLE_DOCS', 'a second document');
      document ??= each;
    }
  } catch (error) {
    if (!(error instanceof EnoughIssues)) throw error;
  }
  return { document, issues };
}

type ErrorSource = number | [number, number] | { offset: number };
