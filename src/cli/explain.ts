import { Command } from 'commander';
import type { Config } from '../config/config.ts';
import { decide, routedFields } from '../route/decide.ts';
import { type Explained, explainRoutes } from '../route/explain.ts';
import type { Told } from '../route/filter.ts';
import { type ChosenEvent, findEvent, isEventId, readEvent, sourceOption } from './chosen-event.ts';
import { type Basics, readBasics, readConfig } from './common.ts';
import { treeLines } from './conditions.ts';
import { configOption, jsonOption } from './options.ts';
import { printJson } from './shapes.ts';
import { type Line, printLines } from './table.ts';

const INDENT = '    ';

export function explainCommand(): Command {
  return new Command('explain')
    .description('show which routes take an event, and why the others do not')
    .argument('<event>', 'a file with a payload, - for standard input, or the id of a stored event')
    .addOption(configOption())
    .addOption(sourceOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Examples:
  $ versive-relay explain e42
  $ versive-relay explain interview.json --json
  $ pbpaste | versive-relay explain -`,
    )
    .action(async (argument: string, options: { config: string; source?: string; json?: boolean }) => {
      const basics = isEventId(argument) ? await readBasics(options.config) : undefined;
      if (basics && !basics.config) return explainRecorded(basics, argument, options.json === true);
      const config = basics?.config ?? (await readConfig(options.config));
      const chosen = await readEvent(config, argument, options.source);
      const explanation = explainEvent(config, chosen);
      if (options.json) printRoutes(explanation);
      else printLines(humanLines(config, explanation), process.stdout);
    });
}

/** What became of a stored event when it arrived: all that is known of its routes while the config cannot be read. */
async function explainRecorded(basics: Basics, id: string, json: boolean): Promise<void> {
  const { source, eventType, subject, state, reason, routes } = await findEvent(basics, id);
  const note = 'What its routes make of it now is unknown: the config has errors.';
  if (json) {
    process.stderr.write(`${note} These took it when it was received.\n`);
    for (const route of routes) printJson({ route, matched: true, because: [], recorded: true });
    return;
  }
  const because = reason === undefined ? '' : `, ${reason}`;
  const taken = routes.length > 0 ? ` Taken by ${routes.join(', ')}.` : '';
  const lines: Line[] = [
    [{ text: `${eventType || 'an event'} ${subject} of source ${source}`, style: 'bold' }],
    [`When it was received: ${state}${because}.${taken}`],
    [{ text: note, style: 'yellow' }],
  ];
  printLines(lines, process.stdout);
}

/** What became of one route, also when the source let the event reach none. */
type Row = Omit<Explained, 'skipped'> & { skipped?: Explained['skipped'] | 'source'; tree: Told[] };

interface Explanation {
  headline: string;
  /** Why no route was asked; undefined when they were. */
  refused: string | undefined;
  /** The source's `when`. */
  source: Told[];
  routes: Row[];
  destinations: string[];
}

/** Decides on an event as its acceptance does, and tells why. */
function explainEvent(config: Config, chosen: ChosenEvent): Explanation {
  const { judged, source } = chosen;
  const { refused: isRefused, destinations } = decide(judged, source, config.table);
  const routes = config.table.routes.map(({ name }): Row => ({ route: name, matched: false, because: [], tree: [] }));
  if (judged.payload === undefined) {
    const headline = `${judged.eventType || 'an event'} of source ${source.name}`;
    const refused = `It would be kept as quarantined, and asked of no route: ${judged.reason}.`;
    return { headline, refused, source: [], routes, destinations };
  }
  const fields = routedFields(judged.payload, source.name);
  const headline = `${judged.payload.event_type} ${judged.payload.interview.id} of source ${source.name}`;
  const told = source.when?.tree(fields) ?? [];
  if (isRefused) {
    const refused = `Source ${source.name} refuses it: it is kept as unrouted.`;
    const because = source.when?.explain(fields) ?? [];
    const skipped = routes.map((route): Row => ({ ...route, because, skipped: 'source' }));
    return { headline, refused, source: told, routes: skipped, destinations };
  }
  const explained = explainRoutes(config.table, fields).map((each, index): Row => {
    const tree = each.skipped ? [] : (config.table.routes[index]?.when?.tree(fields) ?? []);
    return { ...each, tree };
  });
  return { headline, refused: undefined, source: told, routes: explained, destinations };
}

function printRoutes({ routes, refused }: Explanation): void {
  if (refused !== undefined) process.stderr.write(`${refused}\n`);
  for (const { route, matched, because, skipped, stoppedBy } of routes) {
    printJson({
      route,
      matched,
      because: because.map(({ path, condition, value, held }) => ({ path, condition, value: value ?? null, held })),
      ...(skipped && { skipped }),
      ...(stoppedBy !== undefined && { stopped_by: stoppedBy }),
    });
  }
}

function humanLines(config: Config, { headline, refused, source, routes, destinations }: Explanation): Line[] {
  const lines: Line[] = [[{ text: headline, style: 'bold' }], ...treeLines(source, INDENT)];
  if (refused !== undefined) return [...lines, [{ text: refused, style: 'yellow' }]];
  for (const [index, explained] of routes.entries()) {
    lines.push(routeLine(explained, config.table.routes[index]?.to ?? []));
    lines.push(...treeLines(explained.tree, INDENT));
  }
  if (destinations.length === 0) {
    return [...lines, [{ text: 'No route takes it: it is kept as unrouted.', style: 'yellow' }]];
  }
  const held = destinations.filter((name) => config.destinations.get(name)?.enabled === false);
  lines.push([`It goes to ${destinations.join(', ')}.`]);
  if (held.length > 0) {
    lines.push([{ text: `Held, since they are disabled: ${held.join(', ')}.`, style: 'yellow' }]);
  }
  return lines;
}

function routeLine({ route, matched, skipped, stoppedBy }: Row, to: string[]): Line {
  if (skipped === 'disabled') return [{ text: `– ${route} (disabled)`, style: 'dim' }];
  if (skipped === 'stopped') {
    return [{ text: `– ${route} (not asked: "${stoppedBy}" above it stops here)`, style: 'dim' }];
  }
  return matched
    ? [{ text: '✓', style: 'green' }, ` ${route} → ${to.join(', ')}`]
    : [{ text: '✗', style: 'red' }, ` ${route}`];
}
