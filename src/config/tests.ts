/** Reads `tests:`, the config's own suite. */
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Context } from '../connector.ts';
import type { JsonObject } from '../model.ts';
import { didYouMean } from '../suggest.ts';
import type { DestinationConfig, RenderExpectation, RoutingTest } from './config.ts';
import { judge, kindOf, type OptionProblem } from './issues.ts';
import { type Located, plainValue } from './locate.ts';
import { lookAt } from './open.ts';
import { quoteOf, type Report } from './report.ts';
import { checkReferences, listOf } from './routing.ts';
import { testSchema, UNROUTED } from './schema.ts';
import { reason } from './substitute.ts';
import type { TestFiles } from './test-files.ts';

/** Bytes of a payload in a file: what the relay receives at most, unless told otherwise. */
const LARGEST_EVENT = 5_000_000;

/** What tests are held against. */
interface Scene extends Pick<Context, 'folder' | 'timezone'> {
  /** Undefined when nobody knows which there are. */
  destinations: Set<string> | undefined;
  sources: Set<string> | undefined;
  /** The destinations that are right. */
  opened: Map<string, DestinationConfig>;
  /** Where they stand. */
  destinationsAt: Located | undefined;
  testFiles: TestFiles;
  report: Report;
}

/** Reads the tests that stand in the config, and those of the files that it names. Tests with errors are left out. */
export async function readTests(tests: Located, scene: Scene): Promise<RoutingTest[]> {
  const reader = new TestReader(scene);
  for (const located of tests.items ?? []) {
    if (scene.report.full) break;
    if (typeof located.scalar !== 'string' || located.scalar === '') await reader.read(located, scene.report);
    else {
      for (const { list, report } of await scene.testFiles.matching(located, scene.report)) {
        for (const each of list.items ?? []) if (!report.full) await reader.read(each, report);
      }
    }
  }
  return reader.tests;
}

class TestReader {
  readonly tests: RoutingTest[] = [];
  readonly #scene: Scene;
  /** Whether a destination shows what it would send, by its name. */
  readonly #shows = new Map<string, boolean>();

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  async read(located: Located, report: Report): Promise<void> {
    const { destinations, sources } = this.#scene;
    if (!located.entries) {
      const message = `expected a test, with name, event and to; found ${kindOf(plainValue(located))}`;
      report.at(located, { code: 'RELAY_CONFIG_INVALID', message });
      return;
    }
    const judged = judge(testSchema, plainValue(located), quoteOf(located));
    report.options(located, judged.problems);
    const [to, renders] = [located.entries.get('to'), located.entries.get('renders')];
    if (!to && !renders) report.options(located, [NO_EXPECTATION]);
    checkDestinations(to, destinations, report);
    checkReferences(located.entries.get('source'), sources, report, 'source');
    await this.#checkRenders(renders, report);
    const event = await this.#event(located.entries.get('event'), report);
    if (judged.value === undefined || event === undefined) return;
    const { name, source = [...(sources ?? [])][0] ?? '', to: names } = judged.value;
    this.tests.push({
      name,
      ...report.placeOf(located),
      source,
      event,
      to: names === undefined ? undefined : listOf(names).filter((each) => each !== UNROUTED),
      renders: new Map(Object.entries(judged.value.renders ?? {}).map(([each, wanted]) => [each, expectation(wanted)])),
    });
  }

  /** What is given of an event; undefined when that cannot be told. */
  async #event(located: Located | undefined, report: Report): Promise<RoutingTest['event'] | undefined> {
    if (located?.entries) return { fields: plainValue(located) as JsonObject };
    if (typeof located?.scalar !== 'string' || located.scalar === '') return undefined;
    const file = path.resolve(path.dirname(report.placeOf(located).file), located.scalar);
    this.#scene.testFiles.files.add(file);
    const problem = await eventProblem(file);
    if (problem === undefined) return { file };
    report.at(located, { ...problem, message: `the event ${located.scalar} ${problem.message}` });
    return undefined;
  }

  async #checkRenders(renders: Located | undefined, report: Report): Promise<void> {
    const { destinations, opened } = this.#scene;
    for (const [name, located] of renders?.entries ?? []) {
      const destination = opened.get(name);
      if (destinations && !destinations.has(name)) {
        const meant = report.tooMany(destinations) ? '' : didYouMean(name, destinations);
        const message = `no destination ${JSON.stringify(name)}.${meant}`;
        report.at(located, { code: 'RELAY_CONFIG_REFERENCE', message });
      } else if (destination && !(await this.#canShow(destination))) {
        report.at(located, {
          code: 'RELAY_CONFIG_INVALID',
          message: `what "${name}" is sent cannot be tested: its connector ${destination.connector.name} does not show it`,
        });
      }
    }
  }

  /** Only opening a destination (which makes no call) shows it. */
  async #canShow(destination: DestinationConfig): Promise<boolean> {
    const { folder, timezone, destinationsAt, report } = this.#scene;
    const known = this.#shows.get(destination.name);
    if (known !== undefined) return known;
    const located = destinationsAt?.entries?.get(destination.name);
    if (!located) return true;
    const written = { located, report };
    // One that cannot be opened is told as that.
    const shows = (await lookAt(destination, { folder, timezone }, written, ({ preview }) => !!preview)) ?? true;
    this.#shows.set(destination.name, shows);
    return shows;
  }
}

const NO_EXPECTATION: OptionProblem = {
  code: 'RELAY_CONFIG_MISSING',
  path: ['to'],
  message: 'the test expects nothing: "to" is missing',
  fix: 'Add to: the destinations that the event must go to (or unrouted), or renders: what they must be sent.',
};

/** `unrouted` stands by itself; else each name is one of the destinations. */
function checkDestinations(to: Located | undefined, destinations: Set<string> | undefined, report: Report): void {
  if (to?.scalar === UNROUTED) return;
  const unrouted = to?.items?.find(({ scalar }) => scalar === UNROUTED);
  if (unrouted) {
    report.at(unrouted, {
      code: 'RELAY_CONFIG_INVALID',
      message: '"unrouted" is no destination, and stands in no list of them',
      fix: 'Write to: unrouted, when no route may take the event.',
    });
  } else checkReferences(to, destinations, report);
}

function expectation({ contains = [], not_contains = [] }: Record<string, string | string[] | undefined>) {
  return { contains: listOf(contains), notContains: listOf(not_contains) } satisfies RenderExpectation;
}

/** Why a file holds no event; whether that is what Versive documents is for the test to tell. */
async function eventProblem(file: string) {
  try {
    const found = await stat(file);
    // A pipe or a device could hold the start up for ever.
    const odd = found.isDirectory() ? 'it is a folder' : found.isFile() ? undefined : 'it is no regular file';
    if (odd !== undefined || found.size > LARGEST_EVENT) {
      return { code: 'RELAY_CONFIG_REFERENCE', message: `cannot be read: ${odd ?? 'it is larger than 5 MB'}` } as const;
    }
    JSON.parse(await readFile(file, 'utf8'));
    return undefined;
  } catch (error) {
    if (error instanceof SyntaxError) {
      return {
        code: 'RELAY_CONFIG_INVALID',
        message: 'is not JSON',
        fix: 'Save there the body of a webhook.',
      } as const;
    }
    const fix = 'Paths are relative to the file that names them.';
    return { code: 'RELAY_CONFIG_REFERENCE', message: `cannot be read: ${reason(error)}`, fix } as const;
  }
}
