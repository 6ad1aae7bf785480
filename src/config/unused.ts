/** Finds what the config has and nothing uses. */
import type { Located } from './locate.ts';
import type { Report } from './report.ts';

const CODE = { level: 'warning', code: 'RELAY_CONFIG_UNUSED' } as const;

/**
 * Tells of destinations that no route sends to, and of defaults for a connector that no destination has.
 *
 * @param known the names of all connectors
 */
export function findUnused(sections: ReadonlyMap<string, Located>, known: readonly string[], report: Report): void {
  const destinations = sections.get('destinations')?.entries ?? new Map<string, Located>();
  const connectors = [...destinations.values()].map(({ entries }) => String(entries?.get('connector')?.scalar));
  // One whose connector is misspelt or missing may well be meant to take them.
  const isTold = sections.has('destinations') && connectors.every((name) => known.includes(name));
  for (const [name, located] of isTold && !report.isUnread('destinations')
    ? (sections.get('defaults')?.entries ?? [])
    : []) {
    if (connectors.includes(name) || !known.includes(name) || !located.entries) continue;
    report.at(located, {
      ...CODE,
      message: `no destination has the connector ${name}: these defaults change nothing`,
      fix: 'Remove them, or add a destination of that connector.',
    });
  }
  const used = namesUsed(sections, destinations);
  if (!used || report.isUnread('routes') || report.isUnread('on_failure')) return;
  for (const [name, located] of destinations) {
    // One that is switched off is put by on purpose.
    if (used.has(name) || !located.entries || String(located.entries?.get('enabled')?.scalar) === 'false') continue;
    report.at(located, {
      ...CODE,
      message: `no route sends anything to "${name}"`,
      fix: `Name it in the \`to:\` of a route, or remove it.`,
    });
  }
}

/** Undefined where there are no routes, or one names no destination that is there: perhaps it means an unused one. */
function namesUsed(
  sections: ReadonlyMap<string, Located>,
  known: ReadonlyMap<string, Located>,
): Set<string> | undefined {
  const routes = sections.get('routes')?.items ?? [];
  const lists = routes.map(({ entries }) => entries?.get('to'));
  if (lists.includes(undefined)) return undefined;
  const used = [...lists, sections.get('on_failure')].flatMap((list) => {
    return (list?.items ?? (list ? [list] : [])).map(({ scalar }) => String(scalar));
  });
  return routes.length > 0 && used.every((name) => known.has(name)) ? new Set(used) : undefined;
}
