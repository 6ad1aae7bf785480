import path from 'node:path';
import { spelledDuration } from '../config/durations.ts';
import { restartsFor } from '../config/restart.ts';
import { turnover } from '../route/plan.ts';
import type { Store } from '../store/store.ts';
import type { Comparison } from './plan-events.ts';
import type { Cell } from './table.ts';
import { count, listed } from './words.ts';

interface Known {
  store: Store;
  /** How many events each destination gains. */
  gains: ReadonlyMap<string, number>;
  /** Destinations that write to another place, in words. */
  moved: string[];
}

/** What of the destinations themselves changes, and what becomes of the deliveries that wait there. */
export async function destinationNotes({ before, after }: Comparison, { store, gains, moved }: Known): Promise<Cell[]> {
  const pending = new Map((await store.backlog()).map((each) => [each.destination, each.pending]));
  // Of no config before, what waits tells which destinations there were.
  const found = new Map([...pending.keys()].map((name) => [name, { name, renamedFrom: undefined }]));
  const { added, gone, renamed } = turnover(before?.destinations ?? found, after.destinations);
  const waiting = (name: string) => count(pending.get(name) ?? 0, 'pending delivery', 'pending deliveries');
  const disabled = [...after.destinations.values()].filter(({ name, enabled, renamedFrom }) => {
    const present = before?.destinations.get(name) ?? before?.destinations.get(renamedFrom ?? '');
    const news = before ? present?.enabled !== false : (pending.get(name) ?? 0) > 0;
    return !enabled && (news || gains.has(name));
  });
  const isHeld = (name: string) => ((pending.get(name) ?? 0) > 0 ? `: ${waiting(name)} would be held` : '');
  return [
    ...(before ? added.map((name) => ({ text: `${name} is new.` })) : []),
    ...renamed.map(([from, to]) => ({ text: `${from} is renamed ${to}, and takes what it has along.` })),
    ...gone.map((name): Cell => {
      const fix = 'If another destination takes its place, give that one';
      return { text: `${name} is gone${isHeld(name)}. ${fix} renamed_from: ${name}`, style: 'yellow' };
    }),
    ...disabled.map(({ name }): Cell => {
      const text = `${name} is disabled: what goes there is held${isHeld(name) && `, ${waiting(name)} among it`}.`;
      return { text, style: 'yellow' };
    }),
    ...moved.map((text): Cell => {
      const then = 'An interview that comes again is delivered anew there.';
      return { text: `Writes to another place: ${text}. ${then}`, style: 'yellow' };
    }),
  ];
}

/** What of the change a running relay does not follow. */
export function restartNotes({ before, after }: Comparison): Cell[] {
  const changed = before ? restartsFor(before, after) : [];
  if (!before || changed.length === 0) return [];
  const kept = changed.includes('store') ? `; stored events stay in ${near(before.store)}` : '';
  const text = `${listed(changed)} ${changed.length === 1 ? 'changes' : 'change'}: that needs a restart${kept}.`;
  return [{ text, style: 'yellow' }];
}

/** What a running relay would begin to remove. */
export function retentionNotes({ before, after }: Comparison): Cell[] {
  if (!before || after.retention === undefined) return [];
  if (after.retention >= (before.retention ?? Number.POSITIVE_INFINITY)) return [];
  const age = spelledDuration(after.retention);
  const what = `The bodies and deliveries of settled events older than ${age} are removed, a minute after it is in force`;
  return [{ text: `${what}. How many: versive-relay prune --older-than ${age} --dry-run`, style: 'yellow' }];
}

/** A path as a person in this folder writes it. */
function near(file: string): string {
  const relative = path.relative('.', file);
  return relative.startsWith('..') ? file : `./${relative}`;
}
