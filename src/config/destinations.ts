import { createHash } from 'node:crypto';
import type { Connector } from '../connector.ts';
import { RelayError } from '../errors.ts';
import type { JsonObject } from '../model.ts';
import { didYouMean } from '../suggest.ts';
import type { DestinationConfig } from './config.ts';
import { judge, kindOf, type OptionProblem, unknownKey } from './issues.ts';
import { type Located, nearestAt, plainValue } from './locate.ts';
import { keysAt } from './option-schema.ts';
import { isTelling } from './plain-secrets.ts';
import { BUILT_IN, findConnectors, loadConnector, parseOptions } from './plugins.ts';
import { quoteOf, type Report } from './report.ts';
import { commonSchema, destinationSchema } from './schema.ts';
import { LONG } from './secrets.ts';

/** The connectors that a config may name. Each is imported when it is first asked for. */
export class Connectors {
  /** Name and file, or the loaded connector of an npm package. */
  readonly #known: Map<string, string | Connector>;
  readonly #loaded = new Map<string, Promise<Connector>>();

  private constructor(known: Map<string, string | Connector>) {
    this.#known = known;
  }

  static async builtIn(): Promise<Connectors> {
    return new Connectors(await findConnectors(BUILT_IN));
  }

  get names(): string[] {
    return [...this.#known.keys()];
  }

  /** @throws RelayError when the name is taken */
  add(name: string, found: string | Connector): void {
    if (this.#known.has(name)) {
      throw new RelayError('RELAY_CONFIG_CONNECTOR', `there is a connector "${name}" already`, {
        fix: 'Give the plugin another name.',
      });
    }
    this.#known.set(name, found);
  }

  /** @throws RelayError when it cannot be loaded */
  load(name: string): Promise<Connector> | undefined {
    const known = this.#known.get(name);
    if (known === undefined) return undefined;
    const loading =
      this.#loaded.get(name) ?? (typeof known === 'string' ? loadConnector(known, name) : Promise.resolve(known));
    this.#loaded.set(name, loading);
    return loading;
  }
}

interface Reading {
  connectors: Connectors;
  report: Report;
  timezone: string;
}

const OWN = new Set(Object.keys(destinationSchema.shape));

/** Reads all destinations, with `defaults:` put under them. Those with errors are left out. */
export async function readDestinations(
  destinations: Located | undefined,
  defaults: Located | undefined,
  reading: Reading,
): Promise<Map<string, DestinationConfig>> {
  const found = new Map<string, DestinationConfig>();
  const used = new Set<string>();
  for (const [name, located] of destinations?.entries ?? []) {
    if (reading.report.full) break;
    const connector = located.entries?.get('connector')?.scalar;
    if (typeof connector === 'string') used.add(connector);
    const read = await readDestination(name, located, defaults, reading);
    if (read) found.set(name, read);
  }
  checkRenames(destinations, reading.report);
  for (const [name, located] of defaults?.entries ?? []) await readDefaults(name, located, used.has(name), reading);
  return found;
}

/** A former name that is still in use would take over that destination's lane, with its deliveries and receipts. */
function checkRenames(destinations: Located | undefined, report: Report): void {
  const taken = new Map<string, string>();
  for (const [name, { entries }] of destinations?.entries ?? []) {
    const located = entries?.get('renamed_from');
    const former = located?.scalar;
    if (!located || typeof former !== 'string' || former === '') continue;
    const other = taken.get(former);
    taken.set(former, other ?? name);
    const refuse = (message: string, fix: string) =>
      report.at(located, { code: 'RELAY_CONFIG_REFERENCE', message, fix });
    if (former === name)
      refuse('a destination cannot be renamed from itself', 'Remove this line, or write the former name.');
    else if (destinations?.entries?.has(former)) {
      const message = `the destination ${JSON.stringify(former)} is still here: its deliveries and receipts stay its own`;
      refuse(message, `Remove this line; or remove "${former}", if this one took its place.`);
    } else if (other !== undefined) {
      const message = `"${other}" was renamed from ${JSON.stringify(former)} already: deliveries and receipts go to one destination`;
      refuse(message, 'Remove one of the two lines.');
    }
  }
}

async function readDestination(
  name: string,
  located: Located,
  defaults: Located | undefined,
  { connectors, report, timezone }: Reading,
): Promise<DestinationConfig | undefined> {
  if (!located.entries) {
    report.at(located, {
      code: 'RELAY_CONFIG_INVALID',
      message: `expected a map with the connector and its options, found ${kindOf(plainValue(located))}`,
      fix: 'Indent the options of a destination further than its name.',
    });
    return undefined;
  }
  const kind = located.entries.get('connector')?.scalar;
  const merged = withDefaults(located, defaults);
  const raw = plainValue(merged) as JsonObject;
  const own = Object.fromEntries(Object.entries(raw).filter(([key]) => OWN.has(key)));
  const rest = Object.fromEntries(Object.entries(raw).filter(([key]) => !OWN.has(key)));
  const common = judge(destinationSchema, own, quoteOf(merged));
  report.options(merged, common.problems);
  const connector =
    typeof kind === 'string' ? await named(kind, located.entries.get('connector'), { connectors, report }) : undefined;
  if (!connector) return undefined;
  const parsed = parseOptions(connector, rest, { timezone, quote: quoteOf(merged) });
  const problems = withOwnNames(parsed.problems, connector);
  // What is missing may stand in defaults that could not be read.
  report.options(merged, report.isUnread('defaults') ? problems.filter(isOfOne) : problems);
  for (const { path, text } of parsed.secrets) {
    const isOpen = !nearestAt(merged, path).located.substituted && !isTelling(connector.options, path);
    if (!isOpen || text.length >= LONG) report.secrets.add(text);
  }
  if (common.value === undefined || parsed.problems.length > 0) return undefined;
  const { retry, timeout, settles, pace, enabled, renamed_from: renamedFrom } = common.value;
  const identity = JSON.stringify([
    connector.name,
    rest,
    retry,
    timeout,
    settles ?? null,
    pace ?? null,
    enabled,
    timezone,
    renamedFrom ?? null,
  ]);
  return {
    name,
    connector,
    options: parsed.options,
    retry,
    timeout,
    settles,
    pace,
    enabled,
    renamedFrom,
    fingerprint: createHash('sha256').update(identity).digest('hex'),
  };
}

/** A destination's options with the defaults of its connector under them. */
export function withDefaults(located: Located, defaults: Located | undefined): Located {
  const connector = located.entries?.get('connector')?.scalar;
  const shared = typeof connector === 'string' ? defaults?.entries?.get(connector)?.entries : undefined;
  return { ...located, entries: new Map([...(shared ?? []), ...(located.entries ?? [])]) };
}

/** Loads the connector that a config names, and reports it when that cannot be. */
async function named(
  name: string,
  located: Located | undefined,
  { connectors, report }: Pick<Reading, 'connectors' | 'report'>,
): Promise<Connector | undefined> {
  try {
    const connector = await connectors.load(name);
    if (!connector && located) {
      report.at(located, {
        code: 'RELAY_CONFIG_REFERENCE',
        message: `no connector "${name}".${didYouMean(name, connectors.names)}`,
        fix: `The connectors are ${connectors.names.join(', ')}.`,
      });
    }
    return connector;
  } catch (error) {
    if (!(error instanceof RelayError) || !located) throw error;
    report.at(located, { code: error.code, message: error.message, fix: error.fix });
    return undefined;
  }
}

/** Unknown options are compared with the options of every destination too. */
function withOwnNames(problems: OptionProblem[], connector: Connector): OptionProblem[] {
  const keys = [...keysAt(connector.options, []), ...OWN];
  return problems.map((problem) => {
    const isOwn = problem.code === 'RELAY_CONFIG_UNKNOWN_KEY' && problem.path.length === 1;
    return isOwn ? unknownKey(problem.path, keys) : problem;
  });
}

/** Judges the defaults of a connector. Those that a destination takes were judged with it. */
async function readDefaults(name: string, located: Located, used: boolean, reading: Reading): Promise<void> {
  const { report, timezone } = reading;
  if (!located.entries) {
    report.at(located, {
      code: 'RELAY_CONFIG_INVALID',
      message: `expected a map with options of ${name}, found ${kindOf(plainValue(located))}`,
    });
    return;
  }
  const misplaced = ['connector', 'renamed_from'].filter((key) => located.entries?.has(key));
  for (const key of misplaced) {
    report.options(located, [
      {
        code: 'RELAY_CONFIG_UNKNOWN_KEY',
        path: [key],
        message: `"${key}" belongs to one destination`,
        fix: 'Move it there.',
      },
    ]);
  }
  const connector = await named(name, located, reading);
  if (!connector || used) return;
  const raw = Object.entries(plainValue(located) as JsonObject);
  const rest = Object.fromEntries(raw.filter(([key]) => !OWN.has(key)));
  const own = Object.fromEntries(raw.filter(([key]) => Object.hasOwn(commonSchema.shape, key)));
  const problems = [
    ...judge(commonSchema, own, quoteOf(located)).problems,
    ...withOwnNames(parseOptions(connector, rest, { timezone, quote: quoteOf(located) }).problems, connector),
  ];
  // A destination would add what is missing.
  report.options(located, problems.filter(isOfOne));
}

/** Is it a problem of one option that is there, whatever the others are? */
function isOfOne({ code, path }: OptionProblem): boolean {
  return code !== 'RELAY_CONFIG_MISSING' && path.length > 0;
}
