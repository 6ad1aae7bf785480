/** The places where YAML reads something else than people mean. Each is named, with its fix. */

import { OPERATORS } from '../route/condition.ts';
import type { YamlProblem } from './compose.ts';
import type { Located } from './locate.ts';
import { TEMPLATE_TRAP } from './syntax.ts';

const GROUPS = new Set(['all', 'any', 'not']);
const LIKE_BOOLEANS: Record<string, boolean> = { yes: true, y: true, on: true, no: false, n: false, off: false };

/** The traps in a config that YAML itself finds right. */
export function findTraps(root: Located, text: string): YamlProblem[] {
  const found: YamlProblem[] = [];
  visit(root);
  return found;

  function visit(value: Located): void {
    const trap = templateTrap(value, text) ?? commentTrap(value, text) ?? quoteTrap(value);
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

function templateTrap(value: Located, text: string): YamlProblem | undefined {
  return isTemplateMap(value, text) ? trap(value, TEMPLATE_TRAP.message, TEMPLATE_TRAP.fix) : undefined;
}

/** Text cut by ` #`. A comment as people write one has a space after its `#`. */
function commentTrap(value: Located, text: string): YamlProblem | undefined {
  if (value.entries || value.items || !value.plain) return undefined;
  const hash = hashAfter(text, value.offset + value.source.length);
  if (hash === undefined) return undefined;
  const lineEnd = text.indexOf('\n', hash);
  const comment = text.slice(hash + 1, lineEnd === -1 ? undefined : lineEnd);
  const written = value.substituted?.source ?? value.source;
  const cutsTemplate = /\{\{|\{%/.test(comment) || count(written, '{{') > count(written, '}}');
  const touches = comment !== '' && !/^[\s#!]/.test(comment);
  if (written === '' && touches) {
    return trap(
      value,
      'nothing is left of this text: to YAML it is a comment, from its # on',
      value.path.at(-1) === 'channel'
        ? 'Write the id of the channel, such as C0123456789: Slack shows it at the foot of its details.'
        : 'Put it in quotes: "#…".',
    );
  }
  if (typeof value.scalar !== 'string') return undefined;
  const message = 'the text ends before the " #": to YAML the rest of the line is a comment';
  if (cutsTemplate) return trap(value, message, 'Put all of the text in quotes.');
  if (!touches) return undefined;
  return trap(value, message, 'Put all of the text in quotes, or a space after the # of a comment.', 'warning');
}

/** Where the comment begins that follows in the line. */
function hashAfter(text: string, from: number): number | undefined {
  let at = from;
  while (text[at] === ' ' || text[at] === '\t') at += 1;
  return text[at] === '#' ? at : undefined;
}

/** A text in typographic quotes, as word processors and chats make them. In a template they may well be meant. */
function quoteTrap(value: Located): YamlProblem | undefined {
  if (typeof value.scalar !== 'string' || !value.plain || !/^[“”„‘’]/.test(value.source)) return undefined;
  if (/\{[{%]/.test(value.source)) return undefined;
  const message = 'to YAML these typographic quotes are a part of the text';
  return trap(value, message, `Write " or ' in their place, or leave them out.`, 'warning');
}

function count(text: string, part: string): number {
  return text.split(part).length - 1;
}

/** yes, no, on and off in a `when`, beside a boolean. (A nested map there is told by the filter's compiler.) */
export function findFilterTraps(when: Located): YamlProblem[] {
  if (when.items) return when.items.flatMap(findFilterTraps);
  const entries = [...(when.entries ?? [])];
  // An operator beside a path is told as such.
  const isMisplaced = entries.some(([key]) => OPERATORS.has(key));
  return entries.flatMap(([key, value]) => {
    if (GROUPS.has(key)) return findFilterTraps(value);
    return isEmpty(value) && !isMisplaced ? emptyTrap(key, value) : booleanTraps(key, value);
  });
}

function isEmpty({ scalar, source, items, entries }: Located): boolean {
  return scalar === null && source === '' && !items && !entries;
}

function emptyTrap(key: string, value: Located): YamlProblem {
  const at = { ...value, offset: value.keyOffset ?? value.offset };
  const message = `nothing stands after ${key}: the condition holds only where the field is missing`;
  return trap(at, message, 'Write a value or an operator; or null, when it is to be missing.', 'warning');
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
