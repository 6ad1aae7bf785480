import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Config } from '../config/config.ts';
import { RelayError } from '../errors.ts';
import { openStore } from '../store/open.ts';
import type { EventFilter, PageRequest, Store } from '../store/store.ts';
import { didYouMean } from '../suggest.ts';
import { configOption, jsonOption } from './common.ts';
import { parseMoment } from './moment.ts';

/** What `events` and `deliveries` are asked with alike. */
export interface ListOptions {
  config: string;
  json?: true;
  limit: number;
  state?: string;
  destination?: string;
  route?: string;
  study?: string;
  interview?: string;
  since?: string;
  until?: string;
}

/** The most rows of one page of the store. */
const PAGE = 1000;

/** Adds the options of a list to its verb. */
export function addListOptions(command: Command, states: string[]): Command {
  return command
    .addOption(new Option('--state <state>', 'only in this state').choices(states))
    .option('--destination <name>', 'only those of a destination')
    .option('--route <name>', 'only those that a route took')
    .option('--study <id>', 'only those of a study')
    .option('--interview <id>', 'only those of an interview')
    .option('--since <time>', 'received from then on: 2h (ago), 2026-11-23, 2026-11-23T15:04Z')
    .option('--until <time>', 'received before then')
    .addOption(new Option('--limit <number>', 'at most so many, newest first').default(50).argParser(parseLimit))
    .addOption(jsonOption())
    .addOption(configOption());
}

function parseLimit(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('Expected a number from 1.');
  return Number(text);
}

/** The filter that the options ask for, without the state. */
export function filterOf(options: ListOptions, timezone: string): Omit<EventFilter, 'state'> {
  const { destination, route, study, interview, since, until } = options;
  const now = Date.now();
  return {
    ...(destination !== undefined && { destination }),
    ...(route !== undefined && { route }),
    ...(study !== undefined && { study }),
    ...(interview !== undefined && { interview }),
    ...(since !== undefined && { since: parseMoment(since, timezone, now) }),
    ...(until !== undefined && { until: parseMoment(until, timezone, now) }),
  };
}

/** As many pages as the limit asks for, newest first. */
export async function* pages<T extends { id: string }>(
  list: (page: PageRequest) => Promise<T[]>,
  limit: number,
): AsyncGenerator<T[]> {
  let before: string | undefined;
  for (let left = limit; left > 0; left -= PAGE) {
    const size = Math.min(left, PAGE);
    const page = await list({ limit: size, ...(before !== undefined && { before }) });
    if (page.length > 0) yield page;
    if (page.length < size) return;
    before = page.at(-1)?.id;
  }
}

/** Runs a verb on the store of the config, which must be there already, and closes it. */
export async function withStore<T>(config: Config, run: (store: Store) => Promise<T>): Promise<T> {
  const store = await openStore(config.store, { create: false });
  try {
    return await run(store);
  } finally {
    await store.close();
  }
}

/** The answer to a list that is empty: it says what was looked for, and what may be mistyped. */
export function nothingFound(things: string, options: ListOptions, config: Config): RelayError {
  const { state, destination, route, study, interview, since, until } = options;
  const asked = Object.entries({ state, destination, route, study, interview, since, until })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `--${name} ${value}`);
  if (asked.length === 0) return new RelayError('RELAY_NOT_FOUND', `There are no ${things} yet.`);
  const hints = [
    unknownName('destination', destination, config.destinations.keys()),
    unknownName(
      'route',
      route,
      config.table.routes.map(({ name }) => name),
    ),
  ].filter((hint) => hint !== undefined);
  return new RelayError('RELAY_NOT_FOUND', `There are no ${things} with ${asked.join(' ')}.`, {
    ...(hints.length > 0 && { fix: hints.join(' ') }),
  });
}

/** That the config has nothing of this name, with the one that was surely meant, or all that there are. */
export function unknownName(kind: string, name: string | undefined, known: Iterable<string>): string | undefined {
  const names = [...known];
  if (name === undefined || names.includes(name)) return undefined;
  const all = names.length === 0 ? '' : ` It has ${names.map((each) => `"${each}"`).join(', ')}.`;
  return `The config has no ${kind} "${name}".${didYouMean(name, names) || all}`;
}
