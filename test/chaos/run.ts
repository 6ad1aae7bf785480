/** `npm run chaos`: the long run. Exits 1 when anything was lost or doubled. */
import { parseArgs } from 'node:util';
import { runChaos } from './chaos.ts';
import { printReport, problemsOf } from './report.ts';

const { values } = parseArgs({
  options: { cycles: { type: 'string', default: '200' }, events: { type: 'string', default: '5000' } },
});
const { stderr } = process;
const report = await runChaos({
  cycles: Number(values.cycles),
  events: Number(values.events),
  progress: (line) => {
    if (stderr.isTTY) stderr.write(`\r\x1b[K${line}`);
  },
});
if (stderr.isTTY) stderr.write('\r\x1b[K');
process.stdout.write(printReport(report));
process.exit(problemsOf(report).length === 0 ? 0 : 1);
