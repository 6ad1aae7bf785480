/**
 * How long `check` takes with 10,000 routes, beside the YAML parser alone on the same file, and beside Node.js that does
 * nothing. With --hostile also configs that are wrong in ways that cost the most. Each is its own process; the rounds take
 * turns, and the medians count.
 *
 * Usage: npm run bench -- check [--rounds 9 --hostile]
 */
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { median, numbers } from './rounds.ts';
import { SECRET } from './servers.ts';

const ROUTES = 10_000;
/** UTF-16 units of a hostile config, just below what the relay reads. */
const LARGE = 790_000;

const { rounds } = numbers({ rounds: 9 }, ['hostile']);

const HEAD = `sources: { versive: { secret: ${SECRET} } }
destinations: { archive: { connector: file, path: x } }
`;

function table(route: (index: number) => string): string {
  return `${HEAD}routes:\n${Array.from({ length: ROUTES }, (_, index) => route(index)).join('')}`;
}

const fill = (part: string) => part.repeat(Math.floor((LARGE - 1_000) / part.length));

const GOOD: Record<string, string> = {
  'a line each': table((index) => `  - { name: r${index}, when: { study.id: study_${index} }, to: archive }\n`),
  'four lines each': table(
    (index) => `  - name: r${index}\n    when:\n      study.id: study_${index}\n    to: archive\n`,
  ),
};

const HOSTILE: Record<string, string> = {
  'open brackets': fill('['),
  'the same key': fill('x: 1\n'),
  'a trap in each line': fill('a: {{ x\n'),
  'a tag in each line': fill('a: !x y\n'),
  'an open bracket at the end': `${HEAD}routes:\n${fill('  - { name: a, to: archive }\n')}  - { name: x, to: [archive }\n`,
  'an error in each route': `${HEAD}routes:\n${fill('  - { name: a, to: archiv, stp: 1 }\n')}`,
};

const root = path.resolve(import.meta.dirname, '..');
const PARSE = `import { readFileSync } from 'node:fs';
import { parseDocument } from 'yaml';
parseDocument(readFileSync(process.argv.at(-1), 'utf8'), { prettyErrors: false, uniqueKeys: false });`;

/** Milliseconds that a process takes. */
function timed(...argv: string[]): number {
  const start = performance.now();
  const { status } = spawnSync(process.execPath, argv, { cwd: root, stdio: 'ignore' });
  if (status !== 0 && status !== 78) throw new Error(`node ${argv.join(' ')} ended with ${status}`);
  return performance.now() - start;
}

const folder = await mkdtemp(path.join(tmpdir(), 'relay-bench-'));
try {
  const runs = new Map<string, () => number>([['node -e 0', () => timed('-e', '0')]]);
  for (const [name, text] of Object.entries({ ...GOOD, ...(process.argv.includes('--hostile') && HOSTILE) })) {
    const file = path.join(folder, `${name.replaceAll(' ', '-')}.yaml`);
    await writeFile(file, text);
    const title = `${name} (${Math.round(text.length / 1_000)} KB)`;
    runs.set(`check: ${title}`, () => timed('src/bin.js', 'check', '--config', file));
    if (name in GOOD) runs.set(`yaml alone: ${title}`, () => timed('--input-type=module', '-e', PARSE, file));
  }
  const figures = new Map([...runs.keys()].map((name): [string, number[]] => [name, []]));
  for (let round = 1; round <= rounds; round += 1) {
    process.stderr.write(`round ${round} of ${rounds}\n`);
    for (const [name, run] of runs) figures.get(name)?.push(run());
  }
  console.log(`milliseconds of a process, ${ROUTES} routes, ${rounds} rounds, medians`);
  console.table(
    [...figures].map(([process, each]) => ({
      process,
      median: Math.round(median(each)),
      least: Math.round(Math.min(...each)),
      most: Math.round(Math.max(...each)),
    })),
  );
} finally {
  await rm(folder, { recursive: true, force: true });
}
