/** What a change of a config does to where events go: told by `plan` before, and by the log after. */
import type { Judged } from '../payload.ts';
import { decide, type Gate } from './decide.ts';
import type { Table } from './table.ts';

/** What of a config decides where events go. */
export interface Rules {
  sources: ReadonlyMap<string, Gate>;
  table: Table;
}

/** Where an event goes, or went. */
export interface Way {
  routes: string[];
  destinations: string[];
}

/** What becomes of one event's destinations, by their names after the change. */
export interface Change {
  gains: string[];
  loses: string[];
}

/** Where an event of a source goes by these rules; nowhere when they do not have the source. Never throws. */
export function wayBy({ sources, table }: Rules, source: string, judged: Judged): Way {
  const gate = sources.get(source);
  return gate ? decide(judged, gate, table) : { routes: [], destinations: [] };
}

/** @param heirs what destinations are called after the change, by the names that they had */
export function changeOf(before: Way, after: Way, heirs: ReadonlyMap<string, string>): Change {
  const had = new Set(before.destinations.map((name) => heirs.get(name) ?? name));
  const has = new Set(after.destinations);
  return { gains: [...has.difference(had)], loses: [...had.difference(has)] };
}

/** How many events a change concerns. */
export class ChangeCount {
  /** Events that were compared. */
  of = 0;
  /** Those that gain or lose a destination. */
  changed = 0;
  /** Those that went somewhere, and go nowhere after the change. */
  unrouted = 0;
  /** Those that went nowhere, and go somewhere after the change. */
  routed = 0;
  readonly gains = new Map<string, number>();
  readonly loses = new Map<string, number>();

  add(before: Way, after: Way, { gains, loses }: Change): void {
    this.of += 1;
    if (gains.length + loses.length > 0) this.changed += 1;
    const [was, is] = [before.destinations.length > 0, after.destinations.length > 0];
    if (was && !is) this.unrouted += 1;
    if (!was && is) this.routed += 1;
    for (const name of gains) increase(this.gains, name);
    for (const name of loses) increase(this.loses, name);
  }

  /** `research-alerts +12 −3`: each destination that gains or loses events. */
  get words(): string[] {
    return [...this.names].map((name) => `${name} ${this.wordsOf(name)}`);
  }

  /** `+12 −3`. */
  wordsOf(name: string): string {
    const [gains, loses] = [this.gains.get(name), this.loses.get(name)];
    return [gains && `+${gains}`, loses && `−${loses}`].filter(Boolean).join(' ');
  }

  /** The destinations that gain or lose events, by name. */
  get names(): string[] {
    return [...new Set([...this.gains.keys(), ...this.loses.keys()])].sort();
  }
}

function increase(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

/** What of a destination tells whether it is another one. */
interface Named {
  name: string;
  renamedFrom: string | undefined;
}

/** The names that destinations take over when a config comes into force, by the names that they had. */
export function heirsOf(after: Iterable<Named>): Map<string, string> {
  const heirs = new Map<string, string>();
  for (const { name, renamedFrom } of after) if (renamedFrom !== undefined) heirs.set(renamedFrom, name);
  return heirs;
}

/** Which destinations a change brings, takes away and renames. */
export function turnover(
  before: ReadonlyMap<string, Named>,
  after: ReadonlyMap<string, Named>,
): { added: string[]; gone: string[]; renamed: [from: string, to: string][] } {
  const heirs = heirsOf(after.values());
  const renamed = [...heirs].filter(([from, to]) => before.has(from) && !before.has(to));
  const moved = new Set(renamed.flat());
  return {
    added: [...after.keys()].filter((name) => !before.has(name) && !moved.has(name)),
    gone: [...before.keys()].filter((name) => !after.has(name) && !heirs.has(name)),
    renamed,
  };
}

/** What a destination was before a change, also under its former name. */
export function formerOf<T extends Named>({ name, renamedFrom }: T, before: ReadonlyMap<string, T>): T | undefined {
  return before.get(name) ?? (renamedFrom === undefined ? undefined : before.get(renamedFrom));
}

/** The destinations that are there before and after, and have other options: what they are sent may be another thing. */
export function altered<T extends Named & { fingerprint: string }>(
  before: ReadonlyMap<string, T>,
  after: ReadonlyMap<string, T>,
): string[] {
  return [...after.values()]
    .filter((next) => (formerOf(next, before)?.fingerprint ?? next.fingerprint) !== next.fingerprint)
    .map(({ name }) => name);
}
