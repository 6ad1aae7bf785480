import { EXIT, RelayError } from '../errors.ts';
import type { DeliveryRecord } from '../model.ts';
import { ask } from './ask.ts';
import type { Hold } from './holds.ts';
import { printJson } from './shapes.ts';
import { type Cell, printNotes, printTable, type Row } from './table.ts';
import { count } from './words.ts';

/** A delivery that is there. Only what is needed: there may be many. */
export type Standing = Pick<DeliveryRecord, 'id' | 'event' | 'subject' | 'destination' | 'state'>;

/** One that is to be made. */
interface Missing extends Pick<DeliveryRecord, 'event' | 'subject' | 'destination'> {
  id?: undefined;
  state?: undefined;
}

/** A delivery that a verb concerns. */
export type Concerned = Standing | Missing;

/** What a verb would do. */
export interface Proposal {
  /** `Retry`, `Replay to research-alerts`. */
  title: string;
  concerned: Concerned[];
  /** What is left out, and what becomes of what is there. */
  notes: Cell[];
}

/** How a verb is told to go on. */
export interface Consent {
  yes?: true;
  dryRun?: true;
  json?: true;
}

/** Writes how many deliveries a verb concerns, and at which destinations; with `--json` one object for each of these. */
export function printProposal({ title, concerned, notes }: Proposal, holds: Map<string, Hold>, json: boolean): void {
  const groups = [...Map.groupBy(concerned, ({ destination }) => destination)].sort(([a], [b]) => (a < b ? -1 : 1));
  if (json) for (const [destination, own] of groups) printJson({ destination, deliveries: own.length });
  else {
    process.stdout.write(`${title}: ${sizeOf(concerned)}\n`);
    const rows = groups.map(([destination, own]): Row => {
      const hold = holds.get(destination);
      return {
        cells: [destination, String(own.length), statesOf(own, hold !== undefined)],
        notes: hold ? [{ text: `held: ${hold.detail}`, style: 'magenta' }] : [],
      };
    });
    if (rows.length > 0) printTable(['DESTINATION', 'DELIVERIES', 'NOW'], rows, process.stdout);
  }
  printNotes(notes, json ? process.stderr : process.stdout);
}

/** `12 deliveries of 8 events (7 interviews)`. */
function sizeOf(concerned: Concerned[]): string {
  const deliveries = count(concerned.length, 'delivery', 'deliveries');
  if (concerned.length === 0) return deliveries;
  const events = count(new Set(concerned.map(({ event }) => event)).size, 'event');
  const interviews = count(new Set(concerned.map(({ subject }) => subject)).size, 'interview');
  return `${deliveries} of ${events} (${interviews})`;
}

/** `2 delivered, 1 failed, 3 not there yet`. */
function statesOf(concerned: Concerned[], isHeld: boolean): string {
  const groups = Map.groupBy(concerned, ({ state }) => (state === 'pending' && isHeld ? 'held' : state));
  return [...groups].map(([state, own]) => `${own.length} ${state ?? 'not there yet'}`).join(', ');
}

/**
 * Whether to go on: as `--yes` and `--dry-run` say, else as the person at the terminal does.
 *
 * @throws RelayError RELAY_USAGE when there is nobody to ask
 */
export async function agreed({ yes, dryRun }: Consent): Promise<boolean> {
  if (dryRun) {
    process.stderr.write('Nothing was changed: this was a dry run.\n');
    return false;
  }
  if (yes) return true;
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw new RelayError('RELAY_USAGE', 'Nothing was changed: there is no terminal to ask on.', {
      fix: 'Give --yes to go on, or --dry-run to only look.',
    });
  }
  const { confirm } = await import('@inquirer/prompts');
  const question = { message: 'Go on?', default: false };
  // On standard error, so that what is piped on is the answer alone.
  const answer = await ask(
    (context) => confirm(question, { ...context, output: process.stderr }),
    'nothing was changed',
  );
  if (answer === false) process.stderr.write('nothing was changed\n');
  if (!answer) process.exitCode = EXIT.no;
  return answer === true;
}
