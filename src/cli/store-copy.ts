import { shownStore } from '../address.ts';
import { storeArgument } from '../config/store-argument.ts';
import { RelayError } from '../errors.ts';
import { type Copied, copyStore } from '../store/copy/copy.ts';
import { readBasics } from './common.ts';
import { Progress } from './progress.ts';
import { printJson } from './shapes.ts';
import { printFacts, printNotes } from './table.ts';
import { count } from './words.ts';

/** What `store copy` is asked with. */
export interface CopyOptions {
  config: string;
  from?: string;
  to?: string;
  json?: true;
}

/** What tables hold, for people. A body belongs to its event. */
const NAMES: readonly [table: string, name: string][] = [
  ['event', 'events'],
  ['delivery', 'deliveries'],
  ['ledger', 'receipts and doubts'],
  ['target', 'targets'],
  ['lane', 'lanes paused or halted'],
  ['paused_key', 'paused limit keys'],
];

/** Copies a store, and says what was copied and what to do next. */
export async function copy(options: CopyOptions): Promise<void> {
  const { from, to } = await storesOf(options);
  const notes = options.json ? process.stderr : process.stdout;
  printNotes([{ text: `Copying ${shownStore(from)} into ${shownStore(to)}` }], notes);
  const copied = await runCopy(from, to, notes);
  if (options.json) {
    printJson({ from, to: shownStore(to), how: copied.how, rows: Object.fromEntries(copied.rows) });
    return;
  }
  printNotes([{ text: 'All is there, with the counts and checksums of the file:', style: 'green' }], process.stdout);
  printFacts(
    NAMES.map(([table, name]) => [name, String(copied.rows.get(table) ?? 0)]),
    process.stdout,
  );
  process.stdout.write(`
Next:
  1. Let \`store:\` of ${options.config} name the database, best as \${NAME} or \${file:PATH}.
  2. versive-relay check, then versive-relay serve.
  3. Start no relay on ${from} any more: it would deliver again what the others have delivered. Keep it until you are sure.
`);
}

async function storesOf({ config, from, to }: CopyOptions): Promise<{ from: string; to: string }> {
  if (from === undefined && to === undefined) {
    throw new RelayError('RELAY_USAGE', 'Nothing says where to copy the store to.', {
      fix: `Give the address of a database, such as --to '\${DATABASE_URL}'.`,
    });
  }
  const configured = async () => (await readBasics(config)).store;
  return {
    from: from === undefined ? await configured() : await storeArgument('--from', from, config),
    to: to === undefined ? await configured() : await storeArgument('--to', to, config),
  };
}

async function runCopy(from: string, to: string, notes: NodeJS.WriteStream): Promise<Copied> {
  using progress = new Progress('rows copied');
  return await copyStore(from, to, {
    began(how, rows) {
      if (how === 'new') return;
      const on = `Going on after the ${count(rows, 'row')} that an interrupted copy has left.`;
      const anew = 'The file has changed since a copy was interrupted: this one begins anew.';
      printNotes([{ text: how === 'on' ? on : anew }], notes);
      progress.add(rows);
    },
    wrote: (rows) => progress.add(rows),
  });
}
