/** Reads what decides where events go: sources and routes. */
import { compileFilter, type Filter, PlainScalar } from '../route/filter.ts';
import type { Route } from '../route/table.ts';
import { didYouMean } from '../suggest.ts';
import type { SourceConfig } from './config.ts';
import { judge } from './issues.ts';
import { type Located, plainValue } from './locate.ts';
import { quoteOf, type Report } from './report.ts';
import { routeSchema, sourceSchema } from './schema.ts';
import { findFilterTraps } from './traps.ts';

/** Reads `sources:`. Those with errors are left out. */
export function readSources(sources: Located, report: Report): Map<string, SourceConfig> {
  const found = new Map<string, SourceConfig>();
  for (const [name, located] of sources.entries ?? []) {
    const judged = judge(sourceSchema, plainValue(located), quoteOf(located));
    report.options(located, judged.problems);
    const when = readFilter(located.entries?.get('when'), report);
    if (judged.value === undefined) continue;
    const { secret } = judged.value;
    const secrets = Array.isArray(secret) ? secret : [secret];
    for (const each of secrets) report.secrets.add(each.reveal());
    found.set(name, { name, secrets, when });
  }
  return found;
}

/** Reads `routes:`. Those with errors are left out. */
export function readRoutes(routes: Located, destinations: Set<string> | undefined, report: Report): Route[] {
  const found: Route[] = [];
  const names = new Map<string, Located>();
  for (const located of routes.items ?? []) {
    if (report.full) break;
    const judged = judge(routeSchema, plainValue(located), quoteOf(located));
    report.options(located, judged.problems);
    const name = located.entries?.get('name');
    if (name && typeof name.scalar === 'string') {
      const first = names.get(name.scalar);
      if (first) {
        // Both can have it from one anchor.
        const where = first.offset === name.offset ? '' : `, in ${report.where(first, name)}`;
        const message = `another route has the name ${JSON.stringify(name.scalar)} already${where}`;
        report.at(name, {
          code: 'RELAY_CONFIG_INVALID',
          message,
          fix: 'Give each route its own: logs and lists tell routes by it.',
        });
      } else names.set(name.scalar, name);
    }
    const to = located.entries?.get('to');
    checkReferences(to, destinations, report);
    const when = readFilter(located.entries?.get('when'), report);
    if (judged.value === undefined) continue;
    const route = { ...judged.value, to: listOf(judged.value.to), when };
    if (route.to.length === 0 && !route.stop && to) {
      report.at(to, {
        code: 'RELAY_CONFIG_INVALID',
        message: 'this route goes nowhere',
        fix: 'Name a destination; or set stop: true, to drop its events.',
      });
    }
    found.push(route);
  }
  return found;
}

/** Each name, alone or in a list, must be one of those; undefined when nobody knows which there are. */
export function checkReferences(
  located: Located | undefined,
  names: Set<string> | undefined,
  report: Report,
  kind = 'destination',
): void {
  if (names === undefined) return;
  for (const each of located?.items ?? (located ? [located] : [])) {
    if (typeof each.scalar !== 'string' || each.scalar === '' || names.has(each.scalar)) continue;
    const meant = report.tooMany(names) ? '' : didYouMean(each.scalar, names);
    report.at(each, {
      code: 'RELAY_CONFIG_REFERENCE',
      message: `no ${kind} ${JSON.stringify(each.scalar)}.${meant}`,
      fix: each.scalar.includes(',') ? 'For several write a list, such as [research-alerts, tracker].' : undefined,
    });
  }
}

/** A name, or a list of them, as a list. */
export function listOf(names: string | string[]): string[] {
  return Array.isArray(names) ? names : [names];
}

function readFilter(when: Located | undefined, report: Report): Filter | undefined {
  if (when === undefined) return undefined;
  report.yaml(findFilterTraps(when));
  const { filter, problems } = compileFilter(filterValue(when));
  report.options(when, problems);
  return filter;
}

/** The tree as filters take it: unquoted numbers and booleans keep their source text. */
export function filterValue(located: Located): unknown {
  if (located.entries) return Object.fromEntries([...located.entries].map(([key, entry]) => [key, filterValue(entry)]));
  if (located.items) return located.items.map(filterValue);
  const { scalar, source, plain } = located;
  const isTyped = typeof scalar === 'number' || typeof scalar === 'boolean';
  return isTyped && plain ? new PlainScalar(scalar, source) : (scalar ?? null);
}
