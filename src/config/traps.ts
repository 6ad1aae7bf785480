/** The places where YAML reads something else than people mean. Each is named, with its fix. */
import type { Located, SyntaxIssue, YamlProblem } from './locate.ts';
import type { OptionPath } from './option-schema.ts';

const GROUPS = new Set(['all', 'any', 'not']);
const LIKE_BOOLEANS: Record<string, boolean> = { yes: true, y: true, on: true, no: false, n: false, off: false };

/** The traps in a config that YAML itself finds right. */
export function findTraps(root: Located, text: string): YamlProblem[] {
  const found: YamlProblem[] = [];
  visit(root);
  return found;

  function visit(value: Located): void {
    const trap = templateTrap(value, text) ?? commentTrap(value, text);
    if (trap) found.push(trap);
    if (value.entries && isTemplateMap(value, text)) return;
    for (const inner of value.entries?.values() ?? value.items ?? []) visit(inner);
  }
}

function isTemplateMap(value: Located, text: string): boolean {
  return value.entries !== undefined && text.startsWith('{{', value.offset);
}

function trap(value: Located, message: string, fix: string, level: 'error' | 'warning' = 'error'): YamlProblem {
  return { level, code: 'RELAY_CONFIG_TRAP', offset: value.offset, path: value.path, message, fix };
}

const TEMPLATE_TRAP = {
  message: 'a text that begins with {{ is a map to YAML',
  fix: 'Put all of the text in quotes: "{{ … }}".',
};

function templateTrap(value: Located, text: string): YamlProblem | undefined {
  return isTemplateMap(value, text) ? trap(value, TEMPLATE_TRAP.message, TEMPLATE_TRAP.fix) : undefined;
}

