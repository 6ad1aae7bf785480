import { Command } from 'commander';
import { chosenDeliveries, refuseDelivered } from './chosen-deliveries.ts';
import { readBasics } from './common.ts';
import { agreed, printProposal } from './proposal.ts';
import {
  addRecoveryOptions,
  checkChoice,
  inSteps,
  missed,
  type Recovery,
  type RecoveryOptions,
  recover,
  refuseAbsent,
  report,
  whatComes,
} from './recovery.ts';
import { count } from './words.ts';

/** `retry [ids...]`: brings failed and discarded deliveries back, and makes waiting ones due at once. */
export function retryCommand(): Command {
  const command = new Command('retry')
    .description('try failed deliveries again, at once and with their whole schedule anew')
    .argument('[ids...]', 'deliveries, such as d7 d8');
  return addRecoveryOptions(command, ['failed', 'discarded', 'pending', 'held'])
    .addHelpText(
      'after',
      `
Ids are done at once. Filters choose the failed ones unless --state says otherwise; without any, all that failed. They are
counted first, and it asks before it goes on. Discarded ones come back; pending ones are due now instead of later.
Works with the relay running or stopped. What was delivered is sent again by replay.

With --json: {"destination", "deliveries"} for each destination, then {"retried"}.

Examples:
  $ versive-relay retry d7 d8
  $ versive-relay retry --destination tracker --since 1d     what failed there since yesterday
  $ versive-relay retry --state discarded --study study_123
  $ versive-relay retry --yes                                all that failed`,
    )
    .action(async (ids: string[], options: RecoveryOptions) => {
      checkChoice(ids, options);
      await recover({ basics: await readBasics(options.config), ids, options }, retry);
    });
}

async function retry(recovery: Recovery): Promise<void> {
  const { store, holds, ids, options } = recovery;
  const concerned = await chosenDeliveries(recovery, ['failed']);
  refuseDelivered(
    concerned,
    ({ event, destination }) => `\`versive-relay replay ${event} --to ${destination}\` sends it there again.`,
  );
  refuseAbsent(concerned, recovery, '');
  const asks = ids.length === 0 || options.dryRun === true;
  if (asks || options.json) printProposal({ title: 'Retry', concerned, notes: [] }, holds, options.json === true);
  if (asks && !(await agreed(options))) return;
  const chosen = concerned.map(({ id }) => id);
  const retried = await inSteps(chosen, 'deliveries', (some) => store.retry(some));
  const done = `${count(retried, 'delivery is', 'deliveries are')} due again.${missed(chosen.length - retried)}`;
  report([{ text: done, style: 'green' }, ...whatComes(concerned, recovery)], { retried }, options);
}
