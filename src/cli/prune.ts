import { setTimeout as wait } from 'node:timers/promises';
import { Command } from 'commander';
import { DAY, parseDuration } from '../config/durations.ts';
import { LONGEST_RETENTION } from '../config/schema.ts';
import { RelayError } from '../errors.ts';
import type { Store } from '../store/store.ts';
import { type Basics, readBasics } from './common.ts';
import { showMoment } from './moment.ts';
import { configOption, jsonOption } from './options.ts';
import { Progress } from './progress.ts';
import { agreed, type Consent } from './proposal.ts';
import { printJson } from './shapes.ts';
import { type Cell, printNotes } from './table.ts';
import { withStore } from './with-store.ts';
import { count } from './words.ts';

/** Milliseconds until it asks again, while a relay is at it. */
const POLL = 200;

interface PruneOptions extends Consent {
  config: string;
  olderThan?: string;
}

/** What a walk over the old events came by. */
interface Walked {
  events: number;
  deliveries: number;
  failed: number;
  pending: number;
}

/** `prune`: removes the bodies and deliveries of old events by hand, or says how many that would be. */
export function pruneCommand(): Command {
  return new Command('prune')
    .description('remove the bodies and deliveries of old events, as `retention:` does by itself')
    .option('--older-than <duration>', 'those received longer ago, such as 90d; by default what `retention:` says')
    .option('--yes', 'go on without asking')
    .option('--dry-run', 'say how many that would be, and change nothing')
    .addOption(jsonOption())
    .addOption(configOption())
    .addHelpText(
      'after',
      `
An event with a delivery that failed or waits stays, with all that it has. Of the others a line stays in the lists: their
svix-id, so that none is taken twice, and the receipts, so that a later event of the interview updates what is there.
Works with the relay running or stopped.

With --json: {"before", "events", "deliveries", "kept_failed", "kept_pending", "state"}; state is due or pruned.

Examples:
  $ versive-relay prune --older-than 90d --dry-run     before you set \`retention: 90d\`
  $ versive-relay prune --yes                          now, and not within the hour
  $ versive-relay deliveries --state failed --until 90d`,
    )
    .action(async (options: PruneOptions) => {
      const basics = await readBasics(options.config);
      const before = Date.now() - ageOf(options, basics);
      await withStore(basics, (store) => prune(store, { before, basics, options }));
    });
}

/** @throws RelayError RELAY_USAGE */
function ageOf({ olderThan }: PruneOptions, { config }: Basics): number {
  const age = olderThan === undefined ? config?.retention : parseDuration(olderThan);
  if (age !== undefined && age >= DAY && age <= LONGEST_RETENTION) return age;
  if (olderThan === undefined) {
    const why = config ? 'The config has no `retention:`' : 'What `retention:` says is unknown';
    throw new RelayError('RELAY_USAGE', `${why}, and nothing else says how old is old.`, {
      fix: 'Give --older-than, such as --older-than 90d.',
    });
  }
  throw new RelayError('RELAY_USAGE', `"${olderThan}" is no duration from 1d to ${LONGEST_RETENTION / DAY}d`, {
    fix: 'Write one such as 90d.',
  });
}

async function prune(
  store: Store,
  { before, basics, options }: { before: number; basics: Basics; options: PruneOptions },
): Promise<void> {
  const due = await walk(store, before, true);
  const when = showMoment(before, basics.timezone);
  const tell = (notes: Cell[]) => printNotes(notes, options.json ? process.stderr : process.stdout);
  const shape = (walked: Walked, state: 'due' | 'pruned') => {
    const { events, deliveries, failed, pending } = walked;
    const counts = { events, deliveries, kept_failed: failed, kept_pending: pending };
    if (options.json) printJson({ before: new Date(before).toISOString(), ...counts, state });
  };
  tell([{ text: `Received before ${when}: ${sizeOf(due)} to remove.` }, ...keptNotes(due)]);
  if (due.events === 0 || !(await agreed(options))) return shape(due, 'due');
  const done = await walk(store, before, false);
  shape(done, 'pruned');
  const bodies = done.events === 1 ? 'The body of 1 event' : `The bodies of ${done.events} events`;
  tell([{ text: `${bodies} and ${count(done.deliveries, 'delivery', 'deliveries')} were removed.`, style: 'green' }]);
}

async function walk(store: Store, before: number, dryRun: boolean): Promise<Walked> {
  const walked: Walked = { events: 0, deliveries: 0, failed: 0, pending: 0 };
  using progress = new Progress(dryRun ? 'events counted' : 'events pruned');
  for (let after: string | undefined; ; ) {
    const began = performance.now();
    const step = await store.prune({ before, dryRun, ...(after !== undefined && { after }) });
    if (!step) {
      await wait(POLL);
      continue;
    }
    walked.events += step.removed.length;
    walked.deliveries += step.deliveries;
    walked.failed += step.failed;
    walked.pending += step.pending;
    progress.add(step.removed.length);
    after = step.after;
    if (after === undefined) return walked;
    // As long as the step took, the store is left to a relay that serves it.
    if (!dryRun) await wait(performance.now() - began);
  }
}

function sizeOf({ events, deliveries }: Walked): string {
  const bodies = count(events, 'body', 'bodies');
  return `${bodies} and ${count(deliveries, 'delivery', 'deliveries')}`;
}

function keptNotes({ failed, pending }: Walked): Cell[] {
  const notes: Cell[] = [];
  if (failed > 0) {
    const stay = count(failed, 'older event stays, since a delivery', 'older events stay, since a delivery of each');
    const text = `${stay} failed: \`versive-relay deliveries --state failed\`, then retry or discard.`;
    notes.push({ text, style: 'yellow' });
  }
  if (pending > 0) {
    const text = `${count(pending, 'older event stays', 'older events stay')}, since something of it still waits.`;
    notes.push({ text, style: 'yellow' });
  }
  return notes;
}
