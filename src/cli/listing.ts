import { type Command, Option } from 'commander';
import { RelayError } from '../errors.ts';
import type { DeliveryState } from '../model.ts';
import type { DeliveryFilter, EventFilter, Store } from '../store/store.ts';
import { type Basics, readBasics } from './common.ts';
import { findHolds, type Hold, heldFilter } from './holds.ts';
import { parseMoment } from './moment.ts';
import { unknownName } from './names.ts';
import { configOption, jsonOption, wholeNumber } from './options.ts';
import { withStore } from './with-store.ts';

/** What narrows events and deliveries down. */
export interface FilterOptions {
  state?: string;
  destination?: string;
  route?: string;
  study?: string;
  interview?: string;
  since?: string;
  until?: string;
}

/** What `events` and `deliveries` are asked with alike. */
export interface ListOptions extends FilterOptions {
  config: string;
  json?: true;
  limit: number;
}

/** A list to print. */
export interface Listing {
  basics: Basics;
  store: Store;
  holds: Map<string, Hold>;
  options: ListOptions;
}

/** The action of a verb that prints a list, or the one thing of it whose id it was given. */
export function listAction(
  list: (listing: Listing) => Promise<void>,
  show: (id: string, listing: Listing) => Promise<void>,
): (id: string | undefined, options: ListOptions) => Promise<void> {
  return async (id, options) => {
    const basics = await readBasics(options.config);
    await withStore(basics, async (store) => {
      const listing = { basics, store, holds: await findHolds(basics.config, store), options };
      await (id === undefined ? list(listing) : show(id, listing));
    });
  };
}

/** Adds the options of a list to its verb. */
export function addListOptions(command: Command, states: string[]): Command {
  return addFilterOptions(command, states)
    .option('--limit <number>', 'at most so many, newest first', (text) => wholeNumber(text, 1, 1_000_000_000), 50)
    .addOption(jsonOption())
    .addOption(configOption());
}

/** Adds the options that narrow events and deliveries down. */
export function addFilterOptions(command: Command, states: string[]): Command {
  return command
    .addOption(new Option('--state <state>', 'only in this state').choices(states))
    .option('--destination <name>', 'only those of a destination')
    .option('--route <name>', 'only those that a route took')
    .option('--study <id>', 'only those of a study')
    .option('--interview <id>', 'only those of an interview')
    .option('--since <time>', 'received from then on: 2h (ago), 2026-11-23, 2026-11-23T15:04Z')
    .option('--until <time>', 'received before then');
}

/** The filter that the options ask for, without the state. */
export function filterOf(options: FilterOptions, timezone: string): Omit<EventFilter, 'state'> {
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

/** The filter of deliveries that the options ask for; `held` is what is pending where something holds it. */
export async function deliveryFilterOf(
  options: FilterOptions,
  { basics, store, holds }: Pick<Listing, 'basics' | 'store' | 'holds'>,
): Promise<DeliveryFilter> {
  const filter: DeliveryFilter = filterOf(options, basics.timezone);
  if (options.state === 'held') Object.assign(filter, await heldFilter(store, holds));
  else if (options.state !== undefined) filter.state = options.state as DeliveryState;
  return filter;
}

/** The filters that were given, as a shell takes them: `--state failed`. */
export function givenFilters(options: FilterOptions): string[] {
  const { state, destination, route, study, interview, since, until } = options;
  return Object.entries({ state, destination, route, study, interview, since, until })
    .filter((entry): entry is [string, string] => entry[1] !== undefined)
    .map(([name, value]) => `--${name} ${quoted(value)}`);
}

function quoted(text: string): string {
  return /^[\w.:/+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** The answer to a list that is empty: it says what was looked for, and what may be mistyped. */
export function nothingFound(things: string, options: FilterOptions, { config }: Basics): RelayError {
  const { destination, route } = options;
  const asked = givenFilters(options);
  if (asked.length === 0) return new RelayError('RELAY_NOT_FOUND', `There are no ${things} yet.`);
  const routes = config?.table.routes.map(({ name }) => name);
  const hints = [
    hint('destination', destination, config && [...config.destinations.keys()]),
    hint('route', route, routes),
  ].filter((text) => text !== undefined);
  return new RelayError('RELAY_NOT_FOUND', `There are no ${things} with ${asked.join(' ')}.`, {
    ...(hints.length > 0 && { fix: hints.join(' ') }),
  });
}

function hint(kind: string, name: string | undefined, known: string[] | undefined): string | undefined {
  return name === undefined || known === undefined || known.includes(name) ? undefined : unknownName(kind, name, known);
}
