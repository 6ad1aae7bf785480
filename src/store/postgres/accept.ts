import { RelayError } from '../../errors.ts';
import type { CommitOptions } from '../commit.ts';
import { cannotKeepUp, WAITING, WAITING_BYTES } from '../limits.ts';
import { packBody } from '../packing.ts';
import { clock } from '../rows.ts';
import type { Accepted, NewEvent } from '../store.ts';
import { closedError, type Database } from './database.ts';
import { answerWithin } from './deadline.ts';
import { toDatabase, toKey } from './text.ts';

/** The most events, and bytes of their packed bodies, of one statement; at least one event. */
const MOST_EVENTS = 500;
const MOST_BYTES = 16_000_000;
/** Statements under way at a time: while one waits for the disk, the next can be on its way. */
const AT_A_TIME = 3;
/** Milliseconds after which an event counts as not stored: Svix waits for 15 s. Stored after all, its retry is a duplicate. */
const DEADLINE = 8_000;

interface Waiting {
  event: NewEvent;
  packed: Buffer;
  /** What it holds in memory, bytes. */
  bytes: number;
  resolve(accepted: Accepted): void;
  reject(error: unknown): void;
}

/**
 * Numbers come first, in the order of acceptance; rows go in by svix-id, so that two replicas that were sent the same
 * events never wait for each other in a circle. What another has stored meanwhile is left out.
 */
const INSERT = `
  WITH given AS MATERIALIZED (
    SELECT nextval('event_id_seq') AS id, g.* FROM (
      SELECT * FROM json_to_recordset($1) AS g (
        n integer, source text, svix_id text, event_type text, subject text, study text, state text, reason text,
        received_at bigint, routes jsonb, size integer, destinations json, at integer, length integer)
      ORDER BY n) AS g),
  stored AS (
    INSERT INTO event (id, source, svix_id, event_type, subject, study, state, reason, received_at, routes, size)
    SELECT id, source, svix_id, event_type, subject, study, state, reason, received_at, routes, size
    FROM given ORDER BY source COLLATE "C", svix_id COLLATE "C"
    ON CONFLICT (source, svix_id) DO NOTHING RETURNING id),
  bodies AS (
    INSERT INTO body SELECT id, substring($2::bytea FROM at + 1 FOR length) FROM given JOIN stored USING (id)),
  deliveries AS (
    INSERT INTO delivery (event, destination, subject, due_at)
    SELECT id, d.name, subject, received_at FROM given JOIN stored USING (id)
    CROSS JOIN LATERAL json_array_elements_text(destinations) WITH ORDINALITY AS d (name, n) ORDER BY id, d.n)
  SELECT n, id FROM given JOIN stored USING (id)`;

const KNOWN = `
  SELECT g.n, e.id, (SELECT count(*) FROM delivery WHERE event = e.id) AS deliveries
  FROM json_to_recordset($1) AS g (n integer, source text, svix_id text)
  JOIN event e ON e.source = g.source AND e.svix_id = g.svix_id`;

/** Receiving: what one turn of the event loop queues shares a statement, which is a transaction. */
export class Accepting {
  readonly #database: Database;
  readonly #before: () => Promise<void>;
  readonly #stored: (event: NewEvent, id: string) => void;
  readonly #maxWaiting: number;
  readonly #maxBytes: number;
  #waiting: Waiting[] = [];
  /** Events that wait or are under way, and what they hold in memory. */
  #count = 0;
  #bytes = 0;
  readonly #underWay = new Set<Promise<void>>();
  #scheduled = false;
  #closed = false;

  /**
   * @param hooks.before runs before each statement
   * @param hooks.stored is told of each new event
   */
  constructor(
    database: Database,
    options: CommitOptions,
    hooks: { before: () => Promise<void>; stored: (event: NewEvent, id: string) => void },
  ) {
    this.#database = database;
    this.#before = hooks.before;
    this.#stored = hooks.stored;
    this.#maxWaiting = options.maxWaiting ?? WAITING;
    this.#maxBytes = options.maxBytes ?? WAITING_BYTES;
  }

