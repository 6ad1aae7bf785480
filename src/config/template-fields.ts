/** Finds fields in templates that no interview has: they would render empty for ever. */

import { fieldsOf } from '../render/template.ts';
import { isKnownPath, suggestPath } from '../route/fields.ts';
import { printPath } from '../route/path.ts';
import { nearest } from '../suggest.ts';
import type { OptionProblem } from './issues.ts';
import type { OwnTemplate } from './template-list.ts';

/** What templates know of the event itself. */
const EVENT = ['id', 'type', 'source', 'received_at', 'svix_id'];
/** Liquid has these of every list and text. */
const LIQUID = ['size', 'first', 'last'];

type Path = readonly (string | number)[];

/** Fields of a template that it surely misspells; the paths lead into the destination. */
export function findUnknownFields({ path, source }: OwnTemplate): (OptionProblem & { level: 'warning' })[] {
  return fieldsOf(source).flatMap(({ path: field, line, column }) => {
    if (isKnown(field)) return [];
    const meant = suggestionFor(field);
    const known =
      field[0] === 'event' ? EVENT.map((name) => `event.${name}`).join(', ') : 'interview, study, event and source';
    return [
      {
        level: 'warning' as const,
        code: 'RELAY_CONFIG_PATH' as const,
        path,
        message: `interview.completed has no "${printPath(field)}", so nothing appears here`,
        fix: meant === undefined ? `Templates know ${known}.` : `Did you mean "${meant}"?`,
        place: { line, column },
      },
    ];
  });
}

/** Tells of a field in single braces, which stands in the text as it is written. */
export function findSingleBraces({ path, source }: OwnTemplate): (OptionProblem & { level: 'warning' })[] {
  const found = /(?<![{%$])\{\s*((?:interview|study)\.[\w.]+)[^{}]*\}(?!\})/.exec(source);
  if (!found) return [];
  const before = source.slice(0, found.index).split('\n');
  return [
    {
      level: 'warning',
      code: 'RELAY_CONFIG_TEMPLATE',
      path,
      message: 'a field in single braces stays as it is written',
      fix: `Write {{ ${found[1]} }}.`,
      place: { line: before.length, column: (before.at(-1) ?? '').length + 1 },
    },
  ];
}

function isKnown(field: Path): boolean {
  const [root, name] = field;
  if (root === 'event' && (name === undefined || (field.length === 2 && EVENT.includes(String(name))))) return true;
  // The first turn of a conversation, as Liquid names it.
  if (isKnownPath(field.map((step, index) => (index === 2 && (step === 'first' || step === 'last') ? 0 : step))))
    return true;
  return field.length > 1 && LIQUID.includes(String(field.at(-1))) && isKnown(field.slice(0, -1));
}

function suggestionFor(field: Path): string | undefined {
  const [root, name] = field;
  const ofEvent = root === 'event' ? nearest(String(name), EVENT) : undefined;
  return ofEvent === undefined ? suggestPath(field) : `event.${ofEvent}`;
}
