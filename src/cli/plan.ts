import { styleText } from 'node:util';
import { Command } from 'commander';
import type { Config } from '../config/config.ts';
import { spelledDuration } from '../config/durations.ts';
import { type Loaded, loadConfig } from '../config/load.ts';
import { restartsFor } from '../config/restart.ts';
import { EXIT } from '../errors.ts';
import type { JsonObject } from '../model.ts';
import { turnover } from '../route/plan.ts';
import type { Store } from '../store/store.ts';
import { isError, printFindings, refusal } from './common.ts';
import { checkLive, liveNotes } from './live.ts';
import { showMoment } from './moment.ts';
import { configOption, jsonOption, wholeNumber } from './options.ts';
import { destinationNotes, restartNotes, retentionNotes } from './plan-destinations.ts';
import { type Comparison, PlannedEvents } from './plan-events.ts';
import { PlannedPreviews } from './plan-previews.ts';
import { PlannedRouting, plannedShape } from './plan-routing.ts';
import { printJson } from './shapes.ts';
import { type Cell, printNotes } from './table.ts';
import { withStore } from './with-store.ts';
import { count, isOrAre, listed } from './words.ts';

interface Options {
  config: string;
  last: number;
  live?: true;
  json?: true;
}

/** A config that has no errors, and where its values stand. */
type Whole = Loaded & { config: Config; file: string };

