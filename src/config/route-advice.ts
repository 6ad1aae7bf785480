/** What of the routing is legal, and surely not meant: conditions that never hold, and routes that never get an event. */
import { asGroup, type Clause, clausesOf, type Group } from '../route/clauses.ts';
import { type Contradiction, type Facts, findContradictions } from '../route/contradiction.ts';
import { findMisfits } from '../route/misfit.ts';
import { findShadows } from '../route/shadow.ts';
import type { Located } from './locate.ts';
import type { Report } from './report.ts';
import { filterValue } from './routing.ts';

const CODE = { level: 'warning', code: 'RELAY_CONFIG_NEVER' } as const;

/** One `when`; undefined clauses when it has errors of its own. */
interface Judged {
  located: Located;
  clauses: Group | undefined;
}

/** Tells of conditions and routes that nothing can meet. */
export function adviseOnRoutes(sources: Located | undefined, routes: Located | undefined, report: Report): void {
  const gates = new Map<string, Group | undefined>();
  for (const [name, source] of sources?.entries ?? []) {
    const judged = judgedOf(source.entries?.get('when'), report);
    // One with a slip in it is corrected first.
    const isSlip = judged?.clauses && findMisfits(judged.clauses).length > 0;
    gates.set(name, isSlip ? undefined : judged ? judged.clauses : ALL);
    if (judged) tell(judged, { sources: [name], gate: [] }, 'this source never lets an event through', report);
  }
  const names = report.isUnread('sources') ? undefined : [...gates.keys()];
  const walked = (routes?.items ?? [])
    .filter(({ entries }) => entries)
    .map((located) => {
      const judged = judgedOf(located.entries?.get('when'), report);
      const when = judged ? judged.clauses : ALL;
      const gate = when ? gateOf(when, gates) : [];
      const never = judged ? tell(judged, { sources: names, gate }, 'this route can never match', report) : false;
      const says = (key: string) => String(located.entries?.get(key)?.scalar);
      return { located, when, gate, never, stop: says('stop') === 'true', enabled: says('enabled') !== 'false' };
    });
  const shadows = findShadows(walked);
  walked.forEach(({ located, never }, at) => {
    const above = walked[shadows.get(at) ?? -1];
    if (!above || above.never || never) return;
    const isOther = report.placeOf(above.located).file !== report.placeOf(located).file;
    const where = isOther ? ` (${report.where(above.located, located)})` : '';
    const name = JSON.stringify(above.located.entries?.get('name')?.scalar ?? '');
    report.at(located, {
      ...CODE,
      message: `this route never gets an event: the route ${name} above${where} takes each of them first, and has stop: true`,
      fix: 'Move this route above that one, narrow its `when:`, or take its `stop:` away.',
    });
  });
}

/** A filter that takes everything. */
const ALL: Group = { kind: 'all', members: [], place: [], written: false };

function judgedOf(located: Located | undefined, report: Report): Judged | undefined {
  return located && { located, clauses: report.isMisread(located) ? undefined : clausesOf(filterValue(located)) };
}

/** What the source of a route's events wants of them, when they can come from one only. */
function gateOf(when: Group, gates: ReadonlyMap<string, Group | undefined>): readonly Clause[] {
  const asked = when.members.filter((member) => 'path' in member && member.path === 'source');
  const possible = [...gates].filter(([name]) => asked.every((leaf) => 'test' in leaf && leaf.test(name)));
  const [only] = possible;
  return possible.length === 1 && only?.[1] ? asGroup(only[1]).members : [];
}

/** Tells what is wrong in one `when`; true when nothing can meet it. */
function tell({ located, clauses }: Judged, facts: Facts, never: string, report: Report): boolean {
  if (!clauses) return false;
  const misfits = findMisfits(clauses);
  report.options(
    located,
    misfits.map(({ place, message, fix }) => ({ ...CODE, path: place, message, fix })),
  );
  if (misfits.length > 0) return false;
  const found = findContradictions(clauses, facts);
  report.options(
    located,
    found.map((each) => ({
      ...CODE,
      path: each.place,
      message: `${each.whole ? never : 'this alternative can never hold'}: ${each.because}`,
      fix: FIXES[each.by],
    })),
  );
  return found.some(({ whole }) => whole);
}

const FIXES: Record<Contradiction['by'], string> = {
  condition: 'Correct one of them; where one is enough, write both below `any:`.',
  source: 'Change the condition, or the `when:` of the source.',
  fact: 'Correct the condition.',
};
