/**
 * `npm run chaos`: the long run. Exits 1 when anything was lost or doubled. `npm run chaos -- --seed 7` throws the dice of
 * an earlier run again.
 */
import { parseArgs } from 'node:util';
import { runChaos } from './chaos.ts';
import { printReport, problemsOf } from './report.ts';

const { values } = parseArgs({
  options: {
    cycles: { type: 'string', default: '200' },
    events: { type: 'string', default: '5000' },
    seed: { type: 'string' },
  },
});
const { stderr } = process;
const report = await runChaos({
  cycles: Number(values.cycles),
  events: Number(values.events),
  seed: values.seed === undefined ? undefined : Number(values.seed),
  progress: (line) => {
    if (stderr.isTTY) stderr.write(`\r\x1b[K${line}`);
  },
});
if (stderr.isTTY) stderr.write('\r\x1b[K');
process.stdout.write(printReport(report));
process.exit(problemsOf(report).length === 0 ? 0 : 1);
