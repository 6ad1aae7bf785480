import { Command } from 'commander';
import { configOption, jsonOption } from './options.ts';
import { type CopyOptions, copy } from './store-copy.ts';

/** `store copy`: moves the store of a relay that was stopped to another kind of store. */
export function storeCommand(): Command {
  const command = new Command('store').description('work on the store as a whole').showHelpAfterError(true);
  command
    .command('copy')
    .description('copy the store of a stopped relay from an SQLite file into an empty PostgreSQL database')
    .option('--from <store>', "the file; by default the config's store")
    .option('--to <store>', "the database; by default the config's store, when --from is given")
    .addOption(jsonOption())
    .addOption(configOption())
    .addHelpText(
      'after',
      `
Copies events with their bodies, deliveries, receipts, doubts, and what is paused or halted. Ids stay the same, and the
file is not changed. Counts and checksums of both are compared at the end. Until then nothing can open the database; a copy
that was interrupted goes on when the same command runs again.

An address may be written as in the config, \${NAME} or \${file:PATH} (in single quotes, so that the shell leaves it alone),
with the variables of the environment and of the .env beside the config: its password then stands in no history.

With --json: {"from", "to", "how", "rows": {table: number}}; how is new, on (an interrupted one) or anew (the file has changed).

Examples:
  $ versive-relay store copy --to '\${DATABASE_URL}'
  $ versive-relay store copy --to '\${file:/run/secrets/store}'
  $ versive-relay store copy --from ./data/relay.db        into the database that the config names already`,
    )
    .action((options: CopyOptions) => copy(options));
  return command;
}
