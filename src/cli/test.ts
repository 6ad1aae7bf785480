import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Command } from 'commander';
import type { Config, RoutingTest } from '../config/config.ts';
import { EXIT, RelayError } from '../errors.ts';
import type { JsonObject } from '../model.ts';
import { decide } from '../route/decide.ts';
import { SAMPLE_EVENT } from '../sample.ts';
import { readConfig } from './common.ts';
import { junitXml, type Timed } from './junit.ts';
import { configOption, jsonOption } from './options.ts';
import { printJson } from './shapes.ts';
import { runTest, type Verdict } from './verdict.ts';
import { failureLines, headLine, type Line, printLines, shownOf } from './verdict-lines.ts';
import { listed } from './words.ts';

interface Options {
  config: string;
  json?: true;
  junit?: string;
}

export function testCommand(): Command {
  return new Command('test')
    .description("run the config's tests: where events go, and what destinations are sent; nothing is sent")
    .argument('[name...]', 'only the tests whose names have one of these texts in them')
    .addOption(configOption())
    .addOption(jsonOption())
    .option('--junit <file>', 'write the results as JUnit XML too, for CI; - for standard output')
    .addHelpText(
      'after',
      `
Exit codes: 0 all passed, 1 a test failed or there is none, 78 the config has errors.

Examples:
  $ versive-relay test
  $ versive-relay test enterprise               the tests with "enterprise" in their names
  $ versive-relay test --config next.yaml       before next.yaml becomes the config
  $ versive-relay test --junit results.xml      in CI`,
    )
    .action(async (names: string[], options: Options) => {
      if (options.json && options.junit === '-') {
        throw new RelayError('RELAY_USAGE', '--json and --junit - both write to standard output', {
          fix: 'Give --junit a file.',
        });
      }
      const config = await readConfig(options.config, { tests: true });
      const timed = await runAll(config, chosen(config, names, options.config), options);
      if (options.junit !== undefined) await writeJunit(junitXml(timed), options.junit);
      if (timed.some(({ verdict }) => !verdict.passed)) process.exitCode = EXIT.no;
    });
}

/** The tests with one of these texts in their names; without any, all. */
function chosen({ tests, ...config }: Config, names: string[], file: string): RoutingTest[] {
  if (tests.length === 0) {
    throw new RelayError('RELAY_NOT_FOUND', `${file} has no tests`, { fix: example(config) });
  }
  const wanted = names.map((name) => name.toLowerCase());
  const found = tests.filter(({ name }) => wanted.some((each) => name.toLowerCase().includes(each)));
  if (names.length === 0) return tests;
  if (found.length > 0) return found;
  const texts = names.map((name) => JSON.stringify(name)).join(' or ');
  throw new RelayError('RELAY_NOT_FOUND', `no test has ${texts} in its name`, {
    fix: `Their names: ${listed(tests.map(({ name }) => JSON.stringify(name)))}.`,
  });
}

/** A test that this very config passes, to begin with. */
function example({ sources, table }: Pick<Config, 'sources' | 'table'>): string {
  const [source = { name: '', when: undefined }] = sources.values();
  const payload = structuredClone(SAMPLE_EVENT) as Parameters<typeof decide>[0]['payload'] & JsonObject;
  const { destinations } = decide({ payload }, source, table);
  const to = destinations.length === 0 ? 'unrouted' : `[${destinations.join(', ')}]`;
  return `Say in it what the routes must do, for example:

tests:
  - name: an interview of ten minutes arrives
    event: { interview: { active_time: 600 } }
    to: ${to}

docs/configuration.md, under "tests", tells all that a test can say.`;
}

/** Runs the tests one by one, and tells of each as it ends. */
async function runAll(config: Config, tests: RoutingTest[], { json, junit }: Options): Promise<Timed[]> {
  const stream = junit === '-' ? process.stderr : process.stdout;
  const timed: Timed[] = [];
  for (const test of tests) {
    const start = performance.now();
    const verdict = await runTest(config, test);
    timed.push({ verdict, took: performance.now() - start });
    if (json) printJson(shapeOf(verdict));
    else printLines([headLine(verdict), ...failureLines(verdict)], stream);
  }
  if (!json) printLines([[], summary(timed)], stream);
  return timed;
}

/** `12 passed, 1 failed` */
function summary(timed: Timed[]): Line {
  const failed = timed.filter(({ verdict }) => !verdict.passed).length;
  const passed = timed.length - failed;
  if (failed === 0) return [{ text: `${passed} passed`, style: 'green' }];
  return [{ text: `${passed} passed, ` }, { text: `${failed} failed`, style: 'red' }];
}

/** A verdict as `--json` prints it. */
function shapeOf({ test, passed, actual, quarantined, because, rendered }: Verdict): JsonObject {
  return {
    name: test.name,
    file: test.file,
    line: test.line,
    passed,
    expected: test.to ?? null,
    actual,
    ...(quarantined !== undefined && { quarantined }),
    because: because.map(({ destination, route, why, conditions, stoppedBy }) => ({
      destination,
      route: route ?? null,
      why,
      conditions: conditions.map(({ path: at, condition, value, held }) => ({
        path: at,
        condition,
        value: value ?? null,
        held,
      })),
      ...(stoppedBy !== undefined && { stopped_by: stoppedBy }),
    })),
    renders: rendered.map((each) => ({
      destination: each.destination,
      [each.wanted ? 'contains' : 'not_contains']: each.text,
      passed: each.passed,
      ...(!each.passed && { actual: shownOf([each]) }),
      ...(each.problem !== undefined && { problem: each.problem }),
    })),
  };
}

async function writeJunit(xml: string, file: string): Promise<void> {
  if (file === '-') {
    process.stdout.write(xml);
    return;
  }
  try {
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, xml);
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new RelayError('RELAY_FILE', `${file} cannot be written (${why})`, {
      fix: 'Name a file in a folder that you may write to.',
    });
  }
}
