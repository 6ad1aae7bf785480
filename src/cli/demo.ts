import { setTimeout as wait } from 'node:timers/promises';
import { styleText } from 'node:util';
import { Command } from 'commander';
import { EXIT } from '../errors.ts';
import type { RunningDemo, Undelivered } from '../sandbox/demo.ts';
import { portOption } from './options.ts';
import { untilSignal } from './signals.ts';
import { printTable } from './table.ts';
import { count } from './words.ts';

/** Interviews that are sent at once, so that there is something to see … */
const AT_ONCE = 3;
/** … and milliseconds between the ones that follow. */
const APART = 6000;
/** Milliseconds that `--once` waits for the last delivery. */
const PATIENCE = 60_000;

export function demoCommand(): Command {
  return new Command('demo')
    .description('stand-ins, a relay on config.example.yaml and sample interviews, to watch in a browser')
    .addOption(portOption())
    .option('--once', 'send all sample interviews, wait until they are delivered, print a summary and end')
    .option('--log', "print the relay's log lines")
    .addHelpText(
      'after',
      `
Needs no account, and sends nothing off this machine. Its store is temporary.

Examples:
  $ versive-relay demo
  $ versive-relay demo --once`,
    )
    .action(async (options: { port?: number; once?: true; log?: true }) => {
      const { startDemo } = await import('../sandbox/demo.ts');
      const demo = await startDemo({
        ...(options.port !== undefined && { port: options.port }),
        ...(options.log && { log: process.stderr }),
      });
      try {
        await (options.once ? runOnce(demo) : runUntilSignal(demo));
      } finally {
        await demo.stop();
      }
    });
}

async function runUntilSignal(demo: RunningDemo): Promise<void> {
  const { SAMPLE_COUNT } = await import('../sandbox/samples.ts');
  const bold = (text: string) => styleText('bold', text, { stream: process.stdout });
  process.stdout.write(`
  ${bold('versive-relay demo')}   sample interviews on their way to Slack, Notion and Google Sheets

  Watch them arrive:  ${bold(demo.url)}

  The three are stand-ins on this machine; nothing leaves it. Ctrl-C stops the demo and removes its data.

`);
  const stopping = new AbortController();
  const sending = stream(demo, SAMPLE_COUNT, stopping.signal);
  const asked = untilSignal();
  await Promise.race([asked, sending.then(() => asked)]);
  stopping.abort();
  await sending;
}

/** A few quickly, then one after another, each sample once. */
async function stream(demo: RunningDemo, count: number, signal: AbortSignal): Promise<void> {
  await demo.send(AT_ONCE);
  for (let sent = AT_ONCE; sent < count; sent++) {
    try {
      await wait(APART, undefined, { signal });
    } catch {
      // Ctrl-C.
      return;
    }
    await demo.send(1);
  }
}

async function runOnce(demo: RunningDemo): Promise<void> {
  const { SAMPLE_COUNT } = await import('../sandbox/samples.ts');
  const started = performance.now();
  await demo.send(SAMPLE_COUNT);
  let problems: string[];
  try {
    problems = problemsOf(await demo.settled(AbortSignal.timeout(PATIENCE)));
  } catch (error) {
    if ((error as Error).name !== 'AbortError') throw error;
    problems = [`Not everything was delivered within ${PATIENCE / 1000} s.`];
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const arrived =
    problems.length === 0 ? `all is delivered, after ${seconds} s` : `not all was delivered, after ${seconds} s`;
  await printSummary(demo, arrived);
  if (problems.length === 0) return;
  process.stderr.write(`${problems.join('\n')}\n`);
  process.exitCode = EXIT.no;
}

function problemsOf({ failed, halted }: Undelivered): string[] {
  return [
    ...failed.map(({ id, destination, detail, fix }) => `${id} to ${destination} failed: ${detail}. ${fix}`),
    ...halted.map(
      ({ destination, halt, held }) => `${destination} is halted, and holds ${held}: ${halt.detail}. ${halt.fix}`,
    ),
  ];
}

async function printSummary({ state, sandbox }: RunningDemo, arrived: string): Promise<void> {
  const { events, destinations } = await state();
  const delivered = destinations.map((one) => [
    one.name,
    one.connector,
    String(one.delivered),
    String(one.pending + one.retrying),
    String(one.failed),
  ]);
  const stands = [
    ...sandbox.slack
      .snapshot()
      .channels.map(({ name, messages }) => ['Slack', `#${name}`, count(messages.length, 'message')]),
    ...sandbox.notion.snapshot().dataSources.map((source) => ['Notion', source.title, count(source.count, 'page')]),
    ...sandbox.sheets
      .snapshot()
      .spreadsheets.flatMap(({ title, tabs }) =>
        tabs
          .filter(({ rows }) => rows.length > 0)
          .map((tab) => ['Google Sheets', `${title}, ${tab.title}`, count(tab.rows.length - 1, 'row')]),
      ),
  ];
  const { stdout } = process;
  stdout.write(`\n${count(events, 'interview')} sent; ${arrived}\n\n`);
  printTable(
    ['DESTINATION', 'CONNECTOR', 'DELIVERED', 'PENDING', 'FAILED'],
    delivered.map((cells) => ({ cells })),
    stdout,
  );
  stdout.write('\n');
  printTable(
    ['STAND-IN', 'PLACE', 'HOLDS'],
    stands.map((cells) => ({ cells })),
    stdout,
  );
}
