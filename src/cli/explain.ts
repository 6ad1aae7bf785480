import { styleText } from 'node:util';
import { Command } from 'commander';
import type { Config } from '../config/config.ts';
import { jsonText } from '../render/shape.ts';
import { decide, routedFields } from '../route/decide.ts';
import { type Explained, explainRoutes } from '../route/explain.ts';
import type { Condition, Told } from '../route/filter.ts';
import { clip } from '../text.ts';
import { type ChosenEvent, findEvent, isEventId, readEvent, sourceOption } from './chosen-event.ts';
import { type Basics, readBasics, readConfig } from './common.ts';
import { configOption, jsonOption } from './options.ts';
import { printJson } from './shapes.ts';
import { plain } from './words.ts';

/** Characters of a value that are shown: a transcript would fill the screen. */
const SHOWN = 60;

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
      const lines = options.json ? jsonLines(explanation) : humanLines(config, explanation);
      process.stdout.write(lines.map((line) => `${line}\n`).join(''));
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
  process.stdout.write(`${paint('bold', plain(`${eventType || 'an event'} ${subject} of source ${source}`))}\n`);
  process.stdout.write(`${plain(`When it was received: ${state}${because}.${taken}`)}\n${paint('yellow', note)}\n`);
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

function jsonLines({ routes, refused }: Explanation): string[] {
  if (refused !== undefined) process.stderr.write(`${refused}\n`);
  return routes.map(({ route, matched, because, skipped, stoppedBy }) =>
    JSON.stringify({
      route,
      matched,
      because: because.map(({ path, condition, value, held }) => ({ path, condition, value: value ?? null, held })),
      ...(skipped && { skipped }),
      ...(stoppedBy !== undefined && { stopped_by: stoppedBy }),
    }),
  );
}

function humanLines(config: Config, { headline, refused, source, routes, destinations }: Explanation): string[] {
  const lines = [paint('bold', plain(headline)), ...treeLines(source)];
  if (refused !== undefined) return [...lines, paint('yellow', plain(refused))];
  for (const [index, explained] of routes.entries()) {
    lines.push(routeLine(explained, config.table.routes[index]?.to ?? []));
    lines.push(...treeLines(explained.tree));
  }
  if (destinations.length === 0) {
    return [...lines, paint('yellow', 'No route takes it: it is kept as unrouted.')];
  }
  const held = destinations.filter((name) => config.destinations.get(name)?.enabled === false);
  lines.push(`It goes to ${destinations.join(', ')}.`);
  if (held.length > 0) lines.push(paint('yellow', `Held, since they are disabled: ${held.join(', ')}.`));
  return lines;
}

function routeLine({ route, matched, skipped, stoppedBy }: Row, to: string[]): string {
  if (skipped === 'disabled') return paint('dim', `– ${route} (disabled)`);
  if (skipped === 'stopped') return paint('dim', `– ${route} (not asked: "${stoppedBy}" above it stops here)`);
  return matched ? `${paint('green', '✓')} ${route} → ${to.join(', ')}` : `${paint('red', '✗')} ${route}`;
}

/** Conditions, a line each; what is in a group stands deeper. */
function treeLines(told: Told[], indent = '    '): string[] {
  return told.flatMap((each) => {
    if (!('group' in each)) return [`${indent}${conditionLine(each)}`];
    const head = each.group === 'any' ? 'one of these must hold:' : 'all of these must hold:';
    return [`${indent}${paint('red', '✗')} ${head}`, ...treeLines(each.parts, `${indent}    `)];
  });
}

function conditionLine({ path, condition, value, held }: Condition): string {
  const text = plain(`${path} ${condition}`);
  return held ? paint('dim', `✓ ${text}`) : `${paint('red', '✗')} ${text}: ${paint('bold', plain(seen(value)))}`;
}

/** What a condition saw, in words: `it is 45`. */
export function seen(value: Condition['value']): string {
  return value === undefined ? 'it is missing' : `it is ${clip(jsonText(value), SHOWN)}`;
}

function paint(style: 'bold' | 'dim' | 'green' | 'red' | 'yellow', text: string): string {
  return styleText(style, text, { stream: process.stdout });
}
