import { setTimeout as wait } from 'node:timers/promises';
import { RelayError } from '../errors.ts';
import type { DeliveryRecord, EventRecord, Receipt } from '../model.ts';
import type { Bodies } from './bodies.ts';
import type { CommitOptions } from './commit.ts';
import { KEY_KEPT, STEP } from './limits.ts';
import { Accepting } from './postgres/accept.ts';
import type { Database, Statement } from './postgres/database.ts';
import { answerWithin } from './postgres/deadline.ts';
import { flowStep, haltStatement, pauseStatement } from './postgres/flow.ts';
import { Lists } from './postgres/lists.ts';
import type { Notices } from './postgres/notices.ts';
import type { OwnLanes } from './postgres/own-lanes.ts';
import { findPrunable, prune } from './postgres/prune.ts';
import { releaseAt, releaseLost, releaseUnserved } from './postgres/release.ts';
import { rename } from './postgres/rename.ts';
import { SharedClock } from './postgres/shared-clock.ts';
import { toDatabase } from './postgres/text.ts';
import { Verbs } from './postgres/verbs.ts';
import { pruneStep } from './prune.ts';
import { clock } from './rows.ts';
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
  PageRequest,
  Pruned,
  PruneRequest,
  Settlement,
  Store,
  StoredEvent,
} from './store.ts';

/** Milliseconds between two looks at the clock. */
const WATCH = 1_000;
/** So many of them until everything is looked at anew: what a notice should have told, but did not. */
const LOOK = 5;
/** Milliseconds between two times that the rows of the backlog are folded, and the most of one time. */
const FOLD = 2_000;
const FOLDED = 20_000;
/** Milliseconds that closing waits for connections that do not come back. */
const LAST = 5_000;
/** Milliseconds within which a database that can commit says so. */
const PING = 2_000;

const FOLD_SQL = `
  WITH gone AS (
    DELETE FROM backlog WHERE ctid = ANY (ARRAY (SELECT ctid FROM backlog LIMIT ${FOLDED} FOR UPDATE SKIP LOCKED))
    RETURNING destination, pending),
  folded AS (
    INSERT INTO backlog SELECT destination, sum(pending) FROM gone GROUP BY destination HAVING sum(pending) <> 0)
  SELECT count(*) FROM gone`;

/** What a store is made of. It closes all of them. */
export interface PostgresParts {
  database: Database;
  notices: Notices;
  /** Of a process that serves the store. */
  lanes: OwnLanes | undefined;
  /** Where what was accepted is kept for the lanes. */
  bodies?: Bodies;
  /** Runs when nothing is under way any more, while statements can still be made. */
  leave?: () => Promise<void>;
}

/** The store in a PostgreSQL database, which any number of processes may have open. See migrations/postgres for its tables. */
export class PostgresStore implements Store {
  readonly takesOffers = false;
  readonly #database: Database;
  readonly #notices: Notices;
  readonly #lanes: OwnLanes | undefined;
  readonly #leave: () => Promise<void>;
  readonly #accepting: Accepting;
  readonly #lists: Lists;
  readonly #verbs: Verbs;
  readonly #clock: SharedClock;
  readonly #timers: NodeJS.Timeout[] = [];
  #catchingUp: Promise<boolean> | undefined;
  #closed: Promise<void> | undefined;

