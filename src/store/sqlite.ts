import type { DatabaseSync } from 'node:sqlite';
import type { DeliveryRecord, EventRecord, Receipt } from '../model.ts';
import { Accepting, type BodilessAccepted, firstClaims } from './accept.ts';
import { Bodies, type BodilessClaim, KeptElsewhere, type Packed } from './bodies.ts';
import { Claims } from './claims.ts';
import { type CommitOptions, GroupCommit } from './commit.ts';
import { readError } from './database.ts';
import { KEY_KEPT, STEP } from './limits.ts';
import { Lists } from './lists.ts';
import { prune, pruneStep } from './prune.ts';
import { clock, numberOf } from './rows.ts';
import { prepareStatements, type Statements } from './statements.ts';
import type {
  Accepted,
  Addition,
  Backlog,
  Claim,
  ClaimRequest,
  DeliveryFilter,
  EventFilter,
  Halt,
  LaneRecord,
  NewEvent,
  Offer,
  PageRequest,
  Pruned,
  PruneRequest,
  Settlement,
  Store,
  StoredEvent,
} from './store.ts';
import { WallClock } from './wall-clock.ts';
import type { WriteBack } from './write-back.ts';

/** Milliseconds between looks at what other processes changed: a verb is acted on within a second. */
const WATCH = 500;

/** The store in one SQLite file. See migrations/sqlite for its tables. */
export class SqliteStore implements Store {
  readonly takesOffers = true;
  readonly #writer: DatabaseSync;
  readonly #reader: DatabaseSync;
  readonly #commit: GroupCommit;
  readonly #writeBack: WriteBack | undefined;
  readonly #lists: Lists;
  readonly #accepting: Accepting;
  readonly #claims: Claims;
  readonly #clock: WallClock;
  readonly #bodies = new Bodies((events) => this.packed(events));
  readonly #keptElsewhere = new KeptElsewhere();
  #watching: NodeJS.Timeout | undefined;
  #catchingUp = false;
  #caughtUp = false;
  readonly #sql: Statements;
  #dataVersion: number;

