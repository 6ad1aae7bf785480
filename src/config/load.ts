import { isUtf8 } from 'node:buffer';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import type { Finding } from '../errors.ts';
import { compileTable } from '../route/table.ts';
import { advise } from './advice.ts';
import type { Config } from './config.ts';
import { readDestinations } from './destinations.ts';
import { judge, kindOf, type OptionProblem, unknownKey } from './issues.ts';
import { type Located, type LocatedConfig, locate, nearestAt, plainValue, printPath } from './locate.ts';
import { checkNotifiers } from './notifiers.ts';
import { findAll } from './plugin-list.ts';
import { quoteOf, Report } from './report.ts';
import { checkReferences, listOf, readRoutes, readSources } from './routing.ts';
import {
  DESTINATION_NAME,
  NAME,
  onFailureSchema,
  SECTIONS,
  serverSchema,
  storeSchema,
  timezoneSchema,
} from './schema.ts';
import { secretForms } from './secrets.ts';
import { reason, Variables } from './substitute.ts';
import { TestFiles } from './test-files.ts';
import { readTests } from './tests.ts';
import { findTraps } from './traps.ts';
import type { Sample } from './trial.ts';

/**
 * Bytes of a config: 10,000 routes of a condition each have 700 KB. To read so much takes about two seconds, nearly all of it
 * in the YAML parser.
 */
const LARGEST = 800_000;

export interface Loaded {
  /** Undefined when there are errors. */
  config: Config | undefined;
  /** What stored data is looked at with, also when there are errors elsewhere. Undefined when the store cannot be told. */
  basics: Pick<Config, 'store' | 'timezone'> | undefined;
  /** In the order of the file. */
  findings: Finding[];
  /** Absolute paths of all files that were read or looked for: a change of any of them changes the config. */
  files: string[];
  /** Where the value at a path of the config stands, one-based; the start of the file when it is not there. */
  placeOf(path: (string | number)[]): { line: number; column: number };
}

export interface LoadOptions {
  /** With these events it also gives advice: on what is legal, and surely not meant. */
  samples?: readonly Sample[] | undefined;
}

/**
 * Reads the config, with its `.env`, variables, files and connectors, and finds every problem at once. Makes no call, and
 * never throws for what a config holds.
 * @param file as it was named on the command line; findings name it so
 */
