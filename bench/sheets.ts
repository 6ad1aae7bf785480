/**
 * Rows of a Google Sheets append call with 10,000 events waiting, at the stand-in: Google counts calls, so that this is what
 * says how soon a backlog is in the sheet. Beside it a script that appends each row by itself.
 *
 * Usage: npm run bench -- sheets [--rounds 3 --rows 10000]
 */
import { setTimeout as sleep } from 'node:timers/promises';
import Fastify from 'fastify';
import { SHEETS_SPREADSHEET, SHEETS_TOKEN, SheetsStandIn } from '../src/sandbox/sheets.ts';
import { fillStore } from './fill.ts';
import { median, numbers, short } from './rounds.ts';
import { killAll, program, relayFolder, removeAll, SERVE, type Server, startServer } from './servers.ts';

const { rounds, rows } = numbers({ rounds: 3, rows: 10_000 });
/** Rows that the script appends: its figures do not depend on how many there are. */
const FEW = Math.min(rows, 1_000);
/** Calls of one user that Google takes in a minute, of reads and of writes each. */
const QUOTA = 60;
const NAMES = { tracker: 'versive-relay, 200 rows a batch', script: 'script, a call for each row' };

const figures = new Map(
  Object.values(NAMES).map((name) => [name, { rows: [] as number[], calls: [] as number[], seconds: [] as number[] }]),
);

/** Lets a program fill a new tab, and notes how many calls and how long that took. */
async function measure(
  name: string,
  { tab, wanted, start }: { tab: string; wanted: number; start: (url: string) => Promise<Server> },
): Promise<void> {
  const standIn = new SheetsStandIn();
  const app = Fastify({ forceCloseConnections: true, routerOptions: { maxParamLength: 5000 } });
  await app.register(async (scope) => standIn.routes(scope));
  // The stand-in keeps only the last calls.
  let calls = 0;
  let appends = 0;
  app.addHook('onRequest', async ({ url }) => {
    calls += 1;
    if (url.includes(':append')) appends += 1;
  });
  const server = await start(await app.listen({ host: '127.0.0.1', port: 0 }));
  const began = performance.now();
  let arrived = 0;
  standIn.on('change', () => {
    arrived = standIn.tab(tab)?.rows().length ?? 0;
  });
  while (arrived < wanted) await sleep(5);
  const seconds = (performance.now() - began) / 1000;
  await killAll([server]);
  await app.close();
  const noted = figures.get(name);
  noted?.rows.push(wanted / appends);
  noted?.calls.push(calls / wanted);
  noted?.seconds.push(wanted / seconds);
}

async function tracker(): Promise<void> {
  const folders: string[] = [];
  const start = async (api_url: string) => {
    const columns = { 'Interview ID': '{{ interview.id }}', Study: '{{ study.title }}' };
    const place = { spreadsheet: SHEETS_SPREADSHEET, tab: 'Interviews', api_url, access_token: SHEETS_TOKEN };
    // The pace is what is left away: what counts is how much a call carries.
    const destination = { connector: 'google-sheets', ...place, columns, pace: { calls: 10_000, per: '1s' } };
    const folder = await relayFolder({ tracker: destination });
    folders.push(folder);
    await fillStore(folder, { events: rows, destinations: ['tracker'], ownBodies: true });
    return startServer(SERVE, folder);
  };
  // And the header.
  await measure(NAMES.tracker, { tab: 'Interviews', wanted: rows + 1, start });
  await removeAll(folders);
}

async function script(): Promise<void> {
  const start = (url: string) =>
    startServer([program('append-loop.ts'), String(FEW), url, SHEETS_SPREADSHEET, SHEETS_TOKEN]);
  await measure(NAMES.script, { tab: 'Sheet1', wanted: FEW, start });
}

for (let round = 1; round <= rounds; round += 1) {
  process.stderr.write(`round ${round} of ${rounds}\n`);
  await tracker();
  await script();
}
console.log(`rows into a sheet with ${rows} waiting, at the stand-in, ${rounds} rounds, medians`);
console.table(
  [...figures].map(([what, each]) => ({
    what,
    'rows an append': short(median(each.rows)),
    'calls a row': short(median(each.calls)),
    'rows/s here': short(median(each.seconds)),
    [`least minutes for ${rows} rows at ${QUOTA} appends a minute`]: short(rows / median(each.rows) / QUOTA),
  })),
);