  async accept(event: NewEvent): Promise<Accepted> {
    if (this.#closed) throw closedError();
    const packed = packBody(event.body);
    const bytes = packed.length + event.body.length;
    if (this.#count >= this.#maxWaiting || this.#bytes + bytes > this.#maxBytes) {
      throw cannotKeepUp(this.#count, 'Look at the database: it is slow, or cannot be reached.');
    }
    this.#count += 1;
    this.#bytes += bytes;
    const stored = new Promise<Accepted>((resolve, reject) => {
      this.#waiting.push({ event, packed, bytes, resolve, reject });
      this.#schedule();
    }).finally(() => {
      this.#count -= 1;
      this.#bytes -= bytes;
    });
    return answerWithin(DEADLINE, stored);
  }

  /** Ends the writes that wait, and takes no more. */
  async close(): Promise<void> {
    this.#closed = true;
    while (this.#waiting.length > 0 || this.#underWay.size > 0) {
      this.#flush();
      await Promise.all(this.#underWay);
    }
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    while (this.#waiting.length > 0 && this.#underWay.size < AT_A_TIME) {
      const group = this.#takeGroup();
      const end = this.#store(group).finally(() => {
        this.#underWay.delete(end);
        this.#flush();
      });
      this.#underWay.add(end);
    }
  }

  #takeGroup(): Waiting[] {
    let bytes = 0;
    const full = this.#waiting.findIndex(({ packed }, index) => {
      bytes += packed.length;
      return index > 0 && (index >= MOST_EVENTS || bytes > MOST_BYTES);
    });
    return this.#waiting.splice(0, full === -1 ? this.#waiting.length : full);
  }

  /** Never rejects: tells each how it ended. */
  async #store(group: Waiting[]): Promise<void> {
    const same = [...Map.groupBy(group, ({ event }) => JSON.stringify([event.source, event.svixId])).values()];
    const firsts = same.map(([first]) => first as Waiting);
    try {
      await this.#before();
      const accepted = await this.#write(firsts);
      for (const [index, waiting] of same.entries()) {
        const first = accepted[index] as Accepted;
        for (const [position, { resolve }] of waiting.entries()) {
          resolve({ ...first, duplicate: first.duplicate || position > 0 });
        }
      }
    } catch (error) {
      if (error instanceof RelayError || group.length === 1) for (const { reject } of group) reject(error);
      // What cannot be stored takes nothing with it.
      else for (const each of group) await this.#store([each]);
    }
  }

  async #write(group: Waiting[]): Promise<Accepted[]> {
    let at = 0;
    const given = group.map(({ event, packed }, n) => {
      const row = {
        n,
        source: toDatabase(event.source),
        svix_id: toKey(event.svixId),
        event_type: toDatabase(event.eventType),
        subject: toKey(event.subject),
        study: toKey(event.study),
        state: event.state,
        reason: event.reason === undefined ? null : toDatabase(event.reason),
        received_at: clock(event.receivedAt),
        routes: event.routes.map(toDatabase),
        size: event.body.length,
        destinations: [...new Set(event.destinations)].map((name) => name && toDatabase(name)),
        at,
        length: packed.length,
      };
      at += packed.length;
      return row;
    });
    const values = [JSON.stringify(given), Buffer.concat(group.map(({ packed }) => packed))];
    const stored = await this.#database.write<{ n: number; id: number }>({ name: 'accept', text: INSERT, values });
    const accepted: (Accepted | undefined)[] = [];
    for (const { n, id } of stored) {
      accepted[n] = { id: `e${id}`, duplicate: false, deliveries: given[n]?.destinations.length ?? 0, claims: [] };
      this.#stored((group[n] as Waiting).event, `e${id}`);
    }
    const known = given.filter(({ n }) => accepted[n] === undefined);
    if (known.length > 0) {
      // Only now can they be seen: the insertion waited for whoever was storing them.
      const keys = JSON.stringify(known.map(({ n, source, svix_id }) => ({ n, source, svix_id })));
      const rows = await this.#database.write<{ n: number; id: number; deliveries: number }>({
        text: KNOWN,
        values: [keys],
      });
      for (const { n, id, deliveries } of rows) accepted[n] = { id: `e${id}`, duplicate: true, deliveries, claims: [] };
    }
    return accepted as Accepted[];
  }
}
