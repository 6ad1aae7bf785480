import type { Config } from '../config/config.ts';
import { routedFields } from '../route/decide.ts';
import { explainRoutes } from '../route/explain.ts';
import type { Condition } from '../route/filter.ts';
import { firstFailed } from './conditions.ts';
import type { Compared, Comparison } from './plan-events.ts';

/** Why an event gains a destination: the routes that send it there. */
export function whyGained({ after }: Compared, destination: string, { after: config }: Comparison): string {
  return after.routes.filter((name) => leadsTo(config, name, destination)).join(', ');
}

/** Why an event loses a destination: the route that sent it there, and what is in its way now. */
export function whyLost({ event, payload, before }: Compared, destination: string, comparison: Comparison): string {
  const { before: present, after: next } = comparison;
  const gate = next.sources.get(event.source);
  if (!gate) return `the source ${event.source} is gone`;
  const fields = routedFields(payload, event.source);
  if (gate.when?.test(fields) === false) {
    return `the source ${gate.name} refuses it${failed(gate.when.explain(fields))}`;
  }
  const explained = explainRoutes(next.table, fields);
  const former = before.routes.filter((name) => {
    if (present) return leadsTo(present, name, destination) || leadsTo(present, name, formerName(next, destination));
    // Which of its routes led there is not kept: those that take it still did not, if they do not now.
    return !explained.some(({ route, matched }) => route === name && matched);
  });
  const [name] = former;
  if (name === undefined) return 'no route sends it there';
  const now = explained.find(({ route }) => route === name);
  if (!now) return `${name}: the route is gone`;
  if (now.skipped === 'disabled') return `${name}: the route is disabled`;
  if (now.skipped === 'stopped') return `${name}: not asked, since "${now.stoppedBy}" above it stops`;
  return now.matched ? `${name}: does not go there any more` : `${name}${failed(now.because)}`;
}

function leadsTo({ table }: Config, route: string, destination: string | undefined): boolean {
  return table.routes.some(({ name, to }) => name === route && to.some((each) => each === destination));
}

function formerName({ destinations }: Config, name: string): string | undefined {
  return destinations.get(name)?.renamedFrom;
}

function failed(conditions: Condition[]): string {
  const first = firstFailed(conditions);
  return first === undefined ? '' : `: ${first}`;
}
