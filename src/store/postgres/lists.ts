import type { DeliveryRecord, EventRecord } from '../../model.ts';
import type { Packed } from '../bodies.ts';
import { pageBefore, pageSize } from '../pages.ts';
import { clock, DELIVERY, EVENT, numberOf, withBody } from '../rows.ts';
import type { Backlog, DeliveryFilter, EventFilter, LaneRecord, PageRequest, StoredEvent } from '../store.ts';
import type { Database } from './database.ts';
import { type DeliveryRow, deliveryRecord, type EventRow, eventRecord, type LaneRow, laneRecord } from './rows.ts';
import { fromDatabase, toDatabase, toKey } from './text.ts';

/** Conditions of a WHERE, with their values in order; `$` in a condition is its value's place. */
class Where {
  readonly #conditions: string[] = ['true'];
  readonly values: unknown[] = [];

  and(condition: string, value: unknown): void {
    if (value === undefined) return;
    this.values.push(value);
    this.#conditions.push(condition.replace('$', `$${this.values.length}`));
  }

  /** A state, with the condition of the partial index of the uncommon ones: it serves only a query that repeats it. */
  andState(column: string, state: string | undefined, common: string): void {
    this.and(`${column} = $`, state);
    if (state !== undefined && state !== common) this.#conditions.push(`${column} <> '${common}'`);
  }

  toString(): string {
    return this.#conditions.join(' AND ');
  }
}

/** The reading half of the store: lists, pages, and single rows. */
export class Lists {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async events(filter: EventFilter, page: PageRequest): Promise<EventRecord[]> {
    const where = eventWhere(filter);
    where.andState('e.state', filter.state, 'routed');
    const destination = optional(filter.destination);
    where.and('EXISTS (SELECT 1 FROM delivery d WHERE d.event = e.id AND d.destination = $)', destination);
    where.and('e.id < $', pageBefore(page, 'e'));
    const sql = `SELECT ${EVENT} FROM event e WHERE ${where} ORDER BY e.id DESC LIMIT ${pageSize(page)}`;
    return (await this.#all<EventRow>(sql, where.values)).map(eventRecord);
  }

  async deliveries(filter: DeliveryFilter, page: PageRequest): Promise<DeliveryRecord[]> {
    if (filter.destinations?.length === 0) return [];
    const where = eventWhere(filter);
    where.andState('d.state', filter.state, 'delivered');
    where.and('d.destination = $', optional(filter.destination));
    where.and('d.destination = ANY($::text[])', filter.destinations?.map(toDatabase));
    where.and('d.id < $', pageBefore(page, 'd'));
    const sql = `
      SELECT ${DELIVERY} FROM delivery d JOIN event e ON e.id = d.event WHERE ${where} ORDER BY d.id DESC LIMIT ${pageSize(page)}`;
    return (await this.#all<DeliveryRow>(sql, where.values)).map(deliveryRecord);
  }

  async deliveriesOf(events: string[]): Promise<Map<string, DeliveryRecord[]>> {
    const found = new Map<string, DeliveryRecord[]>(events.map((id) => [id, []]));
    const numbers = events.map((id) => numberOf(id, 'e')).filter((number) => number !== undefined);
    const sql = `SELECT ${DELIVERY} FROM delivery d WHERE d.event = ANY($1::bigint[]) ORDER BY d.id`;
    for (const row of await this.#all<DeliveryRow>(sql, [numbers])) {
      const delivery = deliveryRecord(row);
      found.get(delivery.event)?.push(delivery);
    }
    return found;
  }

  async event(id: string): Promise<StoredEvent | undefined> {
    const number = numberOf(id, 'e');
    if (number === undefined) return undefined;
    const sql = `SELECT ${EVENT}, b.zstd FROM event e LEFT JOIN body b ON b.event = e.id WHERE e.id = $1`;
    const [row] = await this.#all<EventRow & { zstd: Buffer | null }>(sql, [number]);
    return row && withBody(eventRecord(row), row.zstd);
  }

  /** `IS TRUE` keeps the planner from the indexes of what waits, which have no event in front: a backlog would be walked for each. */
  async packed(events: string[]): Promise<Map<string, Packed>> {
    const sql = `
      SELECT e.id AS event, b.zstd, e.size, (
        SELECT count(*) FROM delivery d WHERE d.event = e.id AND (d.state = 'pending' AND d.token IS NULL) IS TRUE
      )::integer AS wanted FROM event e JOIN body b ON b.event = e.id WHERE e.id = ANY($1::bigint[])`;
    const rows = await this.#all<Packed & { event: number }>(sql, [events.map((id) => numberOf(id, 'e'))]);
    return new Map(rows.map(({ event, ...packed }) => [`e${event}`, packed]));
  }

  async delivery(id: string): Promise<DeliveryRecord | undefined> {
    const number = numberOf(id, 'd');
    if (number === undefined) return undefined;
    const [row] = await this.#all<DeliveryRow>(`SELECT ${DELIVERY} FROM delivery d WHERE d.id = $1`, [number]);
    return row && deliveryRecord(row);
  }

  /** Takes no longer when a million deliveries are pending: triggers keep the counts, an index knows the oldest. */
  async backlog(): Promise<Backlog[]> {
    const sql = `
      SELECT b.destination, b.pending, e.received_at AS oldest
      FROM (SELECT destination, sum(pending)::bigint AS pending FROM backlog GROUP BY destination) b
      CROSS JOIN LATERAL (
        SELECT event FROM delivery d WHERE d.destination = b.destination AND d.state = 'pending' ORDER BY event LIMIT 1) d
      JOIN event e ON e.id = d.event
      WHERE b.pending > 0 ORDER BY b.destination`;
    const rows = await this.#all<Backlog>(sql, []);
    return rows.map((row) => ({ ...row, destination: fromDatabase(row.destination) }));
  }

  async nextDue(destination: string): Promise<number | undefined> {
    const sql = `
      SELECT due_at FROM delivery WHERE destination = $1 AND state = 'pending' AND token IS NULL ORDER BY due_at LIMIT 1`;
    const [row] = await this.#all<{ due_at: number }>(sql, [toDatabase(destination)]);
    return row?.due_at;
  }

  async lanes(): Promise<LaneRecord[]> {
    return (await this.#all<LaneRow>('SELECT * FROM lane ORDER BY destination', [])).map(laneRecord);
  }

  async pausedKeys(now: number): Promise<Map<string, number>> {
    const sql = 'SELECT key, until, length FROM paused_key WHERE until > $1';
    const rows = await this.#all<{ key: string; until: number; length: number }>(sql, [clock(now)]);
    return new Map(rows.map(({ key, until, length }) => [fromDatabase(key), Math.min(until - now, length)]));
  }

  /** Planned each time: which index serves best goes by the values. */
  #all<Row extends object>(text: string, values: unknown[]): Promise<Row[]> {
    return this.#database.read<Row>({ text, values });
  }
}

/** What events and deliveries are filtered by alike, on the event. */
function eventWhere(filter: Omit<EventFilter, 'state'>): Where {
  const where = new Where();
  where.and('e.study = $', optional(filter.study, toKey));
  where.and('e.subject = $', optional(filter.interview, toKey));
  where.and('e.routes ? $::text', optional(filter.route));
  where.and('e.received_at >= $', filter.since === undefined ? undefined : clock(filter.since));
  where.and('e.received_at < $', filter.until === undefined ? undefined : clock(filter.until));
  return where;
}

function optional(text: string | undefined, to = toDatabase): string | undefined {
  return text === undefined ? undefined : to(text);
}
