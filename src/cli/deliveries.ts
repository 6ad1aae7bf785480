import { Command } from 'commander';
import { RelayError } from '../errors.ts';
import type { DeliveryRecord, DeliveryState } from '../model.ts';
import { pages } from '../store/pages.ts';
import type { DeliveryFilter } from '../store/store.ts';
import { type Hold, heldFilter, holdOf } from './holds.ts';
import { addListOptions, filterOf, type Listing, listAction, nothingFound } from './listing.ts';
import { showMoment } from './moment.ts';
import { deliveryShape, printJson } from './shapes.ts';
import { type Cell, printFacts, printNotes, printTable, type Row } from './table.ts';

const HEADS = ['ID', 'EVENT', 'DESTINATION', 'STATE', 'ATTEMPTS', 'NEXT ATTEMPT', 'INTERVIEW', 'LINK'];

const STYLES = { pending: 'yellow', held: 'magenta', delivered: 'green', failed: 'red', discarded: 'dim' } as const;

/** `deliveries [id]`: lists deliveries, newest first, or shows one. */
export function deliveriesCommand(): Command {
  const command = new Command('deliveries')
    .description('list deliveries, newest first, or show one')
    .argument('[id]', 'a delivery, such as d7');
  return addListOptions(command, ['pending', 'held', 'delivered', 'failed', 'discarded'])
    .addHelpText(
      'after',
      `
Pending deliveries of a destination that is halted, paused, disabled or gone from the config are shown as held.

Examples:
  $ versive-relay deliveries --state failed --since 1d     what failed since yesterday, and how to fix it
  $ versive-relay deliveries --interview int_0001          where an interview went, with links
  $ versive-relay deliveries d7 --json`,
    )
    .action(listAction(list, show));
}

async function list({ basics, store, holds, options }: Listing): Promise<void> {
  const filter: DeliveryFilter = filterOf(options, basics.timezone);
  if (options.state === 'held') Object.assign(filter, await heldFilter(store, holds));
  else if (options.state !== undefined) filter.state = options.state as DeliveryState;
  const rows: DeliveryRecord[] = [];
  let found = false;
  for await (const page of pages((request) => store.deliveries(filter, request), options.limit)) {
    found = true;
    if (options.json) for (const delivery of page) printJson(deliveryShape(delivery, holds));
    else rows.push(...page);
  }
  if (!found) throw nothingFound('deliveries', options, basics);
  if (rows.length > 0) printDeliveries(rows, holds, basics.timezone);
}

async function show(id: string, { basics, store, holds, options }: Listing): Promise<void> {
  const delivery = await store.delivery(id);
  if (delivery === undefined) {
    throw new RelayError('RELAY_NOT_FOUND', `There is no delivery "${id}".`, {
      fix: '`versive-relay deliveries` lists them; their ids look like d7.',
    });
  }
  const shape = deliveryShape(delivery, holds);
  if (options.json) return printJson(shape);
  const event = await store.event(delivery.event);
  const next = delivery.nextAttemptAt;
  process.stdout.write(`${delivery.id}\n`);
  printFacts(
    [
      ['state', String(shape.state)],
      ['destination', delivery.destination],
      ['interview', delivery.subject],
      ['event', delivery.event],
      ['study', event?.study],
      ['received', event && showMoment(event.receivedAt, basics.timezone)],
      ['attempts', String(delivery.attempts)],
      ['next attempt', next === undefined || shape.state === 'held' ? undefined : showNext(next, basics.timezone)],
      ['reason', shape.reason === null ? undefined : String(shape.reason)],
      ['detail', shape.detail === null ? undefined : String(shape.detail)],
      ['fix', shape.fix === null ? undefined : String(shape.fix)],
      ['link', delivery.url],
    ],
    process.stdout,
  );
}

/** Writes deliveries as a table, with the fix under those that failed, and that of each hold at the end. */
export function printDeliveries(deliveries: DeliveryRecord[], holds: Map<string, Hold>, timezone: string): void {
  const held = new Map<string, Hold>();
  const rows = deliveries.map((delivery): Row => {
    const hold = holdOf(delivery, holds);
    if (hold) held.set(delivery.destination, hold);
    const state = hold ? 'held' : delivery.state;
    const next = delivery.nextAttemptAt;
    return {
      cells: [
        delivery.id,
        delivery.event,
        delivery.destination,
        { text: state, style: STYLES[state] },
        String(delivery.attempts),
        state === 'pending' && next !== undefined ? showNext(next, timezone) : '',
        delivery.subject,
        { text: delivery.url ?? '', whole: true },
      ],
      notes: hold ? [] : why(delivery),
    };
  });
  printTable(HEADS, rows, process.stdout);
  for (const [destination, hold] of held) {
    process.stdout.write('\n');
    printNotes([{ text: `${destination} is held.`, style: STYLES.held }, ...why(hold)], process.stdout);
  }
}

function showNext(time: number, timezone: string): string {
  return time <= Date.now() ? 'now' : showMoment(time, timezone);
}

/** What is wrong, and what to do about it. */
function why({ reason, detail, fix }: Pick<DeliveryRecord, 'reason' | 'detail' | 'fix'> | Hold): Cell[] {
  const words = [reason, detail].filter((text) => text !== undefined).join(': ');
  return [
    ...(words === '' ? [] : [{ text: words }]),
    ...(fix === undefined || fix === '' ? [] : [{ text: `fix: ${fix}`, style: 'cyan' as const }]),
  ];
}
