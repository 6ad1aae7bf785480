import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import type { DeliveryRecord, EventRecord } from '../model.ts';
import { readError } from './database.ts';
import { pageBefore, pageSize } from './pages.ts';
import { findPrunable, type PruneStep } from './prune.ts';
import {
  clock,
  DELIVERY,
  type DeliveryRow,
  deliveryRecord,
  EVENT,
  type EventRow,
  eventRecord,
  type LaneRow,
  laneRecord,
  numberOf,
  withBody,
} from './rows.ts';
import type { Backlog, DeliveryFilter, EventFilter, LaneRecord, PageRequest, Pruned, StoredEvent } from './store.ts';

/** Conditions of a WHERE, with their values in order. */
class Where {
  readonly #conditions: string[] = ['1'];
  readonly values: SQLInputValue[] = [];

  and(condition: string, value: SQLInputValue | undefined): void {
    if (value === undefined) return;
    this.#conditions.push(condition);
    this.values.push(value);
  }

  /** A state, with the condition of the partial index of the uncommon ones: it serves only a query that repeats it. */
  andState(column: string, state: string | undefined, common: string): void {
    this.and(`${column} = ?`, state);
    if (state !== undefined && state !== common) this.#conditions.push(`${column} <> '${common}'`);
  }

  toString(): string {
    return this.#conditions.join(' AND ');
  }
}

/** The reading half of the store, on a connection of its own: lists, pages, and single rows. */
export class Lists {
  readonly #database: DatabaseSync;
  /** Statements by their text: a filter has few shapes. */
  readonly #statements = new Map<string, StatementSync>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  events(filter: EventFilter, page: PageRequest): EventRecord[] {
    const where = eventWhere(filter);
    where.andState('e.state', filter.state, 'routed');
    where.and('EXISTS (SELECT 1 FROM delivery d WHERE d.event = e.id AND d.destination = ?)', filter.destination);
    where.and('e.id < ?', pageBefore(page, 'e'));
    const sql = `SELECT ${EVENT} FROM event e WHERE ${where} ORDER BY e.id DESC LIMIT ?`;
    return this.#all<EventRow>(sql, ...where.values, pageSize(page)).map(eventRecord);
  }

  deliveries(filter: DeliveryFilter, page: PageRequest): DeliveryRecord[] {
    if (filter.destinations?.length === 0) return [];
    const where = eventWhere(filter);
    where.andState('d.state', filter.state, 'delivered');
    where.and('d.destination = ?', filter.destination);
    where.and('d.destination IN (SELECT value FROM json_each(?))', json(filter.destinations));
    where.and('d.id < ?', pageBefore(page, 'd'));
    const sql = `SELECT ${DELIVERY} FROM delivery d JOIN event e ON e.id = d.event WHERE ${where} ORDER BY d.id DESC LIMIT ?`;
    return this.#all<DeliveryRow>(sql, ...where.values, pageSize(page)).map(deliveryRecord);
  }

  deliveriesOf(events: string[]): Map<string, DeliveryRecord[]> {
    const found = new Map<string, DeliveryRecord[]>(events.map((id) => [id, []]));
    const numbers = events.map((id) => numberOf(id, 'e')).filter((number) => number !== undefined);
    const sql = `SELECT ${DELIVERY} FROM delivery d WHERE d.event IN (SELECT value FROM json_each(?)) ORDER BY d.id`;
    for (const row of this.#all<DeliveryRow>(sql, JSON.stringify(numbers))) {
      const delivery = deliveryRecord(row);
      found.get(delivery.event)?.push(delivery);
    }
    return found;
  }

  event(id: string): StoredEvent | undefined {
    const number = numberOf(id, 'e');
    if (number === undefined) return undefined;
    const sql = `SELECT ${EVENT}, b.zstd FROM event e LEFT JOIN body b ON b.event = e.id WHERE e.id = ?`;
    const row = this.#get<EventRow & { zstd: Uint8Array | null }>(sql, number);
    return row && withBody(eventRecord(row), row.zstd);
  }

  delivery(id: string): DeliveryRecord | undefined {
    const number = numberOf(id, 'd');
    if (number === undefined) return undefined;
    const row = this.#get<DeliveryRow>(`SELECT ${DELIVERY} FROM delivery d WHERE d.id = ?`, number);
    return row && deliveryRecord(row);
  }

  /** Takes no longer when a million deliveries are pending: triggers keep the counts, an index knows the oldest. */
  backlog(): Backlog[] {
    const sql = `
      SELECT b.destination, b.pending, e.received_at AS oldest FROM backlog b JOIN event e
        ON e.id = (SELECT min(event) FROM delivery d WHERE d.destination = b.destination AND d.state = 'pending')
      WHERE b.pending > 0 ORDER BY b.destination`;
    return this.#all<Backlog>(sql).map((row) => ({ ...row }));
  }

  nextDue(destination: string): number | undefined {
    const sql = `
      SELECT due_at FROM delivery WHERE destination = ? AND state = 'pending' AND token IS NULL ORDER BY due_at LIMIT 1`;
    return this.#get<{ due_at: number }>(sql, destination)?.due_at;
  }

  /** What a step of pruning would remove. */
  prunable(step: PruneStep): Pruned {
    try {
      return findPrunable(this.#database, step);
    } catch (error) {
      throw readError(error);
    }
  }

  lanes(): LaneRecord[] {
    return this.#all<LaneRow>('SELECT * FROM lane ORDER BY destination').map(laneRecord);
  }

  pausedKeys(now: number): Map<string, number> {
    const sql = 'SELECT key, until, length FROM paused_key WHERE until > ?';
    const rows = this.#all<{ key: string; until: number; length: number }>(sql, clock(now));
    return new Map(rows.map(({ key, until, length }) => [key, Math.min(until - now, length)]));
  }

  #all<Row>(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#read(sql, (statement) => statement.all(...values) as Row[]);
  }

  #get<Row>(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#read(sql, (statement) => statement.get(...values) as Row | undefined);
  }

  #read<T>(sql: string, run: (statement: StatementSync) => T): T {
    try {
      const statement = this.#statements.get(sql) ?? this.#database.prepare(sql);
      this.#statements.set(sql, statement);
      return run(statement);
    } catch (error) {
      throw readError(error);
    }
  }
}

/** What events and deliveries are filtered by alike, on the event. */
function eventWhere(filter: Omit<EventFilter, 'state'>): Where {
  const where = new Where();
  where.and('e.study = ?', filter.study);
  where.and('e.subject = ?', filter.interview);
  where.and('EXISTS (SELECT 1 FROM json_each(e.routes) WHERE value = ?)', filter.route);
  where.and('e.received_at >= ?', filter.since === undefined ? undefined : clock(filter.since));
  where.and('e.received_at < ?', filter.until === undefined ? undefined : clock(filter.until));
  return where;
}

function json(value: unknown): string | undefined {
  return value === undefined ? undefined : JSON.stringify(value);
}
