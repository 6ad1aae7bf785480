import type { Command } from 'commander';
import { RelayError } from '../errors.ts';
import type { JsonObject } from '../model.ts';
import { isServed } from '../store/open.ts';
import type { Store } from '../store/store.ts';
import type { Basics } from './common.ts';
import { absence, findHolds, type Hold } from './holds.ts';
import { addFilterOptions, type FilterOptions, givenFilters } from './listing.ts';
import { configOption, jsonOption } from './options.ts';
import { Progress } from './progress.ts';
import type { Concerned, Consent } from './proposal.ts';
import { printJson } from './shapes.ts';
import { type Cell, printNotes } from './table.ts';
import { withStore } from './with-store.ts';
import { count, isOrAre } from './words.ts';

/** How many things one call of the store changes, a commit each: the count on the terminal moves, and is true of a failure. */
const SOME = 500;

/** What `retry`, `discard` and `replay` are asked with alike. */
export interface RecoveryOptions extends FilterOptions, Consent {
  config: string;
}

/** What they work with. */
export interface Recovery<Options extends RecoveryOptions = RecoveryOptions> {
  basics: Basics;
  store: Store;
  holds: Map<string, Hold>;
  /** Whether a relay is running on the store. */
  served: boolean;
  /** Each once. */
  ids: string[];
  options: Options;
}

/** Adds the options that they have alike. */
export function addRecoveryOptions(command: Command, states: string[]): Command {
  return addFilterOptions(command, states)
    .option('--yes', 'go on without asking')
    .option('--dry-run', 'say how many deliveries it concerns, and change nothing')
    .addOption(jsonOption())
    .addOption(configOption());
}

/**
 * Looks at what they were given to choose by.
 *
 * @param otherwise what to give when nothing was; left away where that means all
 * @throws RelayError RELAY_USAGE when ids and filters are given together, or neither where one is needed
 */
export function checkChoice(ids: string[], options: FilterOptions, otherwise?: string): void {
  const filters = givenFilters(options);
  if (ids.length > 0 && filters.length > 0) {
    throw new RelayError('RELAY_USAGE', `There are both ids (${ids[0]}) and filters (${filters[0]}).`, {
      fix: 'Give ids, or filters that choose: not both.',
    });
  }
  if (ids.length === 0 && filters.length === 0 && otherwise !== undefined) {
    throw new RelayError('RELAY_USAGE', 'Nothing says which ones: that would be all.', { fix: otherwise });
  }
}

/** Opens the store for one of them. */
export async function recover<Options extends RecoveryOptions>(
  { basics, ids, options }: { basics: Basics; ids: string[]; options: Options },
  run: (recovery: Recovery<Options>) => Promise<void>,
): Promise<void> {
  await withStore(basics, async (store) => {
    const holds = await findHolds(basics.config, store);
    await run({ basics, store, holds, served: await isServed(basics.store), ids: [...new Set(ids)], options });
  });
}

/**
 * @throws RelayError RELAY_NOT_FOUND when deliveries would go to a destination that left the config: they would be held for
 *   ever. Nobody knows that while the config cannot be read.
 */
export function refuseAbsent(concerned: Concerned[], { basics: { config }, ids }: Recovery, otherwise: string): void {
  const absent = concerned.filter(({ destination }) => config && !config.destinations.has(destination));
  if (!config || absent.length === 0) return;
  const groups = [...Map.groupBy(absent, ({ destination }) => destination)];
  const named = groups.map(([name, own]) => `"${name}" (${count(own.length, 'delivery', 'deliveries')})`);
  const fixes = groups.map(([name]) => absence(config, name).fix);
  const message = `The config has no destination ${named.join(', ')}. Nothing was changed.`;
  throw new RelayError('RELAY_NOT_FOUND', message, {
    fix: [...fixes, ids.length > 0 ? otherwise : 'Or choose others with --destination.'].join(' ').trim(),
  });
}

/** Changes the store some things at a time. Gives what the store counts. */
export async function inSteps<T>(things: T[], what: string, change: (some: T[]) => Promise<number>): Promise<number> {
  using progress = new Progress(`of ${things.length} ${what}`);
  let changed = 0;
  for (let from = 0; from < things.length; from += SOME) {
    const some = things.slice(from, from + SOME);
    try {
      changed += await change(some);
    } catch (error) {
      if (!(error instanceof RelayError) || from === 0) throw error;
      const message = `${error.message}; ${from} of ${things.length} ${what} were done before that`;
      throw new RelayError(error.code, message, { ...(error.fix && { fix: error.fix }), cause: error });
    }
    progress.add(some.length);
  }
  return changed;
}

/** Says what was done; with `--json` as one object, and the words go to standard error. */
export function report(lines: Cell[], shape: JsonObject, { json }: Consent): void {
  if (json) printJson(shape);
  printNotes(lines, json ? process.stderr : process.stdout);
}

/** When deliveries that are due again arrive, and what holds some of them. */
export function whatComes(concerned: Concerned[], { basics, holds, served }: Recovery): Cell[] {
  const held = Map.groupBy(
    concerned.filter(({ destination }) => holds.has(destination)),
    ({ destination }) => destination,
  );
  const flowing = concerned.length - [...held.values()].flat().length;
  const lines: Cell[] = [];
  if (flowing > 0 && !served) {
    const will = flowing === 1 ? 'it will' : 'they will';
    const text = `No relay is running: ${will} be delivered when the relay starts (\`versive-relay serve\`).`;
    lines.push({ text, style: 'yellow' });
  } else if (flowing > 0) {
    const by = basics.config ? '' : ', if the config that it read before lets it';
    const text = `The running relay delivers now${by}, as soon as each service lets it; \`versive-relay deliveries --state pending\` shows what waits.`;
    lines.push({ text });
  }
  for (const [destination, own] of held) {
    const hold = holds.get(destination);
    lines.push({
      text: `${own.length} ${isOrAre(own.length)} held at ${destination}: ${hold?.detail}`,
      style: 'magenta',
    });
    lines.push({ text: `fix: ${hold?.fix}`, style: 'cyan' });
  }
  return lines;
}

/** That fewer were changed than were counted. */
export function missed(number: number): string {
  if (number <= 0) return '';
  return ` ${count(number, 'delivery has', 'deliveries have')} changed meanwhile and ${number === 1 ? 'stays' : 'stay'} so.`;
}
