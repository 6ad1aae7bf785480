/** How the benchmarks compare: who is compared takes turns, round after round, and the medians count. */
import { parseArgs } from 'node:util';

export function median(figures: number[]): number {
  return figures.toSorted((a, b) => a - b)[Math.floor(figures.length / 2)] ?? 0;
}

/** The figure that so many of a hundred do not exceed. */
export function percentile(figures: number[], percent: number): number {
  return figures.toSorted((a, b) => a - b)[Math.ceil((figures.length * percent) / 100) - 1] ?? 0;
}

/**
 * Whole numbers of the command line, as `--rounds 5`, with what they are by default. It ends the process, and says what
 * there is, for `--help` and for anything else.
 *
 * @param flags what may be given beside them, without a value
 */
export function numbers<Name extends string>(
  defaults: Record<Name, number>,
  flags: readonly string[] = [],
): Record<Name, number> {
  const names = Object.keys(defaults) as Name[];
  const options = [...names.map((name) => `--${name} ${defaults[name]}`), ...flags.map((flag) => `[--${flag}]`)];
  const usage = `Options, with what they are by default: ${options.join(' ')}`;
  const misused = (problem: string): never => {
    console.error(`${problem}\n${usage}`);
    process.exit(2);
  };
  if (process.argv.includes('--help')) {
    console.log(usage);
    process.exit(0);
  }
  const types = [...names.map((name) => [name, 'string']), ...flags.map((flag) => [flag, 'boolean'])];
  const given = parsed(Object.fromEntries(types.map(([name, type]) => [name, { type }])), misused);
  const read = names.map((name): [Name, number] => [name, Number(given[name] ?? defaults[name])]);
  for (const [name, value] of read) {
    if (!Number.isInteger(value) || value < 1) misused(`--${name} ${given[name]}: a whole number is wanted`);
  }
  return Object.fromEntries(read) as Record<Name, number>;
}

function parsed(
  options: NonNullable<Parameters<typeof parseArgs>[0]>['options'],
  misused: (problem: string) => never,
): Record<string, unknown> {
  try {
    return parseArgs({ options: options ?? {} }).values;
  } catch (error) {
    return misused(error instanceof Error ? error.message : String(error));
  }
}

/** Runs each in turn, round after round. @returns the figures of each, without those of a round that warms up */
export async function inTurns(
  rounds: number,
  runs: Record<string, () => number | Promise<number>>,
  { warmUp = true } = {},
): Promise<Map<string, number[]>> {
  const figures = new Map<string, number[]>(Object.keys(runs).map((name) => [name, []]));
  for (let round = warmUp ? 0 : 1; round <= rounds; round += 1) {
    for (const [name, run] of Object.entries(runs)) {
      process.stderr.write(`${round === 0 ? 'warming up' : `round ${round} of ${rounds}`}: ${name}\n`);
      const figure = await run();
      if (round > 0) figures.get(name)?.push(figure);
    }
  }
  return figures;
}

/** Rounded so that a table can be read. */
export function short(figure: number): number {
  return Number(figure.toPrecision(figure < 1 ? 2 : 3));
}

/** Prints the medians, and how the first one stands to each of the others. */
export function printTable(title: string, unit: string, figures: Map<string, number[]>): void {
  const [first = 0] = [...figures.values()].map(median);
  console.log(title);
  console.table(
    [...figures].map(([what, each]) => ({
      what,
      [unit]: short(median(each)),
      'relay / this': short(first / median(each)),
      rounds: each.map(short).join(' '),
    })),
  );
}
