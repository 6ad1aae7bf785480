import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import type { Finding } from '../errors.ts';
import { compileTable } from '../route/table.ts';
import type { Config } from './config.ts';
import { readDestinations } from './destinations.ts';
import { judge, kindOf, type OptionProblem, unknownKey } from './issues.ts';
import { type Located, locate, nearestAt, plainValue } from './locate.ts';
import { checkNotifiers } from './notifiers.ts';
import { findAll } from './plugin-list.ts';
import { quoteOf, Report } from './report.ts';
import { checkReferences, listOf, readRoutes, readSources, readTests } from './routing.ts';
import { NAME, onFailureSchema, SECTIONS, serverSchema, storeSchema, timezoneSchema } from './schema.ts';
import { secretForms } from './secrets.ts';
import { reason, Variables } from './substitute.ts';
import { explainSyntax, findTraps } from './traps.ts';

/** Bytes of a config. A large one has a few thousand lines; far more is another file, and would take seconds to read. */
const LARGEST = 3_000_000;

export interface Loaded {
  /** Undefined when there are errors. */
  config: Config | undefined;
  /** In the order of the file. */
  findings: Finding[];
  /** Absolute paths of all files that were read or looked for: a change of any of them changes the config. */
  files: string[];
  /** Where the value at a path of the config stands, one-based; the start of the file when it is not there. */
  placeOf(path: (string | number)[]): { line: number; column: number };
}

/**
 * Reads the config, with its `.env`, variables, files and connectors, and finds every problem at once. Makes no call, and
 * never throws for what a config holds.
 * @param file as it was named on the command line; findings name it so
 */
export async function loadConfig(file: string, environment: NodeJS.ProcessEnv = process.env): Promise<Loaded> {
  const readAt = Date.now();
  const absolute = path.resolve(file);
  const folder = path.dirname(absolute);
  const dotEnv = path.join(folder, '.env');
  const files = [absolute, dotEnv];
  const unread = (finding: Pick<Finding, 'code' | 'message'> & { fix?: string }): Loaded => {
    const first = { line: 1, column: 1 };
    const findings: Finding[] = [{ level: 'error', file, ...first, path: '', ...finding }];
    return { config: undefined, findings, files, placeOf: () => first };
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
    text = (await readFile(absolute, 'utf8')).replace(/^\uFEFF/, '');
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
  const located = locate(text, variables, explainSyntax);
  const report = new Report(file, text, located);
  report.yaml(located.problems);
  const config = located.root ? await readRoot(located.root, text, absolute, report) : undefined;
  if (!located.root && !report.failed) {
    return unread({ code: 'RELAY_CONFIG_INVALID', message: EMPTY, fix: EMPTY_FIX });
  }
  const findings = report.findings(variables.brought);
  files.push(...variables.files);
  const placeOf = (at: (string | number)[]) => {
    const found = located.root && nearestAt(located.root, at).located;
    return located.place(found?.keyOffset ?? found?.offset ?? 0);
  };
  if (!config || findings.some(({ level }) => level === 'error')) {
    return { config: undefined, findings, files, placeOf };
  }
  const whole = { ...config, files, readAt, warnings: findings, secrets: secretForms(report.secrets) };
  return { config: whole, findings, files, placeOf };
}

const EMPTY = 'the config is empty.';
const EMPTY_FIX = 'Write one with versive-relay init; config.example.yaml shows every option.';

async function readDotEnv(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

type Unfinished = Omit<Config, 'files' | 'readAt' | 'warnings' | 'secrets'>;

/** Reads the sections, each by itself, so that an error in one hides none in another. */
async function readRoot(root: Located, text: string, file: string, report: Report): Promise<Unfinished | undefined> {
  if (!root.entries) {
    const isEmpty = !root.items && root.scalar === null;
    const message = isEmpty
      ? EMPTY
      : `expected a map of sections such as sources, destinations and routes, found ${kindOf(plainValue(root))}`;
    report.at(root, { code: 'RELAY_CONFIG_INVALID', message, ...(isEmpty && { fix: EMPTY_FIX }) });
    return undefined;
  }
  report.yaml(findTraps(root, text));
  const unknown = [...root.entries.keys()].filter((key) => !SECTIONS.includes(key) && !key.startsWith('x-'));
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
  const store = read('store', storeSchema, './data/relay.db');
  const connectors = await findAll(entries.get('plugins'), folder, report);

  const sourcesAt = container('sources', namedMaps);
  if (!sourcesAt) report.options(root, [NO_SOURCES]);
  else if (sourcesAt.entries?.size === 0) report.at(sourcesAt, { ...NO_SOURCES, message: 'there is no source' });
  const sources = sourcesAt ? readSources(sourcesAt, report) : new Map();

  const defaultsAt = container('defaults', anyMap);
  const destinationsAt = container('destinations', namedMaps);
  const destinations = await readDestinations(destinationsAt, defaultsAt, {
    connectors,
    report,
    timezone: timezone ?? 'UTC',
  });
  const names = new Set(destinationsAt?.entries?.keys());

  const routesAt = container('routes', anyList);
  const routes = routesAt ? readRoutes(routesAt, names, report) : [];
  if (!routesAt || routesAt.items?.length === 0) {
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
  if (testsAt) readTests(testsAt, names, new Set(sourcesAt?.entries?.keys()), report);

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
  };
}

const anyMap = z.record(z.string(), z.unknown());
const namedMaps = z.record(NAME, z.unknown());
const anyList = z.array(z.unknown());

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