  constructor(
    { database, notices, lanes, bodies, leave = async () => {} }: PostgresParts,
    options: CommitOptions = {},
  ) {
    this.#database = database;
    this.#notices = notices;
    this.#lanes = lanes;
    this.#leave = leave;
    this.#clock = new SharedClock(database);
    this.#lists = new Lists(database);
    this.#verbs = new Verbs(database);
    this.#accepting = new Accepting(database, options, {
      before: () => this.#clock.note(),
      stored: (event, id) => {
        bodies?.keep(id, event.body, new Set(event.destinations).size);
        this.#notices.tell(event.destinations);
      },
    });
    if (lanes) this.#timers.push(setInterval(() => void this.#fold().catch(() => {}), FOLD).unref());
  }

  accept(event: NewEvent): Promise<Accepted> {
    return this.#accepting.accept(event);
  }

  async claim(request: ClaimRequest): Promise<Claim[]> {
    if (!this.#lanes) throw new RelayError('RELAY_STORE_BUSY', 'this process serves no lanes');
    await this.#clock.note();
    return this.#lanes.claim(request);
  }

  async checkpoint(token: string, target: string, receipt: Receipt): Promise<boolean> {
    return this.#lanes?.checkpoint(token, target, receipt) ?? false;
  }

  async record(token: string, target: string, settlement: Settlement): Promise<boolean> {
    return this.#lanes?.record(token, target, settlement) ?? false;
  }

  async release(destinations?: readonly string[]): Promise<{ freed: number; failed: string[] }> {
    await this.#clock.start();
    if (this.#clock.isSetBack) await this.#catchUp();
    const lanes = this.#lanes;
    const own = destinations?.filter((destination) => lanes?.has(destination));
    if (own?.length === 0) return { freed: 0, failed: [] };
    if (lanes) {
      const run: OwnLanes['run'] = (...work) => lanes.run(...work);
      const survived = await releaseLost(lanes);
      const { freed, failed } = own ? await releaseAt(own, run) : await releaseUnserved(run, (lane) => lanes.has(lane));
      return { freed: survived + freed, failed };
    }
    return this.#database.session((client) =>
      releaseUnserved(async (statement) => (await client.query<Record<string, unknown>>(statement)).rows),
    );
  }

  retry(deliveries: string[]): Promise<number> {
    return this.#telling(this.#verbs.ask(deliveries, 'retry'));
  }

  discard(deliveries: string[]): Promise<number> {
    return this.#telling(this.#verbs.ask(deliveries, 'discard'));
  }

  replay(deliveries: string[], { renew }: { renew: boolean }): Promise<number> {
    return this.#telling(this.#verbs.ask(deliveries, 'replay', renew));
  }

  add(additions: Addition[]): Promise<number> {
    return this.#telling(this.#verbs.add(additions));
  }

  async prune(request: PruneRequest): Promise<Pruned | undefined> {
    const step = pruneStep(request);
    if (request.dryRun) return findPrunable(this.#database, step);
    return prune(this.#database, step, clock(Date.now()));
  }

  /** Whatever a verb has done, or done a part of, the other processes are to look. */
  async #telling<T>(done: Promise<T>): Promise<T> {
    try {
      return await done;
    } finally {
      this.#notices.tell();
    }
  }

  nextDue(destination: string): Promise<number | undefined> {
    return this.#lists.nextDue(destination);
  }

  lanes(): Promise<LaneRecord[]> {
    return this.#lists.lanes();
  }

  async setPaused(destination: string, paused: boolean): Promise<void> {
    await this.#telling<unknown>(
      paused ? this.#database.write(pauseStatement(destination)) : this.#letFlow(destination, 'resume'),
    );
  }

  /** What a lane of this process finds out goes the way of its records; what a person says, over any connection. */
  async setHalt(destination: string, halt: Halt | undefined): Promise<void> {
    const lanes = this.#lanes?.has(destination) ? this.#lanes : undefined;
    const run = (statement: Statement) => (lanes ? lanes.run(statement) : this.#database.write(statement));
    await this.#telling<unknown>(
      halt ? run(haltStatement(destination, halt)) : this.#letFlow(destination, 'unhalt', run),
    );
  }

  async #letFlow(
    destination: string,
    last: Parameters<typeof flowStep>[1],
    run: (statement: Statement) => Promise<object[]> = (statement) => this.#database.write(statement),
  ): Promise<void> {
    for (;;) {
      const [row] = (await run(flowStep(destination, last))) as { count: number }[];
      if ((row?.count ?? 0) < STEP) return;
    }
  }

  /** A clock that was set back would let what waits wait for the same hour again: it is due at once instead. */
  #catchUp(): Promise<boolean> {
    this.#catchingUp ??= this.#makeAllDue()
      .then(
        () => true,
        // Whoever looks next finds the clock still set back.
        () => false,
      )
      .finally(() => {
        this.#catchingUp = undefined;
      });
    return this.#catchingUp;
  }

  async #makeAllDue(): Promise<void> {
    for (const { destination } of await this.#lists.backlog()) await this.#letFlow(destination, 'nothing');
    await this.#clock.accept();
    this.#notices.tell();
  }

  rename(from: string, to: string): Promise<number> {
    return from === to ? Promise.resolve(0) : this.#telling(rename(this.#database, from, to));
  }

  async pauseKey(key: string, ms: number): Promise<void> {
    const now = Date.now();
    const text = `
      WITH gone AS (DELETE FROM paused_key WHERE until <= $1 AND key <> $2)
      INSERT INTO paused_key (key, until, length) VALUES ($2, $3, $4)
      ON CONFLICT (key) DO UPDATE SET until = excluded.until, length = excluded.length
      WHERE excluded.until > paused_key.until`;
    const values = [clock(now - KEY_KEPT), toDatabase(key), clock(now + ms), clock(ms)];
    await this.#database.write({ text, values });
  }

  pausedKeys(): Promise<Map<string, number>> {
    return this.#lists.pausedKeys(Date.now());
  }

  events(filter: EventFilter, page: PageRequest): Promise<EventRecord[]> {
    return this.#lists.events(filter, page);
  }

  deliveries(filter: DeliveryFilter, page: PageRequest): Promise<DeliveryRecord[]> {
    return this.#lists.deliveries(filter, page);
  }

  deliveriesOf(events: string[]): Promise<Map<string, DeliveryRecord[]>> {
    return this.#lists.deliveriesOf(events);
  }

  event(id: string): Promise<StoredEvent | undefined> {
    return this.#lists.event(id);
  }

  delivery(id: string): Promise<DeliveryRecord | undefined> {
    return this.#lists.delivery(id);
  }

  backlog(): Promise<Backlog[]> {
    return this.#lists.backlog();
  }

  /** Notices tell it at once; looking now and then finds what none told. */
  watch(changed: (destinations?: readonly string[]) => void): void {
    if (this.#closed) return;
    this.#notices.listen(changed);
    let looks = 0;
    const look = async () => {
      looks += 1;
      const caughtUp = this.#clock.isSetBack && (await this.#catchUp());
      if ((caughtUp || looks % LOOK === 0) && !this.#closed) changed();
    };
    this.#timers.push(setInterval(() => void look().catch(() => {}), WATCH).unref());
  }

  async #fold(): Promise<void> {
    for (;;) {
      const [row] = await this.#database.write<{ count: number }>({ text: FOLD_SQL });
      if ((row?.count ?? 0) < FOLDED) return;
    }
  }

  async ping(): Promise<void> {
    await answerWithin(PING, this.#database.write({ text: 'UPDATE ping SET count = count + 1', query_timeout: PING }));
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await this.#accepting.close();
    await this.#lanes?.close();
    await this.#leave();
    await this.#notices.close();
    await Promise.race([this.#database.close(), wait(LAST, undefined, { ref: false })]);
  }
}
