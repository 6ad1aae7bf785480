import { randomUUID } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { DeliveryRecord, EventRecord, Receipt } from '../model.ts';
import { type CommitOptions, GroupCommit } from './commit.ts';
import { Lists } from './lists.ts';
import { clock, type DeliveryRow, deliveryRecord, type EventRow, eventRecord, packBody, unpackBody } from './rows.ts';
import { prepareStatements, type Statements } from './statements.ts';
import type {
  Accepted,
  Backlog,
  Claim,
  ClaimRequest,
  DeliveryFilter,
  EventFilter,
  Halt,
  LaneRecord,
  NewEvent,
  PageRequest,
  Settlement,
  Store,
} from './store.ts';

/** The most rows that one commit of a verb changes, so that nothing stalls an acknowledgement. */
const STEP = 500;
/** The most deliveries, and bytes of their bodies, that one claim takes; at least one delivery whatever its size. */
const CLAIM_LIMIT = 1000;
const CLAIM_BYTES = 32_000_000;
/** Claims in a row that may end with no outcome. */
const STRIKES = 3;

/** The store in one SQLite file. See migrations/sqlite for its tables. */
export class SqliteStore implements Store {
  readonly #writer: DatabaseSync;
  readonly #reader: DatabaseSync;
  readonly #commit: GroupCommit;
  readonly #lists: Lists;
  readonly #sql: Statements;
  #dataVersion: number;

  /** Takes two connections to one file: one that writes, with the schema in place, and one that reads. Closes both. */
  constructor(writer: DatabaseSync, reader: DatabaseSync, options: CommitOptions = {}) {
    this.#writer = writer;
    this.#reader = reader;
    this.#commit = new GroupCommit(writer, options);
    this.#lists = new Lists(reader);
    this.#sql = prepareStatements(writer);
    this.#dataVersion = this.#readDataVersion();
  }

