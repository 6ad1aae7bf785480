/** Puts what the parser finds wrong into the words of people, and says which text to read otherwise to go on. */
import type { SyntaxIssue, YamlProblem } from './compose.ts';
import { type Entry, entriesOf } from './entries.ts';

/** Of a text without quotes that begins with a template. */
export const TEMPLATE_TRAP = {
  message: 'a text that begins with {{ is a map to YAML',
  fix: 'Put all of the text in quotes: "{{ … }}".',
};

/** Part of the config's text, by offsets. */
export interface Span {
  start: number;
  end: number;
}

/** What is said of the parser's errors. */
export interface SyntaxProblem extends YamlProblem {
  /** The parser's code of a problem that is no trap. */
  issue?: string;
  /** The text that was meant, when the problem is a trap. */
  meant?: Span;
  /** Texts one of which may be to blame, the likeliest first, when it is none. */
  suspects: Span[];
}

/** What is said of each error of the parser, which knows YAML and not what people mean with it. */
const SYNTAX: Record<string, [message: string, fix?: string]> = {
  TAB_AS_INDENT: ['a tab indents this line', 'YAML takes only spaces: replace the tab.'],
  BAD_SCALAR_START: ['a text cannot begin with this character', 'Put the text in quotes.'],
  BLOCK_AS_IMPLICIT_KEY: [
    'there is a second ": " in this line',
    'Put the text in quotes; or begin a new line, indented further, for a map.',
  ],
  MULTILINE_IMPLICIT_KEY: [
    'this line is not indented as the one before needs it',
    'Give lines of one map the same indentation.',
  ],
  MULTIPLE_DOCS: ['a second document begins here', 'The config is one document: remove the line "---".'],
  BAD_ALIAS: ['this alias cannot be read', 'Put a text that begins with * or & in quotes.'],
  BAD_DQ_ESCAPE: [
    'a text in double quotes has an unknown \\ escape',
    "Write \\\\ for a backslash, or use single quotes: '…'.",
  ],
  TAG_RESOLVE_FAILED: ['a tag has no meaning here', 'Remove the word with !, or put the text in quotes.'],
  RESOURCE_EXHAUSTION: ['this is nested too deeply'],
  BAD_INDENT: [
    'this line is not indented as the lines before it',
    'Give entries of one map or list the same indentation, and close every [ and {.',
  ],
  MISSING_CHAR: ['a sign is missing here: a ":" after a key, a "," between entries, or a closing quote, ] or }'],
  UNEXPECTED_TOKEN: [
    'this cannot stand here',
    'Look for a missing quote, an extra bracket, or a text that needs quotes.',
  ],
  BLOCK_IN_FLOW: [
    'a map or list by indentation cannot stand in [ ] or { }',
    'Close the bracket before, or write all of it in brackets.',
  ],
  BAD_DIRECTIVE: ['a line that begins with % is a directive to YAML', 'Put the text in quotes.'],
};

/** Lines above an error that may be its cause. */
const LINES_ABOVE = 20;
/** UTF-16 units of a line that is searched for traps: people write no longer ones. */
const LONGEST_LINE = 2_000;

/** The parser's errors in words; what a known trap explains is told as that trap. Gives traps only, when there are any. */
export function explainSyntax(issues: SyntaxIssue[], text: string): SyntaxProblem[] {
  const byLine = new Map<number, SyntaxProblem[]>();
  for (const issue of issues) {
    const start = lineStart(text, issue.offset);
    if (byLine.has(start)) continue;
    const quote = unclosedQuote(issue, text);
    if (quote) return [...[...byLine.values()].flat(), quote];
    const traps = trapsAt(issue, text, start);
    const isSplit = issues.some(({ code, offset }) => code === 'MULTILINE_IMPLICIT_KEY' && offset === issue.offset);
    const told = isSplit && issue.code === 'BLOCK_AS_IMPLICIT_KEY' ? deeper(issue, text, start) : undefined;
    byLine.set(start, traps.length > 0 ? traps : [told ?? plainly(issue, text, start)]);
  }
  const all = [...byLine.values()].flat();
  const traps = all.filter(({ meant }) => meant !== undefined);
  // What follows from a trap would only hide it.
  const kept = traps.length > 0 ? traps : withoutConsequences(all);
  return [...new Map(kept.map((problem) => [problem.offset, problem])).values()];
}

