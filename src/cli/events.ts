import { Command } from 'commander';
import type { DeliveryRecord, EventRecord, EventState } from '../model.ts';
import { pages } from '../store/pages.ts';
import type { EventFilter } from '../store/store.ts';
import { printDeliveries } from './delivery-table.ts';
import { type Hold, holdOf } from './holds.ts';
import { addListOptions, filterOf, type Listing, listAction, nothingFound } from './listing.ts';
import { showMoment } from './moment.ts';
import { unknownIds } from './names.ts';
import { eventShape, printJson } from './shapes.ts';
import { printFacts, printTable, type Row } from './table.ts';

const HEADS = ['ID', 'RECEIVED', 'STATE', 'INTERVIEW', 'STUDY', 'ROUTES', 'DELIVERIES'];

const STYLES = { routed: 'green', unrouted: 'yellow', quarantined: 'red' } as const;

/** `events [id]`: lists events, newest first, or shows one. What participants said is never shown. */
export function eventsCommand(): Command {
  const command = new Command('events')
    .description('list events, newest first, or show one')
    .argument('[id]', 'an event, such as e12');
  return addListOptions(command, ['routed', 'unrouted', 'quarantined'])
    .addHelpText(
      'after',
      `
Examples:
  $ versive-relay events --state unrouted --since 3d     what no route took
  $ versive-relay events --study study_123 --limit 500 --json
  $ versive-relay events e12`,
    )
    .action(listAction(list, show));
}

async function list({ basics, store, holds, options }: Listing): Promise<void> {
  const filter: EventFilter = filterOf(options, basics.timezone);
  if (options.state !== undefined) filter.state = options.state as EventState;
  const rows: Row[] = [];
  let found = false;
  for await (const page of pages((request) => store.events(filter, request), options.limit)) {
    found = true;
    const deliveries = await store.deliveriesOf(page.map(({ id }) => id));
    for (const event of page) {
      const own = deliveries.get(event.id) ?? [];
      if (options.json) printJson(eventShape(event, own, holds));
      else rows.push(rowOf(event, own, holds, basics.timezone));
    }
  }
  if (!found) throw nothingFound('events', options, basics);
  if (rows.length > 0) printTable(HEADS, rows, process.stdout);
}

function rowOf(event: EventRecord, deliveries: DeliveryRecord[], holds: Map<string, Hold>, timezone: string): Row {
  return {
    cells: [
      event.id,
      showMoment(event.receivedAt, timezone),
      { text: event.state, style: STYLES[event.state] },
      event.subject,
      event.study,
      event.routes.join(', '),
      event.removedAt === undefined ? summary(deliveries, holds) : { text: 'removed', style: 'dim' },
    ],
    ...(event.reason !== undefined && { notes: [{ text: event.reason }] }),
  };
}

/** `2 delivered, 1 failed`. */
function summary(deliveries: DeliveryRecord[], holds: Map<string, Hold>): string {
  const states = deliveries.map((delivery) => (holdOf(delivery, holds) ? 'held' : delivery.state));
  return [...new Set(states)].map((state) => `${states.filter((each) => each === state).length} ${state}`).join(', ');
}

async function show(id: string, { basics, store, holds, options }: Listing): Promise<void> {
  const event = await store.event(id);
  if (event === undefined) throw unknownIds('event', [id]);
  const deliveries = (await store.deliveriesOf([id])).get(id) ?? [];
  if (options.json) return printJson(eventShape(event, deliveries, holds));
  process.stdout.write(`${event.id}\n`);
  printFacts(
    [
      ['state', event.state],
      ['reason', event.reason],
      ['received', showMoment(event.receivedAt, basics.timezone)],
      ['source', event.source],
      ['svix-id', event.svixId],
      ['type', event.eventType],
      ['interview', event.subject],
      ['study', event.study],
      ['routes', event.routes.join(', ')],
      ['size', event.damage === undefined && event.removedAt === undefined ? `${event.body.length} bytes` : undefined],
      ['body', event.damage ?? removal(event, basics.timezone)],
      ['next', deliveries.length === 0 ? nextStep(event) : undefined],
    ],
    process.stdout,
  );
  if (deliveries.length > 0) {
    process.stdout.write('\n');
    printDeliveries(deliveries, holds, basics.timezone);
  }
}

function removal({ removedAt }: EventRecord, timezone: string): string | undefined {
  return removedAt === undefined ? undefined : `removed ${showMoment(removedAt, timezone)}, with its deliveries`;
}

/** What a person can do about an event that went nowhere. */
function nextStep({ id, state, removedAt }: EventRecord): string | undefined {
  if (removedAt !== undefined) return undefined;
  if (state === 'quarantined') return `\`versive-relay replay ${id} --reroute\` once the relay understands it`;
  return `\`versive-relay explain ${id}\` says why it goes nowhere; \`versive-relay replay ${id} --reroute\` once routes take it`;
}