/** Text cut by ` #`. A comment as people write one has a space after its `#`. */
function commentTrap(value: Located, text: string): YamlProblem | undefined {
  if (value.entries || value.items || !value.plain) return undefined;
  const end = value.offset + value.source.length;
  const lineEnd = text.indexOf('\n', end);
  const rest = text.slice(end, lineEnd === -1 ? undefined : lineEnd);
  const comment = /^[ \t]*#(.*)$/.exec(rest)?.[1];
  if (comment === undefined) return undefined;
  const written = value.substituted?.source ?? value.source;
  const cutsTemplate = /\{\{|\{%/.test(comment) || count(written, '{{') > count(written, '}}');
  const touches = comment !== '' && !/^[\s#!]/.test(comment);
  if (written === '' && touches) {
    return trap(
      value,
      'nothing is left of this text: to YAML it is a comment, from its # on',
      'Put it in quotes: "#…".',
    );
  }
  if (typeof value.scalar !== 'string') return undefined;
  const message = 'the text ends before the " #": to YAML the rest of the line is a comment';
  if (cutsTemplate) return trap(value, message, 'Put all of the text in quotes.');
  if (!touches) return undefined;
  return trap(value, message, 'Put all of the text in quotes, or a space after the # of a comment.', 'warning');
}

function count(text: string, part: string): number {
  return text.split(part).length - 1;
}

/** yes, no, on and off in a `when`, beside a boolean. (A nested map there is told by the filter's compiler.) */
export function findFilterTraps(when: Located): YamlProblem[] {
  if (when.items) return when.items.flatMap(findFilterTraps);
  return [...(when.entries ?? [])].flatMap(([key, value]) => {
    return GROUPS.has(key) ? findFilterTraps(value) : booleanTraps(key, value);
  });
}

function booleanTraps(key: string, value: Located): YamlProblem[] {
  const isFlag = /(^|\.)(is|has)_\w+$/.test(key) && !key.includes('metadata');
  const beside = value.items?.some(({ scalar }) => typeof scalar === 'boolean') ?? false;
  const suspects = [
    ...(isFlag ? [value, value.entries?.get('not'), ...(value.items ?? [])] : []),
    ...(beside ? (value.items ?? []) : []),
    value.entries?.get('exists'),
  ];
  return [...new Set(suspects)].flatMap((suspect) => (suspect && booleanTrap(suspect)) ?? []);
}

/** `yes`, `no`, `on` or `off` where a boolean is expected. */
export function booleanTrap(value: Located): YamlProblem | undefined {
  if (!value.plain || typeof value.scalar !== 'string' || value.substituted) return undefined;
  const word = value.scalar.toLowerCase();
  if (!Object.hasOwn(LIKE_BOOLEANS, word)) return undefined;
  return trap(value, `to YAML ${value.scalar} is a text, and neither true nor false`, `Write ${LIKE_BOOLEANS[word]}.`);
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

/** The parser's errors in words, one a line of the file; what a known trap explains is told as that trap. */
export function explainSyntax(issues: SyntaxIssue[], text: string): YamlProblem[] {
  const byLine = new Map<number, YamlProblem>();
  for (const issue of issues) {
    const start = text.lastIndexOf('\n', issue.offset - 1) + 1;
    if (byLine.has(start)) continue;
    const quote = unclosedQuote(issue, text);
    if (quote) return [...byLine.values(), quote];
    byLine.set(start, trapAbove(issue, text, start) ?? syntaxTrap(issue, text, start) ?? plainly(issue));
  }
  const traps = [...byLine.values()].filter(({ code }) => code === 'RELAY_CONFIG_TRAP');
  // What follows from a trap would only hide it.
  return dedupe(traps.length > 0 ? traps : [...byLine.values()]);
}

function dedupe(problems: YamlProblem[]): YamlProblem[] {
  return [...new Map(problems.map((problem) => [problem.offset, problem])).values()];
}

function plainly(issue: SyntaxIssue): YamlProblem {
  const [message, fix] = SYNTAX[issue.code] ?? ['this is not YAML'];
  return {
    level: 'error',
    code: 'RELAY_CONFIG_SYNTAX',
    offset: issue.offset,
    path: [],
    message,
    ...(fix !== undefined && { fix }),
  };
}

/** A quote that is never closed takes all the rest of the file; the parser tells of its end. */
function unclosedQuote(issue: SyntaxIssue, text: string): YamlProblem | undefined {
  const mark = /^Missing closing (["'])/.exec(issue.message)?.[1];
  if (mark === undefined) return undefined;
  const lines = text.slice(0, issue.offset).split('\n');
  const line = lines.findLastIndex((each) => count(each, mark) % 2 === 1);
  if (line === -1) return undefined;
  const offset = lines.slice(0, line).join('\n').length + (line > 0 ? 1 : 0) + (lines[line] ?? '').lastIndexOf(mark);
  const message = `a text that begins with ${mark} does not end with it`;
  return { level: 'error', code: 'RELAY_CONFIG_SYNTAX', offset, path: [], message, fix: `Close it with ${mark}.` };
}

/** A bracket that is never closed shows in the next line only. */
function trapAbove(issue: SyntaxIssue, text: string, start: number): YamlProblem | undefined {
  if (issue.code !== 'BAD_INDENT' || start === 0) return undefined;
  const end = text.slice(0, start).trimEnd().length;
  return syntaxTrap(issue, text, text.lastIndexOf('\n', end - 1) + 1);
}

/** `key:` or `- ` (or both), and what stands after it. */
const VALUE = /^(\s*(?:- +)*(?:(?:"[^"]*"|'[^']*'|[^\s"'#{[][^:]*):\s+)?)(\S.*)$/;

function syntaxTrap(issue: SyntaxIssue, text: string, start: number): YamlProblem | undefined {
  const line = lineAt(text, start);
  const [, before = '', value = ''] = VALUE.exec(line) ?? [];
  const at = (offset: number, message: string, fix: string): YamlProblem => {
    return { level: 'error', code: 'RELAY_CONFIG_TRAP', offset, path: [] as OptionPath, message, fix };
  };
  const valueStart = start + before.length;
  if (value.startsWith('{{')) return at(valueStart, TEMPLATE_TRAP.message, TEMPLATE_TRAP.fix);
  if (value.startsWith('{%')) {
    return at(valueStart, 'a text that begins with {% is a map to YAML', 'Put all of the text in quotes: "{% … %}".');
  }
  const opened = /^[[{]/.test(value)
    ? value
    : (text.slice(Math.max(0, start - 2_000), start).match(/[[{][^\]}]*$/)?.[0] ?? '') + line;
  const substitution = opened.startsWith('[') || opened.startsWith('{') ? unquoted(line, '${') : -1;
  if (substitution >= 0) {
    return at(start + substitution, `a \${…} in [ ] or { } is a map to YAML`, `Put it in quotes: "\${…}".`);
  }
  const hash = commentInBrackets(issue, text);
  if (hash !== undefined) {
    return at(
      hash,
      'the list or map ends before the " #": to YAML the rest of the line is a comment',
      'Put the text with the # in quotes.',
    );
  }
  if (issue.code === 'BLOCK_AS_IMPLICIT_KEY' && value.includes('{{')) {
    return at(valueStart, 'a text with ": " in it is a map to YAML', 'Put all of the text in quotes.');
  }
  return undefined;
}

/** Where `part` stands in the line, outside of quotes; -1 when it does not. */
function unquoted(line: string, part: string): number {
  return line.replace(/"(?:[^"\\]|\\.)*"|'[^']*'/g, (quoted) => '_'.repeat(quoted.length)).indexOf(part);
}

/** A bracket that seems to be open at the issue, because a `#` hides the one that closes it. */
function commentInBrackets(issue: SyntaxIssue, text: string): number | undefined {
  if (issue.code !== 'BAD_INDENT' && issue.code !== 'MISSING_CHAR') return undefined;
  const before = text.slice(Math.max(0, issue.offset - 2_000), issue.offset);
  const open = before.lastIndexOf('\n', Math.max(0, before.length - 2)) + 1;
  const line = before.slice(open);
  const [whole = '', head = ''] = /^([^#"']*[[{][^#"'\]}]*)#\S.*[\]}]/.exec(line) ?? [];
  return whole === '' ? undefined : issue.offset - before.length + open + head.length;
}

function lineAt(text: string, start: number): string {
  const end = text.indexOf('\n', start);
  return text.slice(start, end === -1 ? undefined : end);
}
