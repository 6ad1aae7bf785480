import { styleText } from 'node:util';
import type { JsonObject } from '../model.ts';
import { ChangeCount } from '../route/plan.ts';
import type { Compared, Comparison } from './plan-events.ts';
import { whyGained, whyLost } from './plan-why.ts';
import { type Cell, printNotes, printRows, type Row } from './table.ts';
import { count, listed } from './words.ts';

/** Events that are shown for each destination, of those that gain it and of those that lose it. */
const SHOWN = 5;

/** Which events gain or lose which destination. */
export class PlannedRouting {
  readonly counts = new ChangeCount();
  /** How many deliveries `replay --reroute` would make. */
  missing = 0;
  readonly #comparison: Comparison;
  readonly #gains = new Map<string, Row[]>();
  readonly #loses = new Map<string, Row[]>();
  readonly #unrouted: string[] = [];
  readonly #routed: string[] = [];

  constructor(comparison: Comparison) {
    this.#comparison = comparison;
  }

  add(compared: Compared): void {
    const { event, before, after, change, missing } = compared;
    this.counts.add(before, after, change);
    this.missing += missing;
    for (const name of change.gains) {
      keep(this.#gains, name, () => row('+', compared, whyGained(compared, name, this.#comparison)));
    }
    for (const name of change.loses) {
      keep(this.#loses, name, () => row('−', compared, whyLost(compared, name, this.#comparison)));
    }
    if (before.destinations.length > 0 && after.destinations.length === 0) this.#unrouted.push(event.id);
    if (before.destinations.length === 0 && after.destinations.length > 0) this.#routed.push(event.id);
  }

  /** Writes each destination with what it gains and loses, and the first of these events. */
  print(stream: NodeJS.WriteStream): void {
    const { counts } = this;
    for (const name of counts.names) {
      stream.write(`\n${styleText('bold', name, { stream })}  ${counts.wordsOf(name)}\n`);
      printGroup(this.#gains.get(name), counts.gains.get(name), stream);
      printGroup(this.#loses.get(name), counts.loses.get(name), stream);
    }
    const notes = this.notes();
    if (notes.length > 0) stream.write('\n');
    printNotes(notes, stream);
  }

  /** What becomes routed, and what no longer is. */
  notes(): Cell[] {
    const [lost, won] = [this.#unrouted, this.#routed];
    const notes: Cell[] = [];
    if (lost.length > 0) {
      notes.push({ text: `${count(lost.length, 'event')} would go nowhere: ${listed(lost)}.`, style: 'yellow' });
    }
    if (won.length > 0) {
      notes.push({ text: `${count(won.length, 'event')} that went nowhere would be routed: ${listed(won)}.` });
    }
    return notes;
  }
}

/**
 * An event as `--json` prints it.
 *
 * @param renders the destinations that would be sent it otherwise
 */
export function plannedShape({ event, change }: Compared, renders: string[]): JsonObject {
  return { event: event.id, subject: event.subject, gains: change.gains, loses: change.loses, renders };
}

function row(sign: string, { event }: Compared, why: string): Row {
  const style = sign === '+' ? 'green' : 'red';
  return { cells: [{ text: sign, style }, event.id, event.subject, event.study, { text: why, whole: true }] };
}

function keep(groups: Map<string, Row[]>, name: string, make: () => Row): void {
  const rows = groups.get(name) ?? [];
  groups.set(name, rows);
  if (rows.length < SHOWN) rows.push(make());
}

function printGroup(rows: Row[] = [], all = 0, stream: NodeJS.WriteStream): void {
  printRows(rows, stream, '  ');
  const left = all - rows.length;
  if (left > 0) stream.write(`${styleText('dim', `    … and ${left} more`, { stream })}\n`);
}
