import { hash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { z } from 'zod';
import { secretsOfStore } from '../address.ts';
import type { Finding } from '../errors.ts';
import { compileTable } from '../route/table.ts';
import { advise } from './advice.ts';
import { type Basics, basicsOf, DEFAULT_STORE, DEFAULT_TIMEZONE, locateStore } from './basics.ts';
import type { Config } from './config.ts';
import { readDestinations } from './destinations.ts';
import { findIncluded, type Include, readIncluded } from './include.ts';
import { judge, type OptionProblem } from './issues.ts';
import { isLeftOut, type Located, Locator, nearestAt, plainValue } from './locate.ts';
import { EMPTY_CONFIG, mergeFiles } from './merge.ts';
import { checkNotifiers } from './notifiers.ts';
import { findAll } from './plugin-list.ts';
import { readText, type TextProblem } from './read-text.ts';
import { quoteOf, Report } from './report.ts';
import { checkReferences, listOf, readRoutes, readSources } from './routing.ts';
import { onFailureSchema, retentionSchema, serverSchema, storeSchema, timezoneSchema } from './schema.ts';
import { secretForms } from './secrets.ts';
import { reason, Variables } from './substitute.ts';
import { TestFiles } from './test-files.ts';
import { readTests } from './tests.ts';
import { type Place, Texts } from './texts.ts';
import { findTraps } from './traps.ts';
import type { Sample } from './trial.ts';

/** Bytes of a config, with all that it includes: 10,000 routes of a condition each have 700 KB. */
const LARGEST = 800_000;

export interface Loaded {
  /** Undefined when there are errors. */
  config: Config | undefined;
  /** What stored data is looked at with, also when there are errors elsewhere. Undefined when the store cannot be told. */
  basics: Basics | undefined;
  /** In the order of the files, and of each file. */
  findings: Finding[];
  /** Absolute paths of all files that were read or looked for: a change of any of them changes the config. */
  files: string[];
  /** What was included: another match changes the config too. */
  include: Include;
  /** Where the value at a path of the whole config stands; the start of the main file when it is not there. */
  placeOf(path: (string | number)[]): Place;
}

export interface LoadOptions {
  /** With these events it also gives advice: on what is legal, and surely not meant. */
  samples?: readonly Sample[] | undefined;
  /** `false` leaves `tests:` unread: what is wrong there, or in the files that it names, keeps nobody from anything. */
  tests?: boolean;
}

/**
 * Reads the config, with what it includes, its `.env`, variables, files and connectors, and finds every problem at once.
 * Makes no call, and never throws for what a config holds.
 * @param file as it was named on the command line; findings name it so, and what it includes beside it
 */
export async function loadConfig(
  file: string,
  environment: NodeJS.ProcessEnv = process.env,
  { samples, tests = true }: LoadOptions = {},
): Promise<Loaded> {
  const readAt = Date.now();
  const absolute = path.resolve(file);
  const folder = path.dirname(absolute);
  const dotEnv = path.join(folder, '.env');
  const files = [absolute, dotEnv];
  const texts = new Texts();
  const unread = ({ before = '', ...problem }: TextProblem): Loaded => {
    texts.add(file, before);
    const findings: Finding[] = [{ level: 'error', ...texts.place(before.length), path: '', ...problem }];
    const include = { folder, patterns: [], matched: [] };
    return { config: undefined, basics: undefined, findings, files, include, placeOf: () => texts.place(0) };
  };
  const read = await readText(absolute, { name: 'the config', most: LARGEST, onDisk: false });
  if ('problem' in read)
    return unread({ ...(read.problem.code === 'RELAY_CONFIG_NOT_FOUND' && NO_CONFIG), ...read.problem });
  let variables: Variables;
  try {
    variables = new Variables(folder, environment, await readDotEnv(dotEnv));
  } catch (error) {
    const message = `the .env beside the config cannot be read: ${reason(error)}`;
    return unread({ code: 'RELAY_CONFIG_VARIABLE', message });
  }
  const report = new Report(texts);
  const locator = new Locator(texts, variables, tests ? undefined : 'tests');
  const main = locator.locate(file, read.text);
  report.file(main);
  if (!main.root && !report.failed) report.yaml([{ level: 'error', offset: main.start, path: [], ...EMPTY_CONFIG }]);
  const found = await findIncluded(main, report);
  const left = LARGEST - Buffer.byteLength(read.text);
  const roots = await readIncluded(found.files, { locator, report, left });
  const root = main.root && mergeFiles(main.root, roots, path.basename(file), report);
  for (const each of [main.root, ...roots]) if (each?.entries) report.yaml(findTraps(each, texts.whole));
  const testFiles = new TestFiles(variables);
  const config = root && (await readRoot(root, { file: absolute, report, testFiles, samples }));
  const findings = [...report.findings(variables.brought), ...testFiles.findings(report.hidden)];
  files.push(...found.files.map((each) => each.file), ...variables.files, ...testFiles.files);
  const placeOf = (at: (string | number)[]) => {
    const value = root && nearestAt(root, at).located;
    return texts.place(value?.keyOffset ?? value?.offset ?? 0);
  };
  const loaded = { basics: basicsOf(main, folder, findings), findings, files, include: found.include, placeOf };
  if (!config || findings.some(({ level }) => level === 'error')) return { config: undefined, ...loaded };
  const secrets = secretForms(report.hidden);
  return { config: { ...config, files, include: found.include, readAt, secrets }, ...loaded };
}

const NO_CONFIG = { fix: 'Write one with versive-relay init, or name another file with --config.' };

/** The text of the `.env`; empty when there is none. */
export async function readDotEnv(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

type Unfinished = Omit<Config, 'files' | 'include' | 'readAt' | 'secrets'>;

/** Reads the sections, each by itself, so that an error in one hides none in another. */
async function readRoot(
  root: Located,
  { file, report, testFiles, samples }: { file: string; report: Report; testFiles: TestFiles } & LoadOptions,
): Promise<Unfinished | undefined> {
  const folder = path.dirname(file);
  const entries = root.entries ?? new Map<string, Located>();
  /** A section's value: undefined when it is wrong, and `otherwise` when it is not there. */
  const read = <Schema extends z.ZodType>(name: string, schema: Schema, otherwise?: z.input<Schema>) => {
    const written = entries.get(name);
    // One that has a default is not left to chance.
    const located = written && otherwise === undefined && isLeftOut(written) ? undefined : written;
    const judged = judge(schema, located ? plainValue(located) : otherwise, located && quoteOf(located));
    if (located) report.options(located, judged.problems);
    return judged.value;
  };

  for (const name of namesIn(entries)) report.names.add(name);
  const server = read('server', serverSchema, {});
  const timezone = read('timezone', timezoneSchema, DEFAULT_TIMEZONE);
  const store = read('store', storeSchema, DEFAULT_STORE);
  for (const secret of secretsOfStore(String(entries.get('store')?.scalar ?? ''))) report.secrets.add(secret);
  const retention = read('retention', retentionSchema.optional());
  const connectors = await findAll(entries.get('plugins'), folder, report);

  const sourcesAt = entries.get('sources');
  if (!sourcesAt && !report.isUnread('sources')) report.options(root, [NO_SOURCES]);
  else if (sourcesAt?.entries?.size === 0) report.at(sourcesAt, { ...NO_SOURCES, message: 'there is no source' });
  const sources = sourcesAt ? readSources(sourcesAt, report) : new Map();

  const defaultsAt = entries.get('defaults');
  const destinationsAt = entries.get('destinations');
  const place = { folder, timezone: timezone ?? DEFAULT_TIMEZONE };
  // Without the plugins, destinations would seem to name connectors that nobody has.
  const judged = report.isUnread('plugins') ? undefined : destinationsAt;
  const destinations = await readDestinations(judged, defaultsAt, { connectors, report, timezone: place.timezone });
  const names = report.isUnread('destinations') ? undefined : new Set(destinationsAt?.entries?.keys());

  const routesAt = entries.get('routes');
  const routes = routesAt ? readRoutes(routesAt, names, report) : [];
  if (routesAt ? routesAt.items?.length === 0 : !report.isUnread('routes')) {
    report.at(routesAt ?? root, {
      level: 'warning',
      code: 'RELAY_CONFIG_NO_ROUTES',
      message: 'there are no routes: every event is stored, and goes nowhere.',
      fix: 'Add routes, each with a name and to: the destinations.',
    });
  }
  const onFailureAt = entries.get('on_failure');
  const onFailure = read('on_failure', onFailureSchema, []);
  checkReferences(onFailureAt, names, report);
  await checkNotifiers(onFailureAt, destinations, { ...place, report, destinationsAt });

  const testsAt = entries.get('tests');
  const sourceNames = report.isUnread('sources') ? undefined : new Set(sourcesAt?.entries?.keys());
  const known = { destinations: names, sources: sourceNames, opened: destinations, destinationsAt };
  const tests = testsAt ? await readTests(testsAt, { ...known, ...place, report, testFiles }) : [];
  if (samples) {
    await advise({ sections: entries, destinations, connectors: connectors.names, samples, ...place }, report);
  }

  if (!server || timezone === undefined || store === undefined || onFailure === undefined) return undefined;
  const metricsToken = server.metrics?.token;
  if (metricsToken) report.secrets.add(metricsToken.reveal());
  return {
    file,
    server: {
      host: server.host,
      port: server.port,
      bodyLimit: server.body_limit,
      trustProxy: server.trust_proxy,
      publicUrl: server.public_url,
      metricsToken,
    },
    timezone,
    store: locateStore(store, folder),
    retention,
    sources,
    destinations,
    table: compileTable(routes),
    onFailure: listOf(onFailure),
    tests,
    fingerprint: fingerprintOf(entries),
  };
}

/** What each relay may have for itself, and what no running one reads. */
const OWN = /^(server|store|tests|include|x-.*)$/;

function fingerprintOf(sections: ReadonlyMap<string, Located>): string {
  const shared = [...sections].filter(([name]) => !OWN.test(name)).sort(([a], [b]) => (a < b ? -1 : 1));
  return hash('sha256', JSON.stringify(shared.map(([name, located]) => [name, plainValue(located)])));
}

/** What sources, destinations and routes are called. */
function namesIn(sections: ReadonlyMap<string, Located>): string[] {
  const keys = ['sources', 'destinations'].flatMap((section) => [...(sections.get(section)?.entries?.keys() ?? [])]);
  const routes = sections.get('routes')?.items ?? [];
  return [...keys, ...routes.map(({ entries }) => String(entries?.get('name')?.scalar ?? ''))];
}

const NO_SOURCES: OptionProblem = {
  code: 'RELAY_CONFIG_MISSING',
  path: ['sources'],
  message: 'there are no sources, so nothing can be received',
  fix: `Add sources, and below it versive: { secret: "\${VERSIVE_WEBHOOK_SECRET}" }.`,
};
