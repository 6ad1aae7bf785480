import { Command } from 'commander';
import { shownStore } from '../address.ts';
import { EXIT } from '../errors.ts';
import type { Schema } from '../store/migrate.ts';
import { notThere } from '../store/not-there.ts';
import { migrateStore, schemaOf } from '../store/schema.ts';
import { readBasics } from './common.ts';
import { configOption, jsonOption } from './options.ts';
import { printJson } from './shapes.ts';

interface MigrateOptions {
  config: string;
  check?: true;
  create?: boolean;
  json?: true;
}

/** `migrate`: brings the schema of the store up to date, ahead of the relay's start. */
export function migrateCommand(): Command {
  return new Command('migrate')
    .description('bring the store up to what this version works with, and say what that was')
    .option('--check', 'only say whether that is due: exit code 1 when it is')
    .option('--create', 'make a store that is not there yet')
    .addOption(jsonOption())
    .addOption(configOption())
    .addHelpText(
      'after',
      `
A relay that starts does this by itself; before an upgrade of several it is good to have it done, or refused, once.
At PostgreSQL relays of the version before go on meanwhile: each change waits for its tables only briefly, again and again,
so that webhooks do not wait behind it. It says who holds a table for too long, and can be run again. An SQLite file has
one relay, which must be stopped. No other verb changes the schema.

With --json: {"store", "from", "to", "state"}; state is current, due, migrated or created.

Examples:
  $ versive-relay migrate --check
  $ versive-relay migrate
  $ versive-relay migrate --create      in a database that is still empty`,
    )
    .action(async ({ config, check, create = false, json }: MigrateOptions, command: Command) => {
      if (check && create) command.error("error: option '--check' cannot be used with option '--create'");
      const { store } = await readBasics(config);
      const schema = check ? await schemaOf(store) : await migrateStore(store, { create });
      if (check && schema.found === undefined) throw notThere(store);
      const state = stateOf(schema, check === true);
      if (json)
        printJson({
          store: shownStore(store),
          from: schema.found ?? null,
          to: Math.max(schema.found ?? 0, schema.newest),
          state,
        });
      else process.stdout.write(`${WORDS[state](shownStore(store), schema)}\n`);
      if (state === 'due') process.exitCode = EXIT.no;
    });
}

type State = 'current' | 'due' | 'migrated' | 'created';

function stateOf({ found, newest }: Schema, check: boolean): State {
  // A newer one that this version works with is left as it is.
  if (found !== undefined && found >= newest) return 'current';
  if (check) return 'due';
  return found === undefined ? 'created' : 'migrated';
}

const WORDS: Record<State, (store: string, schema: Schema) => string> = {
  current: (store, { found }) => `The store ${store} is at schema ${found} already.`,
  due: (store, { found, newest }) =>
    `The store ${store} is at schema ${found}, and this version works with ${newest}: \`versive-relay migrate\` is due.`,
  migrated: (store, { found, newest }) => `The store ${store} was migrated from schema ${found} to ${newest}.`,
  created: (store, { newest }) => `The store ${store} was made, at schema ${newest}.`,
};