export async function loadConfig(
  file: string,
  environment: NodeJS.ProcessEnv = process.env,
  { samples }: LoadOptions = {},
): Promise<Loaded> {
  const readAt = Date.now();
  const absolute = path.resolve(file);
  const folder = path.dirname(absolute);
  const dotEnv = path.join(folder, '.env');
  const files = [absolute, dotEnv];
  const unread = (finding: Pick<Finding, 'code' | 'message'> & Partial<Finding>): Loaded => {
    const first = { line: 1, column: 1 };
    const findings: Finding[] = [{ level: 'error', file, ...first, path: '', ...finding }];
    return { config: undefined, basics: undefined, findings, files, placeOf: () => first };
  };
  let text: string;
  let variables: Variables;
  try {
    const { size } = await stat(absolute);
    if (size > LARGEST) {
      return unread({
        code: 'RELAY_CONFIG_SYNTAX',
        message: `the config has ${size} bytes, and the relay reads at most ${LARGEST}: is it the right file?`,
      });
    }
    const bytes = await readFile(absolute);
    if (!isUtf8(bytes)) return unread({ code: 'RELAY_CONFIG_SYNTAX', ...notUtf8(bytes.toString('utf8')) });
    text = bytes.toString('utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    const fix = 'Write one with versive-relay init, or name another file with --config.';
    return unread({ code: 'RELAY_CONFIG_NOT_FOUND', message: `the config cannot be read: ${reason(error)}.`, fix });
  }
  try {
    variables = new Variables(folder, environment, await readDotEnv(dotEnv));
  } catch (error) {
    return unread({
      code: 'RELAY_CONFIG_VARIABLE',
      message: `the .env beside the config cannot be read: ${reason(error)}`,
    });
  }
  const located = locate(text, variables);
  const report = new Report(file, text, located);
  report.yaml([...located.syntax, ...located.problems]);
  const testFiles = new TestFiles(variables);
  const parts = { file: absolute, report, testFiles, samples };
  const config = located.root ? await readRoot(located.root, text, parts) : undefined;
  if (!located.root && !report.failed) {
    return unread({ code: 'RELAY_CONFIG_INVALID', message: EMPTY, fix: EMPTY_FIX });
  }
  const findings = [...report.findings(variables.brought), ...testFiles.findings(report.secrets)];
  files.push(...variables.files, ...testFiles.files);
  const placeOf = (at: (string | number)[]) => {
    const found = located.root && nearestAt(located.root, at).located;
    return located.place(found?.keyOffset ?? found?.offset ?? 0);
  };
  const basics = basicsOf(located, folder, findings);
  if (!config || findings.some(({ level }) => level === 'error')) {
    return { config: undefined, basics, findings, files, placeOf };
  }
  const whole = { ...config, files, readAt, secrets: secretForms(report.secrets) };
  return { config: whole, basics, findings, files, placeOf };
}

/** The store and the timezone (UTC when it cannot be told) of a config that may have errors. */
function basicsOf({ root, syntax, problems, misread, unread }: LocatedConfig, folder: string, findings: Finding[]) {
  const wrong = findings.filter(({ level }) => level === 'error').map(({ path: at }) => at);
  const broken = new Set([
    ...wrong,
    ...[...problems, ...syntax].map(({ path: at }) => printPath(at)),
    ...misread.map(printPath),
  ]);
  // What a person meant to say may stand under a key that is mistyped, or in what is no YAML.
  const isComplete = syntax.length === 0 && [...(root?.entries?.keys() ?? [])].every(isSection);
  const read = (name: string, schema: z.ZodType<string>, otherwise: string) => {
    const located = root?.entries?.get(name);
    if (!located) return root && isComplete ? otherwise : undefined;
    return broken.has(name) || unread.has(name) ? undefined : judge(schema, plainValue(located)).value;
  };
  const store = read('store', storeSchema, DEFAULT_STORE);
  if (store === undefined) return undefined;
  return { store: path.resolve(folder, store), timezone: read('timezone', timezoneSchema, 'UTC') ?? 'UTC' };
}

const DEFAULT_STORE = './data/relay.db';

const EMPTY = 'the config is empty.';
const EMPTY_FIX = 'Write one with versive-relay init; config.example.yaml shows every option.';

/** @param text the file read as UTF-8, with a sign for each byte that it is not */
function notUtf8(text: string): Pick<Finding, 'line' | 'column' | 'message' | 'fix'> {
  const before = text.slice(0, text.indexOf('\uFFFD')).split('\n');
  const message = 'the config is not UTF-8: a character here is written in another encoding.';
  const fix = 'Save the file as UTF-8.';
  return { line: before.length, column: (before.at(-1) ?? '').length + 1, message, fix };
}

async function readDotEnv(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

type Unfinished = Omit<Config, 'files' | 'readAt' | 'secrets'>;

/** Reads the sections, each by itself, so that an error in one hides none in another. */
async function readRoot(
  root: Located,
  text: string,
  { file, report, testFiles, samples }: { file: string; report: Report; testFiles: TestFiles } & LoadOptions,
): Promise<Unfinished | undefined> {
  if (!root.entries) {
    const isEmpty = !root.items && root.scalar === null;
    const message = isEmpty
      ? EMPTY
      : `expected a map of sections such as sources, destinations and routes, found ${kindOf(plainValue(root))}`;
    report.at(root, { code: 'RELAY_CONFIG_INVALID', message, ...(isEmpty && { fix: EMPTY_FIX }) });
    return undefined;
  }
  report.yaml(findTraps(root, text));
  const unknown = [...root.entries.keys()].filter((key) => !isSection(key));
  report.options(
    root,
    unknown.map((key) => unknownKey([key], SECTIONS)),
  );
  const folder = path.dirname(file);
  const entries = root.entries;
  /** A section's value: undefined when it is wrong, and `otherwise` when it is not there. */
  const read = <Schema extends z.ZodType>(name: string, schema: Schema, otherwise?: z.input<Schema>) => {
    const located = entries.get(name);
    const judged = judge(schema, located ? plainValue(located) : otherwise, located && quoteOf(located));
    if (located) report.options(located, judged.problems);
    return judged.value;
  };
  /** A section that holds others; what they hold is judged one by one. */
  const container = (name: string, schema: z.ZodType) => {
    const located = entries.get(name);
    if (located) report.options(located, judge(schema, shallow(located)).problems);
    return located;
  };

  const server = read('server', serverSchema, {});
  const timezone = read('timezone', timezoneSchema, 'UTC');
  const store = read('store', storeSchema, DEFAULT_STORE);
  const connectors = await findAll(entries.get('plugins'), folder, report);

  const sourcesAt = container('sources', namedMaps);
  if (!sourcesAt && !report.isUnread('sources')) report.options(root, [NO_SOURCES]);
  else if (sourcesAt?.entries?.size === 0) report.at(sourcesAt, { ...NO_SOURCES, message: 'there is no source' });
  const sources = sourcesAt ? readSources(sourcesAt, report) : new Map();

  const defaultsAt = container('defaults', anyMap);
  const destinationsAt = container('destinations', destinationMaps);
  // Without what they build on, destinations would seem to lack what they have.
  const judged = report.isUnread('defaults') || report.isUnread('plugins') ? undefined : destinationsAt;
  const destinations = await readDestinations(judged, defaultsAt, { connectors, report, timezone: timezone ?? 'UTC' });
  const names = report.isUnread('destinations') ? undefined : new Set(destinationsAt?.entries?.keys());

  const routesAt = container('routes', anyList);
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
  await checkNotifiers(onFailureAt, destinations, { folder, timezone: timezone ?? 'UTC', report });

  const testsAt = container('tests', anyList);
  const sourceNames = report.isUnread('sources') ? undefined : new Set(sourcesAt?.entries?.keys());
  const known = { destinations: names, sources: sourceNames, opened: destinations };
  const place = { folder, timezone: timezone ?? 'UTC' };
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
    store: path.resolve(folder, store),
    sources,
    destinations,
    table: compileTable(routes),
    onFailure: listOf(onFailure),
    tests,
  };
}

/** `x-…` is for what anchors point at. */
function isSection(key: string): boolean {
  return SECTIONS.includes(key) || key.startsWith('x-');
}

const anyMap = z.record(z.string(), z.unknown());
const EXPECT_NAMED = 'expected a map, each name with its options indented below it';
const namedMaps = z.record(NAME, z.unknown(), EXPECT_NAMED);
const destinationMaps = z.record(DESTINATION_NAME, z.unknown(), EXPECT_NAMED);
const anyList = z.array(z.unknown(), 'expected a list, each entry with a hyphen before it');

const NO_SOURCES: OptionProblem = {
  code: 'RELAY_CONFIG_MISSING',
  path: ['sources'],
  message: 'there are no sources, so nothing can be received',
  fix: `Add sources, and below it versive: { secret: "\${VERSIVE_WEBHOOK_SECRET}" }.`,
};

/** What a section is, without what it holds. */
function shallow(located: Located): unknown {
  if (located.entries) return Object.fromEntries([...located.entries.keys()].map((key) => [key, null]));
  return located.items ? [] : located.scalar;
}