/** Errors after which the parser takes the lines below for something else than they are. */
const UPSETTING = ['TAB_AS_INDENT', 'BAD_INDENT', 'MULTILINE_IMPLICIT_KEY'];

function withoutConsequences(problems: SyntaxProblem[]): SyntaxProblem[] {
  const at = problems.findIndex(({ issue = '' }) => UPSETTING.includes(issue));
  const first = problems[at];
  // Each tab is to be replaced.
  const isOwn = (problem: SyntaxProblem) => first?.issue === 'TAB_AS_INDENT' && problem.issue === first.issue;
  return first ? [...problems.slice(0, at + 1), ...problems.slice(at + 1).filter(isOwn)] : problems;
}

/** A line that is indented further than the one before, which is no map: the parser tells of that one. */
function deeper(issue: SyntaxIssue, text: string, start: number): SyntaxProblem | undefined {
  const end = text.indexOf('\n', start);
  const below = end === -1 ? undefined : /^(?:[ \t]*\n)*( +)(?=\S)/.exec(text.slice(end + 1, end + 1 + LONGEST_LINE));
  if (!below) return undefined;
  const problem = plainly({ ...issue, code: 'MULTILINE_IMPLICIT_KEY' }, text, start);
  return {
    ...problem,
    offset: end + 1 + below[0].length,
    message: 'this line is indented further than the one before, which has its value already',
    fix: 'Give lines of one map the same indentation.',
  };
}

