/**
 * How long `serve` takes until it is ready, and how much memory it then has resident. Beside it Node.js that only says that
 * it runs.
 *
 * Usage: npm run bench -- start [--rounds 15]
 */
import { inTurns, median, numbers, short } from './rounds.ts';
import { killAll, relayFolder, removeAll, residentMB, SERVE, startServer } from './servers.ts';

const { rounds } = numbers({ rounds: 15 });
const NODE = `console.log(JSON.stringify({ url: '' })); setInterval(() => {}, 60_000);`;

const hook = { connector: 'webhook', url: 'http://127.0.0.1:9/' };
const slack = { connector: 'slack', token: 'xoxb-1', channel: 'C0123456789' };
const sheets = {
  connector: 'google-sheets',
  access_token: 'ya29.x',
  spreadsheet: '1AbCdEfGhIjKlMnOpQrStUvWxYz',
  tab: 'A',
};
const notion = { connector: 'notion', token: 'ntn_1', data_source: '2f6c1c52-0000-4000-8000-000000000000' };
const folders = { one: await relayFolder({ hook }), all: await relayFolder({ hook, slack, sheets, notion }) };
const resident = new Map<string, number[]>();

/** Milliseconds from the start of a process to the line that says where it listens. */
async function measure(name: string, args: string[], folder: string): Promise<number> {
  const began = performance.now();
  const server = await startServer(args, folder);
  const time = performance.now() - began;
  resident.set(name, [...(resident.get(name) ?? []), residentMB(server)]);
  await killAll([server]);
  return time;
}

try {
  const each = {
    'serve, a webhook': [SERVE, folders.one],
    'serve, all four services': [SERVE, folders.all],
    'node -e, nothing else': [['-e', NODE], folders.one],
  } as const;
  const runs = Object.entries(each).map(([name, [args, folder]]) => [name, () => measure(name, [...args], folder)]);
  const figures = await inTurns(rounds, Object.fromEntries(runs));
  const bare = median([...figures.values()].at(-1) ?? []);
  console.log(`from the start to ready, ${rounds} rounds, medians`);
  console.table(
    [...figures].map(([what, times]) => ({
      what,
      ms: short(median(times)),
      'this / bare': short(median(times) / bare),
      'resident, MB': short(median(resident.get(what) ?? [])),
      rounds: times.map(short).join(' '),
    })),
  );
} finally {
  await removeAll(Object.values(folders));
}