export function planCommand(): Command {
  return new Command('plan')
    .description('show what a changed config would have done to the last events; nothing is sent or changed')
    .argument('[new]', 'the changed config; without it, --config is compared with what became of the events')
    .addOption(configOption())
    .option(
      '--last <number>',
      'how many stored events, newest first',
      (text) => wholeNumber(text, 1, 1_000_000_000),
      200,
    )
    .option('--live', 'also ask the services of the new config whether deliveries would work; sends nothing')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
With a new file, it is compared with the present one (--config): which events gain or lose which destination, and why;
whose rendered output changes; which destinations are new, gone, renamed or write to another place. Keep the new file in
the folder of the present one: relative paths and .env are looked for beside a config.

Without one, the config is compared with the deliveries that the events really had, as a relay decided when they came (or
as a replay made them). That shows what a backfill would bring. Rendered output is compared only between two files.

Of server and store it says only that a change needs a restart; of retention, what would begin to be removed.

With --json: {"event", "subject", "gains", "loses", "renders"} for each event that changes, "renders" naming the
destinations that would be sent it otherwise. Then one object for all of it: "of" events were compared; "unrouted" of them
would go nowhere, "routed" no longer; "gains", "loses", "changed" (what is sent) and "rejected" count events by
destination; "new", "gone", "renamed" and "moved" name destinations; "backfill" is how many deliveries replay --reroute
would make; "restart" says whether the server or the store changes, "retention" what it is by the new config. Words go to
standard error.
Exit codes: 0 fine, also when there are changes; 1 nothing is stored yet or --live found an error; 78 a config has errors.

Examples:
  $ cp config.yaml new.yaml                and edit new.yaml
  $ versive-relay plan new.yaml            what it changes for the last 200 events
  $ versive-relay plan new.yaml --last 5000 --live
  $ mv new.yaml config.yaml                the running relay follows, and logs what it changes
  $ versive-relay plan                     what the events lack by the config as it is now`,
    )
    .action(async (file: string | undefined, options: Options) => {
      process.exitCode = await plan(file, options);
    });
}

/** @throws RelayError when a config has errors, or nothing is stored yet */
async function plan(newFile: string | undefined, options: Options): Promise<number> {
  const [present, next] = await readBoth(options.config, newFile);
  const comparison = { before: newFile === undefined ? undefined : present.config, after: next.config };
  await withStore(present.config, (store) => compare(comparison, { store, present, next, options }));
  if (!options.live) return EXIT.ok;
  const answers = await checkLive(next.config, next.placeOf);
  const { findings } = answers;
  const stream = options.json ? process.stderr : process.stdout;
  stream.write('\n');
  printFindings(findings, stream);
  printNotes(liveNotes(answers), stream);
  return findings.some(isError) ? EXIT.no : EXIT.ok;
}

/** Reads both configs, and tells the errors of both. Without a new one the present one is both. */
async function readBoth(file: string, newFile: string | undefined): Promise<[present: Whole, next: Whole]> {
  const present = await read(file);
  const next = newFile === undefined ? present : await read(newFile);
  // What is suspicious about the present config is no news.
  if (next !== present) printFindings(present.findings.filter(isError), process.stderr);
  printFindings(next.findings, process.stderr);
  return [whole(present), whole(next)];
}

type Read = Loaded & { file: string };

async function read(file: string): Promise<Read> {
  return { ...(await loadConfig(file)), file };
}

function whole(read: Read): Whole {
  const { config, file, findings } = read;
  if (!config) throw refusal(file, findings);
  return { ...read, config };
}

interface Planning {
  store: Store;
  present: Whole;
  next: Whole;
  options: Options;
}

/** Compares event by event, and prints what it found. */
async function compare(comparison: Comparison, { store, present, next, options }: Planning): Promise<void> {
  const { before, after } = comparison;
  const events = new PlannedEvents(comparison, store);
  const routing = new PlannedRouting(comparison);
  await using previews = before && new PlannedPreviews(before, after);
  for await (const compared of events.last(options.last)) {
    routing.add(compared);
    const renders = previews?.add(compared) ?? [];
    const { gains, loses } = compared.change;
    if (options.json && gains.length + loses.length + renders.length > 0) printJson(plannedShape(compared, renders));
  }
  const stream = options.json ? process.stderr : process.stdout;
  const { counts } = routing;
  const since = showMoment(events.oldest, after.timezone);
  const what = before ? `${next.file} in place of ${present.file}` : `${next.file} as it is now`;
  const changed = before ? 'gain or lose a destination' : 'would get other destinations than they had';
  const same = before ? 'none gains or loses a destination' : 'all had the destinations that it gives them';
  const result = counts.changed === 0 ? same : `${counts.changed} of them ${changed}`;
  stream.write(
    `${styleText('bold', `${what}, for the last ${count(counts.of, 'event')} (since ${since}): ${result}.`, { stream })}\n`,
  );
  if (options.json) printNotes(routing.notes(), stream);
  else {
    routing.print(stream);
    previews?.print(stream);
  }
  if (options.json) printJson(wholeShape(comparison, routing, previews));
  const notes = [
    ...restartNotes(comparison),
    ...retentionNotes(comparison),
    ...(await destinationNotes(comparison, {
      store,
      gains: counts.gains,
      moved: previews?.moved ?? [],
    })),
    ...backfill(routing.missing, events, before !== undefined),
  ];
  if (notes.length > 0) stream.write('\n');
  printNotes(notes, stream);
}

/** The last object of `--json`. */
function wholeShape(
  { before, after }: Comparison,
  { counts, missing }: PlannedRouting,
  previews: PlannedPreviews | undefined,
): JsonObject {
  const { of, unrouted, routed, gains, loses } = counts;
  const { added, gone, renamed } = turnover(before?.destinations ?? after.destinations, after.destinations);
  return {
    of,
    unrouted,
    routed,
    gains: Object.fromEntries(gains),
    loses: Object.fromEntries(loses),
    ...(previews?.changed ?? { changed: {}, rejected: {} }),
    new: added,
    gone,
    renamed: Object.fromEntries(renamed),
    moved: previews?.moved ?? [],
    backfill: missing,
    restart: before ? restartsFor(before, after) : [],
    retention: after.retention === undefined ? null : spelledDuration(after.retention),
  };
}

/** What `replay --reroute` would make of these events, and which were not looked at. */
function backfill(missing: number, { oldest, puzzling, removed }: PlannedEvents, later: boolean): Cell[] {
  const notes: Cell[] = [];
  if (removed > 0) {
    const left = removed === 1 ? 'event was left out: its body was' : 'events were left out: their bodies were';
    notes.push({ text: `${removed} older ${left} removed.`, style: 'yellow' });
  }
  if (puzzling.length > 0) {
    notes.push({
      text: `${listed(puzzling)} ${isOrAre(puzzling.length)} not understood, and left out.`,
      style: 'yellow',
    });
  }
  if (missing > 0) {
    const when = later ? ', once it is in force,' : '';
    const command = `versive-relay replay --reroute --since ${new Date(oldest).toISOString()}`;
    notes.push({
      text: `A backfill of these events${when} makes ${count(missing, 'delivery', 'deliveries')}: ${command}`,
    });
  }
  return notes;
}
