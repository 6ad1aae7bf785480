/**
 * `npm run bench` runs every benchmark, one after the other and with few rounds; `npm run bench -- NAME [options]` runs one
 * of them whole.
 */
import { spawnSync } from 'node:child_process';
import path from 'node:path';

/** Each benchmark, with what makes it short. */
const BENCHMARKS: Record<string, string> = {
  acknowledge: '--rounds 3 --events 4000',
  'end-to-end': '--rounds 3 --events 500',
  latency: '--rounds 3 --seconds 2',
  webhook: '--rounds 3 --events 1000',
  idle: '--rounds 3 --events 50',
  isolation: '--rounds 3 --events 50',
  backlog: '--rounds 3 --pending 150000',
  sheets: '--rounds 2 --rows 2000',
  start: '--rounds 5',
  check: '--rounds 3',
  route: '--rounds 5',
  replicas: '--rounds 2 --events 3000',
  claims: '--rounds 2 --pending 100000 --claims 2400',
};

const [name, ...options] = process.argv.slice(2);
if (name === '--help' || name === '-h') {
  console.log(`npm run bench                      all of them, one after the other and with few rounds
npm run bench -- NAME [options]    one of them whole
npm run bench -- NAME --help       its options

NAME is one of: ${Object.keys(BENCHMARKS).join(', ')}
bench/README.md says what each measures.`);
  process.exit(0);
}
if (name !== undefined && !(name in BENCHMARKS)) {
  console.error(`no benchmark "${name}". There are: ${Object.keys(BENCHMARKS).join(', ')}`);
  process.exit(2);
}
const chosen: [string, string[]][] =
  name === undefined ? Object.entries(BENCHMARKS).map(([each, brief]) => [each, brief.split(' ')]) : [[name, options]];
for (const [each, args] of chosen) {
  if (name === undefined) console.log(`\n${each}`);
  const { status, stderr } = spawnSync(process.execPath, [path.join(import.meta.dirname, `${each}.ts`), ...args], {
    stdio: name === undefined ? ['ignore', 'inherit', 'pipe'] : 'inherit',
  });
  if (status !== 0) {
    console.error(`${stderr ?? ''}${each} ended with ${status}`);
    process.exitCode = status ?? 1;
  }
}
