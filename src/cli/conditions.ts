/** What became of conditions, as verbs show it. */
import { jsonText } from '../render/shape.ts';
import type { Condition, Told } from '../route/filter.ts';
import { clip } from '../text.ts';
import type { Line } from './table.ts';

/** Characters of a value that are shown: a transcript would fill the screen. */
const SHOWN = 60;

/** Conditions, a line each; what is in a group stands deeper. */
export function treeLines(told: Told[], indent: string): Line[] {
  return told.flatMap((each): Line[] => {
    if (!('group' in each)) return [conditionLine(each, indent)];
    const head = each.group === 'any' ? 'one of these must hold:' : 'all of these must hold:';
    return [[indent, { text: '✗', style: 'red' }, ` ${head}`], ...treeLines(each.parts, `${indent}    `)];
  });
}

function conditionLine({ path, condition, value, held }: Condition, indent: string): Line {
  const text = `${path} ${condition}`;
  if (held) return [indent, { text: `✓ ${text}`, style: 'dim' }];
  return [indent, { text: '✗', style: 'red' }, ` ${text}: `, { text: seen(value), style: 'bold' }];
}

/** The first condition that did not hold: `interview.active_time ≥ 300, it is 120 (and 1 more)`. */
export function firstFailed(conditions: Condition[]): string | undefined {
  const [first, ...others] = conditions.filter(({ held }) => !held);
  if (!first) return undefined;
  const more = others.length > 0 ? ` (and ${others.length} more)` : '';
  return `${first.path} ${first.condition}, ${seen(first.value)}${more}`;
}

/** What a condition saw: `it is 45`. */
function seen(value: Condition['value']): string {
  return value === undefined ? 'it is missing' : `it is ${clip(jsonText(value), SHOWN)}`;
}
