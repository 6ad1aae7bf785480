import { Command } from 'commander';
import type { DeliveryRecord } from '../model.ts';
import { pages } from '../store/pages.ts';
import { printDeliveries, showNext } from './delivery-table.ts';
import { addListOptions, deliveryFilterOf, type Listing, listAction, nothingFound } from './listing.ts';
import { showMoment } from './moment.ts';
import { unknownIds } from './names.ts';
import { deliveryShape, printJson } from './shapes.ts';
import { printFacts } from './table.ts';

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

async function list(listing: Listing): Promise<void> {
  const { basics, store, holds, options } = listing;
  const filter = await deliveryFilterOf(options, listing);
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
  if (delivery === undefined) throw unknownIds('delivery', [id]);
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
      ['next', nextStep(delivery)],
    ],
    process.stdout,
  );
}

/** What a person can do about a delivery that came to its end without arriving. */
function nextStep({ id, state }: DeliveryRecord): string | undefined {
  if (state === 'discarded') return `\`versive-relay retry ${id}\` brings it back`;
  if (state !== 'failed') return undefined;
  return `\`versive-relay retry ${id}\` once that is mended; \`versive-relay discard ${id}\` gives it up`;
}
