import type { DeliveryRecord } from '../model.ts';
import { type Hold, holdOf } from './holds.ts';
import { showMoment } from './moment.ts';
import { type Cell, printNotes, printTable, type Row } from './table.ts';

const HEADS = ['ID', 'EVENT', 'DESTINATION', 'STATE', 'ATTEMPTS', 'NEXT ATTEMPT', 'INTERVIEW', 'LINK'];

const STYLES = { pending: 'yellow', held: 'magenta', delivered: 'green', failed: 'red', discarded: 'dim' } as const;

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
  const failed = deliveries.filter(({ state }) => state === 'failed');
  if (failed.length > 0) {
    const which = failed.length === 1 ? failed[0]?.id : '<ids>';
    process.stdout.write(`\nOnce that is mended: versive-relay retry ${which}\n`);
  }
  for (const [destination, hold] of held) {
    process.stdout.write('\n');
    printNotes([{ text: `${destination} is held.`, style: STYLES.held }, ...why(hold)], process.stdout);
  }
}

/** When a delivery is tried next. */
export function showNext(time: number, timezone: string): string {
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
