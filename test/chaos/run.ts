/**
 * `npm run chaos`: the long run, of one relay on SQLite; `npm run chaos -- --replicas 3`: of several on one PostgreSQL. Exits
 * 1 when anything was lost or doubled. `--seed 7` throws the dice of an earlier run again.
 */
import { parseArgs } from 'node:util';
import { runChaos } from './chaos.ts';
import { runReplicaChaos } from './replicas.ts';
import { printReport, problemsOf } from './report.ts';

const { values } = parseArgs({
  options: {
    cycles: { type: 'string', default: '200' },
    events: { type: 'string', default: '5000' },
    replicas: { type: 'string' },
    seed: { type: 'string' },
  },
});
const { stderr } = process;
const options = {
  cycles: Number(values.cycles),
  events: Number(values.events),
  seed: values.seed === undefined ? undefined : Number(values.seed),
  progress: (line: string) => {
    if (stderr.isTTY) stderr.write(`\r\x1b[K${line}`);
  },
};
const { replicas } = values;
const report = await (replicas === undefined
  ? runChaos(options)
  : runReplicaChaos({ ...options, replicas: Number(replicas) }));
if (stderr.isTTY) stderr.write('\r\x1b[K');
process.stdout.write(printReport(report));
process.exit(problemsOf(report).length === 0 ? 0 : 1);