  /**
   * Takes two connections to one file: one that writes, with the schema in place, and one that reads. Closes both.
   *
   * @param writeBack without it, SQLite writes its WAL back with a commit now and then
   */
  constructor(writer: DatabaseSync, reader: DatabaseSync, options: CommitOptions = {}, writeBack?: WriteBack) {
    this.#writer = writer;
    this.#reader = reader;
    this.#clock = new WallClock(writer);
    this.#commit = new GroupCommit(writer, options, {
      first: () => this.#clock.note(),
      committed: () => writeBack?.committed(),
    });
    this.#writeBack = writeBack;
    this.#lists = new Lists(reader);
    this.#sql = prepareStatements(writer);
    this.#accepting = new Accepting(this.#sql, this.#commit);
    this.#claims = new Claims(this.#sql);
    this.#dataVersion = this.#readDataVersion();
  }

  async accept(event: NewEvent, offers: readonly Offer[] = []): Promise<Accepted> {
    return firstClaims(event, await this.acceptBodiless(event, offers));
  }

  /** `accept`, for a thread that has the event. */
  async acceptBodiless(event: NewEvent, offers: readonly Offer[]): Promise<BodilessAccepted> {
    const accepted = await this.#accepting.accept(event, offers);
    if (!accepted.duplicate) this.#keptElsewhere.add(accepted.id);
    return accepted;
  }

  async claim(request: ClaimRequest): Promise<Claim[]> {
    return this.#bodies.fill(await this.claimBodiless(request), request, this);
  }

  /** `claim`, for a thread that may have the bodies: those that it cannot have are with the claims. */
  async claimBodiless(request: ClaimRequest): Promise<BodilessClaim[]> {
    const claims = await this.#commit.write(() => this.#claims.claim(request));
    const unknown = claims.map(({ event }) => event.id).filter((event) => !this.#keptElsewhere.has(event));
    if (unknown.length === 0) return claims;
    // What cannot be read now is asked for once more, and then told.
    const packed = await this.packed(unknown).catch(() => new Map<string, Packed>());
    for (const event of packed.keys()) this.#keptElsewhere.add(event);
    return claims.map((claim) => {
      const sent = packed.get(claim.event.id);
      return sent ? { ...claim, packed: sent } : claim;
    });
  }

  checkpoint(token: string, target: string, receipt: Receipt): Promise<boolean> {
    return this.#commit.write(() => this.#claims.checkpoint(token, target, receipt));
  }

  record(token: string, target: string, settlement: Settlement): Promise<boolean> {
    return this.#commit.write(() => this.#claims.record(token, target, settlement));
  }

  async release(destinations?: readonly string[]): Promise<{ freed: number; failed: string[] }> {
    if (this.#clock.isSetBack) await this.#catchUp();
    const failed: string[] = [];
    for (let freed = 0; ; ) {
      const step = await this.#commit.write(() => this.#claims.release(STEP, destinations));
      failed.push(...step.failed);
      freed += step.freed;
      if (step.freed < STEP) return { freed, failed };
    }
  }

  retry(deliveries: string[]): Promise<number> {
    return this.#each(deliveries, (id) => this.#claims.ask(id, 'retry'));
  }

  discard(deliveries: string[]): Promise<number> {
    return this.#each(deliveries, (id) => this.#claims.ask(id, 'discard'));
  }

  replay(deliveries: string[], { renew }: { renew: boolean }): Promise<number> {
    return this.#each(deliveries, (id) => this.#claims.ask(id, 'replay', renew));
  }

  async add(additions: Addition[]): Promise<number> {
    const now = clock(Date.now());
    return this.#each(additions, ({ event, destinations, renew, judged }) => {
      const id = numberOf(event, 'e') ?? 0;
      if (judged) {
        const { eventType, subject, study, state, reason, routes } = judged;
        this.#sql.judge.run(eventType, subject, study, state, reason ?? null, JSON.stringify(routes), id);
      }
      const made = [...new Set(destinations)].map((destination) =>
        Number(this.#sql.addDelivery.run(destination, now, renew ? 1 : 0, id).changes),
      );
      return made.reduce((sum, each) => sum + each, 0);
    });
  }

  async prune(request: PruneRequest): Promise<Pruned> {
    const step = pruneStep(request);
    if (request.dryRun) return this.#lists.prunable(step);
    return this.#commit.write(() => prune(this.#writer, step, clock(Date.now())));
  }

  /** Does something to each, at most a step of them in a commit. Gives how much that changed. */
  async #each<T>(things: T[], change: (thing: T) => number | boolean): Promise<number> {
    let changed = 0;
    for (let from = 0; from < things.length; from += STEP) {
      const some = things.slice(from, from + STEP);
      changed += await this.#commit.write(() => some.reduce((sum, each) => sum + Number(change(each)), 0));
    }
    return changed;
  }

  async nextDue(destination: string): Promise<number | undefined> {
    return this.#lists.nextDue(destination);
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

  /** A clock that was set back would let what waits wait for the same hour again: it is due at once instead. */
  async #catchUp(): Promise<void> {
    if (this.#catchingUp) return;
    this.#catchingUp = true;
    try {
      for (const { destination } of this.#lists.backlog()) await this.#letFlow(destination, () => {});
      await this.#commit.write(() => this.#clock.accept());
      this.#caughtUp = true;
    } catch {
      // Whoever asks next finds the clock still set back.
    } finally {
      this.#catchingUp = false;
    }
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
    for (let after = ''; ; ) {
      const last = await this.#commit.write(() => this.#renameReceipts(from, to, after));
      if (last === null) break;
      after = last;
    }
    await this.#commit.write(() => {
      this.#sql.copyLane.run(to, from);
      this.#sql.dropLane.run(from);
    });
    let moved = 0;
    for (let after = 0; ; ) {
      const step = await this.#commit.write(() => {
        const ids = this.#sql.deliveriesNamed.all(from, after, STEP) as { id: number }[];
        const last = ids.at(-1)?.id ?? after;
        return { found: ids.length, last, moved: Number(this.#sql.moveDeliveries.run(to, from, after, last).changes) };
      });
      moved += step.moved;
      after = step.last;
      if (step.found < STEP) return moved;
    }
  }

  /** A step through the ledger, whose rows stand by their subject. Gives where it ended, null at the ledger's end. */
  #renameReceipts(from: string, to: string, after: string): string | null {
    const { last } = this.#sql.ledgerStep.get(after, STEP) as { last: string | null };
    if (last !== null) {
      this.#sql.copyLedger.run({ from, to, after, last });
      this.#sql.dropLedger.run(after, last, from);
    }
    return last;
  }

  async pauseKey(key: string, ms: number): Promise<void> {
    await this.#commit.write(() => {
      const now = Date.now();
      this.#sql.dropKeys.run(clock(now - KEY_KEPT));
      this.#sql.pauseKey.run(key, clock(now + ms), clock(ms));
    });
  }

  async pausedKeys(): Promise<Map<string, number>> {
    return this.#lists.pausedKeys(Date.now());
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

  async event(id: string): Promise<StoredEvent | undefined> {
    return this.#lists.event(id);
  }

  /** By the connection that writes: it has just had the pages in hand, and the other one reads them anew after each commit. */
  async packed(events: string[]): Promise<Map<string, Packed>> {
    const found = new Map<string, Packed>();
    try {
      for (const id of events) {
        const row = this.#sql.packed.get(numberOf(id, 'e') ?? 0) as Packed | undefined;
        if (row) found.set(id, { ...row });
      }
    } catch (error) {
      throw readError(error);
    }
    return found;
  }

  async delivery(id: string): Promise<DeliveryRecord | undefined> {
    return this.#lists.delivery(id);
  }

  async backlog(): Promise<Backlog[]> {
    return this.#lists.backlog();
  }

  watch(changed: () => void): void {
    this.#watching ??= setInterval(() => {
      try {
        if (this.changedElsewhere()) changed();
      } catch {
        // Whoever writes or reads next hears why it cannot be read.
      }
    }, WATCH).unref();
  }

  /** True once after something else than this process's calls has changed the store. */
  changedElsewhere(): boolean {
    const found = this.#readDataVersion();
    const changed = found !== this.#dataVersion || this.#caughtUp;
    this.#dataVersion = found;
    this.#caughtUp = false;
    if (this.#clock.isSetBack) void this.#catchUp();
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
    clearInterval(this.#watching);
    await this.#commit.close();
    await this.#writeBack?.close();
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