/** A key without its colon: in the line, or in the one above. */
const NO_COLON = /^(\s*(?:- +)*)([A-Za-z_][\w.[\]"'-]*)(?:\s+([=<>!]*).*|\s*)$/;

/** Tells where a colon is missing, if so; shows no word that could be anything but a key. */
function missingColon(text: string, starts: number[]): Pick<SyntaxProblem, 'offset' | 'message' | 'fix'> | undefined {
  for (const start of starts) {
    const line = lineAt(text, start).trimEnd();
    if (line.length > LONGEST_LINE || /:(?:\s|$)/.test(line)) continue;
    const [, before = '', key, sign = ''] = NO_COLON.exec(line) ?? [];
    if (key === undefined) continue;
    const isKey = /^[a-z_]+(?:\.[a-z_]+)*$/i.test(key) && key.length <= 40;
    const example = sign === '' ? `${isKey ? key : 'key'}: …` : 'interview.active_time: { gte: 120 }';
    return {
      offset: start + before.length,
      message: `a colon is missing after ${isKey ? key : 'the first word of this line'}`,
      fix: `Write for example \`${example}\`.`,
    };
  }
  return undefined;
}

function plainly(issue: SyntaxIssue, text: string, start: number): SyntaxProblem {
  const [message, fix] = SYNTAX[issue.code] ?? ['this is not YAML'];
  const above = lineAbove(text, start);
  const isOfLines = ['BAD_INDENT', 'MULTILINE_IMPLICIT_KEY', 'MISSING_CHAR'].includes(issue.code);
  const colon = isOfLines ? missingColon(text, above === undefined ? [start] : [start, above]) : undefined;
  return {
    level: 'error',
    code: 'RELAY_CONFIG_SYNTAX',
    offset: issue.offset,
    path: [],
    message,
    ...(fix !== undefined && { fix }),
    ...colon,
    issue: issue.code,
    suspects: [valueAt(text, start), above === undefined ? undefined : valueAt(text, above)].filter(
      (span) => span !== undefined,
    ),
  };
}

/** A quote that is never closed takes all the rest of the file; the parser tells of its end. */
function unclosedQuote(issue: SyntaxIssue, text: string): SyntaxProblem | undefined {
  const mark = /^Missing closing (["'])/.exec(issue.message)?.[1];
  if (mark === undefined) return undefined;
  const lines = text.slice(0, issue.offset).split('\n');
  const line = lines.findLastIndex((each) => each.split(mark).length % 2 === 0);
  if (line === -1) return undefined;
  const start = lines.slice(0, line).join('\n').length + (line > 0 ? 1 : 0);
  const value = valueAt(text, start);
  return {
    level: 'error',
    code: 'RELAY_CONFIG_SYNTAX',
    offset: start + (lines[line] ?? '').lastIndexOf(mark),
    path: [],
    message: `a text that begins with ${mark} does not end with it`,
    fix: `Close it with ${mark}.`,
    issue: issue.code,
    suspects: value ? [value] : [],
  };
}

/** `key:` or `- ` (or both), and what stands after it. */
const VALUE = /^(\s*(?:- +)*(?:(?:"[^"]*"|'[^']*'|[^\s"'#{[][^:]*):\s+)?)(\S.*?)\s*$/;

/** What stands after the key (or the hyphen) in a line. */
function valueAt(text: string, start: number): Span | undefined {
  const line = lineAt(text, start);
  if (line.length > LONGEST_LINE) return undefined;
  const [, before = '', value = ''] = VALUE.exec(line) ?? [];
  if (before.trim() === '' || value === '') return undefined;
  return { start: start + before.length, end: start + before.length + value.length };
}

/** The traps that explain an error: in its line, or above, as a bracket that is never closed shows in a later line only. */
function trapsAt(issue: SyntaxIssue, text: string, start: number): SyntaxProblem[] {
  const starts = [start];
  while (starts.length <= LINES_ABOVE) {
    const above = lineAbove(text, starts[0] ?? 0);
    if (above === undefined) break;
    starts.unshift(above);
  }
  let depth = 0;
  let previous: SyntaxProblem[] = [];
  let cut: SyntaxProblem[] = [];
  for (const each of starts) {
    const line = lineAt(text, each);
    if (line.length > LONGEST_LINE) continue;
    const read = entriesOf(line, depth);
    depth = Math.max(0, read.depth);
    const traps = read.entries.flatMap((entry) => trapOf(entry, each, line, issue.code) ?? []);
    if (each === start && traps.length > 0) return traps;
    previous = traps;
    const cuts = traps.filter(({ message }) => message === CUT);
    if (cuts.length > 0) cut = cuts;
    if (each === start) break;
    if (each === starts.at(-2) && issue.code === 'BAD_INDENT' && previous.length > 0) cut = previous;
  }
  return cut;
}

const CUT =
  'the text is cut at the " #": to YAML the rest of the line, and the bracket that closes there, is a comment';

function trapOf(entry: Entry, lineStartsAt: number, line: string, code: string): SyntaxProblem | undefined {
  const { text, inBrackets } = entry;
  const meant = { start: lineStartsAt + entry.start, end: lineStartsAt + entry.end };
  const trap = (message: string, fix: string, offset = meant.start): SyntaxProblem => {
    return { level: 'error', code: 'RELAY_CONFIG_TRAP', offset, path: [], message, fix, meant, suspects: [] };
  };
  if (text.startsWith('{{')) return trap(TEMPLATE_TRAP.message, TEMPLATE_TRAP.fix);
  const [, sign, bound] = /^>(=?)\s*([\d.]+)$/.exec(text) ?? [];
  if (bound !== undefined && !inBrackets) {
    return trap('to YAML a > begins a text of several lines', `Write { ${sign ? 'gte' : 'gt'}: ${bound} }.`);
  }
  if (text.startsWith('{%')) {
    return trap('a text that begins with {% is a map to YAML', 'Put all of the text in quotes: "{% … %}".');
  }
  if (inBrackets && text.includes('${')) {
    const offset = meant.start + text.indexOf('${');
    return trap(`a \${…} in [ ] or { } is a map to YAML`, `Put it in quotes: "\${…}".`, offset);
  }
  const hash = inBrackets ? /(?:^|\s)#[^\s#]/.exec(text) : null;
  if (hash && /[\]}]/.test(line.slice(entry.end))) return trap(CUT, 'Put it in quotes.');
  if (!inBrackets && code === 'BLOCK_AS_IMPLICIT_KEY' && text.includes('{{')) {
    return trap('a text with ": " in it is a map to YAML', 'Put all of the text in quotes.');
  }
  return undefined;
}

function lineStart(text: string, offset: number): number {
  return offset === 0 ? 0 : text.lastIndexOf('\n', offset - 1) + 1;
}

/** Where the nearest line above begins that is not blank. */
function lineAbove(text: string, start: number): number | undefined {
  const end = text.slice(Math.max(0, start - LONGEST_LINE), start).trimEnd().length + Math.max(0, start - LONGEST_LINE);
  return start === 0 || end === 0 ? undefined : lineStart(text, end - 1);
}

function lineAt(text: string, start: number): string {
  const end = text.indexOf('\n', start);
  return text.slice(start, end === -1 ? undefined : end);
}