  async accept(event: NewEvent): Promise<Accepted> {
    const packed = packBody(event.body);
    return this.#commit.write(() => {
      const row = this.#sql.insertEvent.get(
        event.source,
        event.svixId,
        event.eventType,
        event.subject,
        event.study,
        event.state,
        event.reason ?? null,
        clock(event.receivedAt),
        JSON.stringify(event.routes),
        event.body.length,
      ) as { id: number } | undefined;
      if (row === undefined) return this.#known(event);
      this.#sql.insertBody.run(row.id, packed);
      const destinations = new Set(event.destinations);
      for (const destination of destinations) {
        this.#sql.insertDelivery.run(row.id, destination, event.subject, clock(event.receivedAt));
      }
      return { id: `e${row.id}`, duplicate: false, deliveries: destinations.size };
    }, packed.length + event.body.length);
  }

  #known(event: NewEvent): Accepted {
    const row = this.#sql.knownEvent.get(event.source, event.svixId) as { id: number; deliveries: number };
    return { id: `e${row.id}`, duplicate: true, deliveries: row.deliveries };
  }

  claim(request: ClaimRequest): Promise<Claim[]> {
    return this.#commit.write(() => this.#due(request).flatMap((id) => this.#take(id, request) ?? []));
  }

  /** Which deliveries to claim. Walks the index in the order of due times and stops as soon as there are enough. */
  #due({ destination, now, limit, except }: ClaimRequest): number[] {
    const busy = new Set(except);
    for (const row of this.#sql.underWay.all(destination)) busy.add(row.subject as string);
    const most = Math.min(limit, CLAIM_LIMIT);
    const found: number[] = [];
    let bytes = 0;
    const rows = this.#sql.due.iterate(destination, clock(now)) as Iterable<{
      id: number;
      subject: string;
      size: number;
    }>;
    for (const { id, subject, size } of rows) {
      if (busy.has(subject)) continue;
      bytes += size;
      if (found.length >= most || (found.length > 0 && bytes > CLAIM_BYTES)) break;
      found.push(id);
      busy.add(subject);
    }
    return found;
  }

  /** Undefined for a body that the disk has changed: that delivery fails, and those behind it go on. */
  #take(id: number, { destination, target }: ClaimRequest): Claim | undefined {
    const token = randomUUID();
    const delivery = deliveryRecord(this.#sql.take.get(token, id) as unknown as DeliveryRow);
    const row = this.#sql.taken.get(destination, target, id) as unknown as EventRow & {
      zstd: Uint8Array;
      generation: number | null;
      receipt: string | null;
      receipt_event: number | null;
    };
    let body: Buffer;
    try {
      body = unpackBody(row.zstd);
    } catch (error) {
      const fix = 'Look at the health of the disk, and restore the store from a copy.';
      this.#sql.failed.run('bug', `the stored event cannot be read: ${String(error)}`, fix, token);
      return undefined;
    }
    return {
      token,
      delivery,
      event: eventRecord(row),
      body,
      generation: row.generation ?? 1,
      receipt: row.receipt === null ? undefined : (JSON.parse(row.receipt) as Receipt),
      superseded: row.receipt_event !== null && row.receipt_event > row.id,
    };
  }

  checkpoint(token: string, target: string, receipt: Receipt): Promise<boolean> {
    return this.#commit.write(() => {
      const keptFor = this.#keepReceipt(token, target, receipt, false);
      return keptFor && this.#sql.linkTo.run(receipt.url ?? null, token).changes === 1;
    });
  }

  record(token: string, target: string, settlement: Settlement): Promise<boolean> {
    return this.#commit.write(() => {
      if (settlement.state === 'delivered') {
        const { receipt } = settlement;
        return (
          this.#keepReceipt(token, target, receipt, true) &&
          this.#sql.delivered.run(receipt.url ?? null, token).changes === 1
        );
      }
      const { reason, detail } = settlement;
      if (settlement.state === 'failed') {
        return this.#sql.failed.run(reason, detail, settlement.fix, token).changes === 1;
      }
      const { counted, nextAttemptAt, fix } = settlement;
      const changed = this.#sql.pending.run(clock(nextAttemptAt), counted ? 0 : 1, reason, detail, fix ?? null, token);
      return changed.changes === 1;
    });
  }

  /** @param whole whether the receipt's event is delivered with it, so that older ones must not overwrite it */
  #keepReceipt(token: string, target: string, receipt: Receipt, whole: boolean): boolean {
    return this.#sql.keepReceipt.run(target, JSON.stringify(receipt), whole ? 1 : 0, token).changes === 1;
  }

  release(): Promise<number> {
    return this.#inSteps(() => {
      const changed = this.#sql.release.run({
        strikes: STRIKES,
        step: STEP,
        detail: `The relay ended ${STRIKES} times in the middle of an attempt at this delivery, so no outcome is known.`,
        fix: "Look in the relay's log for why it ended (out of memory, killed, a crash in the connector). The event is kept.",
      });
      return Number(changed.changes);
    });
  }

  async nextDue(destination: string, except: Iterable<string>): Promise<number | undefined> {
    return this.#lists.nextDue(destination, except);
  }

  async lanes(): Promise<LaneRecord[]> {
    return this.#lists.lanes();
  }

  async setPaused(destination: string, paused: boolean): Promise<void> {
    const write = () => this.#sql.setPaused.run(destination, paused ? 1 : 0);
    if (paused) await this.#commit.write(write);
    else await this.#letFlow(destination, write);
  }

  async setHalt(destination: string, halt: Halt | undefined): Promise<void> {
    const { reason = null, detail = null, fix = null, since } = halt ?? {};
    const write = () =>
      this.#sql.setHalt.run(destination, reason, detail, fix, since === undefined ? null : clock(since));
    if (halt) await this.#commit.write(write);
    else await this.#letFlow(destination, write);
  }

  /**
   * Makes what waits in a lane due at once, and lets it flow with the last step: should the process die before, the lane
   * stands still as it did, and a second call does the rest.
   */
  async #letFlow(destination: string, last: () => void): Promise<void> {
    await this.#inSteps(() => {
      const now = clock(Date.now());
      const changed = Number(this.#sql.makeDue.run(now, destination, now, STEP).changes);
      if (changed < STEP) last();
      return changed;
    });
  }

  /**
   * The ledger goes first: a delivery must never stand under the new name while its receipt is under the old one. Where
   * both names have a receipt, that of the later event stays; where both have a delivery of one event, both stay.
   */
  async rename(from: string, to: string): Promise<number> {
    if (from === to) return 0;
    await this.#inSteps(() => {
      this.#sql.copyLedger.run(to, from, STEP);
      return Number(this.#sql.dropLedger.run(from, STEP).changes);
    });
    await this.#commit.write(() => {
      this.#sql.copyLane.run(to, from);
      this.#sql.dropLane.run(from);
    });
    let last = 0;
    let moved = 0;
    await this.#inSteps(() => {
      const ids = this.#sql.deliveriesNamed.all(from, last, STEP) as { id: number }[];
      const first = last;
      last = ids.at(-1)?.id ?? last;
      moved += Number(this.#sql.moveDeliveries.run(to, from, first, last).changes);
      return ids.length;
    });
    return moved;
  }

  async pauseKey(key: string, until: number): Promise<void> {
    await this.#commit.write(() => {
      this.#sql.dropKeys.run(clock(Date.now()));
      this.#sql.pauseKey.run(key, clock(until));
    });
  }

  async pausedKeys(now: number): Promise<Map<string, number>> {
    return this.#lists.pausedKeys(now);
  }

  async events(filter: EventFilter, page: PageRequest): Promise<EventRecord[]> {
    return this.#lists.events(filter, page);
  }

  async deliveries(filter: DeliveryFilter, page: PageRequest): Promise<DeliveryRecord[]> {
    return this.#lists.deliveries(filter, page);
  }

  async deliveriesOf(events: string[]): Promise<Map<string, DeliveryRecord[]>> {
    return this.#lists.deliveriesOf(events);
  }

  async event(id: string): Promise<(EventRecord & { body: Buffer }) | undefined> {
    return this.#lists.event(id);
  }

  async delivery(id: string): Promise<DeliveryRecord | undefined> {
    return this.#lists.delivery(id);
  }

  async backlog(): Promise<Backlog[]> {
    return this.#lists.backlog();
  }

  changedElsewhere(): boolean {
    const found = this.#readDataVersion();
    const changed = found !== this.#dataVersion;
    this.#dataVersion = found;
    return changed;
  }

  /** SQLite's count of the commits that other connections made. */
  #readDataVersion(): number {
    return Number(this.#writer.prepare('PRAGMA data_version').get()?.data_version);
  }

  async ping(): Promise<void> {
    await this.#commit.write(() => this.#sql.ping.run());
  }

  async close(): Promise<void> {
    await this.#commit.close();
    if (this.#reader.isOpen) this.#reader.close();
    if (this.#writer.isOpen) this.#writer.close();
  }

  /** Repeats a write until it finds less than a whole step to do. Between two commits, everyone else has a turn. */
  async #inSteps(step: () => number): Promise<number> {
    let total = 0;
    for (;;) {
      const changed = await this.#commit.write(step);
      total += changed;
      if (changed < STEP) return total;
    }
  }
}
