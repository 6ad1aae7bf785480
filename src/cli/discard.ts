import { Command } from 'commander';
import { chosenDeliveries, refuseDelivered } from './chosen-deliveries.ts';
import { readBasics } from './common.ts';
import { givenFilters } from './listing.ts';
import { agreed, printProposal, type Standing } from './proposal.ts';
import {
  addRecoveryOptions,
  checkChoice,
  inSteps,
  missed,
  type Recovery,
  type RecoveryOptions,
  recover,
  report,
} from './recovery.ts';
import type { Cell } from './table.ts';
import { count, isOrAre, listed } from './words.ts';

/** The most ids that a line repeats. */
const SHOWN = 8;

/** `discard [ids...]`: gives up deliveries that are pending or failed. Their events are kept. */
export function discardCommand(): Command {
  const command = new Command('discard')
    .description('give up deliveries that wait or failed; their events are kept')
    .argument('[ids...]', 'deliveries, such as d7 d8');
  return addRecoveryOptions(command, ['pending', 'held', 'failed'])
    .addHelpText(
      'after',
      `
Ids are done at once. Filters choose what is pending, held or failed unless --state says which of them. They are counted
first, and it asks before it goes on. retry brings a discarded delivery back. Works with the relay running or stopped.

With --json: {"destination", "deliveries"} for each destination, then {"discarded"}.

Examples:
  $ versive-relay discard d7 d8
  $ versive-relay discard --state failed --destination tracker --until 30d
  $ versive-relay discard --interview int_0001 --dry-run`,
    )
    .action(async (ids: string[], options: RecoveryOptions) => {
      checkChoice(
        ids,
        options,
        'Give ids such as d7, or a filter such as `--state failed` or `--destination tracker`.',
      );
      await recover({ basics: await readBasics(options.config), ids, options }, discard);
    });
}

async function discard(recovery: Recovery): Promise<void> {
  const { store, holds, ids, options } = recovery;
  const chosen = await chosenDeliveries(recovery, ['pending', 'failed']);
  refuseDelivered(chosen, () => 'Leave it out: only what is pending or failed can be given up.');
  const before = chosen.filter(({ state }) => state === 'discarded').map(({ id }) => id);
  const notes: Cell[] =
    before.length === 0 ? [] : [{ text: `${listed(before)} ${isOrAre(before.length)} discarded already.` }];
  const concerned = chosen.filter(({ state }) => state !== 'discarded');
  const asks = ids.length === 0 || options.dryRun === true;
  if (asks || options.json) printProposal({ title: 'Discard', concerned, notes }, holds, options.json === true);
  if (asks && !(await agreed(options))) return;
  const discarded = await inSteps(
    concerned.map(({ id }) => id),
    'deliveries',
    (some) => store.discard(some),
  );
  const lines = asks || options.json ? [] : notes;
  if (concerned.length > 0) lines.push(...afterwards(discarded, concerned, recovery));
  report(lines, { discarded }, options);
}

/** What was done, what of it may still arrive, and how to undo it. */
function afterwards(discarded: number, concerned: Standing[], { served, options }: Recovery): Cell[] {
  const ids = concerned.map(({ id }) => id);
  const done = `${count(discarded, 'delivery is', 'deliveries are')} discarded.${missed(ids.length - discarded)}`;
  const filters = givenFilters({ ...options, state: 'discarded' });
  const undo = ids.length > SHOWN ? filters : ids;
  const late = served && concerned.some(({ state }) => state === 'pending');
  return [
    { text: `${done} The events are kept.`, style: 'green' },
    ...(late
      ? [{ text: 'One whose attempt is under way right now may still arrive, and counts as delivered then.' }]
      : []),
    { text: `Back with: versive-relay retry ${undo.join(' ')}` },
  ];
}
