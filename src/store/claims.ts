import { randomUUID } from 'node:crypto';
import type { Receipt } from '../model.ts';
import type { BodilessClaim } from './bodies.ts';
import { APART, CLAIM_BYTES, CLAIM_LIMIT, STRIKES, STRUCK } from './limits.ts';
import { clock, type DeliveryRow, deliveryRecord, eventRecord, numberOf } from './rows.ts';
import type { Statements } from './statements.ts';
import type { ClaimRequest, Settlement } from './store.ts';

/** A delivery that is due, with its event and the last generation of its ledger. */
interface DueRow extends DeliveryRow {
  strikes: number;
  renew: number;
  source: string;
  svix_id: string;
  event_type: string;
  study: string;
  event_state: string;
  event_reason: string | null;
  received_at: number;
  routes: string;
  size: number;
  generation: number | null;
  origin: string;
  receipt: string | null;
  receipt_event: number;
  doubt: number | null;
  newer: number;
  elsewhere: number;
}

/** What a verb asks for while a delivery is under way. */
type Wish = 'retry' | 'replay' | 'discard';

/** How deliveries are claimed, and how claims end. Every method runs inside a transaction. */
export class Claims {
  readonly #sql: Statements;

  constructor(statements: Statements) {
    this.#sql = statements;
  }

  claim(request: ClaimRequest): BodilessClaim[] {
    return this.#due(request).map((due) => this.#take(due, request));
  }

  /** Which deliveries to claim. Walks the index in the order of due times and stops as soon as there are enough. */
  #due({ destination, target, now, limit, except }: ClaimRequest): DueRow[] {
    const busy = new Set(except);
    const most = Math.min(limit, CLAIM_LIMIT);
    const found: DueRow[] = [];
    if (most < 1) return found;
    let bytes = 0;
    const rows = this.#sql.due.iterate({ destination, target, now: clock(now) }) as Iterable<unknown>;
    for (const row of rows as Iterable<DueRow>) {
      if (busy.has(row.subject)) continue;
      // Should it crash the relay once more, it takes no other along.
      if (row.strikes === STRIKES - 1) {
        if (found.length === 0) return [row];
        continue;
      }
      bytes += row.size;
      if (found.length > 0 && bytes > CLAIM_BYTES) break;
      found.push(row);
      if (found.length === most) break;
      busy.add(row.subject);
    }
    return found;
  }

  #take(row: DueRow, { destination, target, now, standsAlone = false }: ClaimRequest): BodilessClaim {
    const token = `${row.id}-${randomUUID()}`;
    this.#sql.take.run(token, row.id);
    const delivery = deliveryRecord({ ...row, attempts: row.attempts + 1 });
    const { subject } = delivery;
    const last = row.generation ?? 0;
    const fresh = last === 0 || row.renew === 1;
    const generation = fresh ? last + 1 : last;
    const receipt = fresh || row.receipt === null ? undefined : (JSON.parse(row.receipt) as Receipt);
    // Until there is a receipt here: a look that the service refused must not be the last. A renewal wants none of it.
    const isFirst = generation === 1 && row.renew === 0 && receipt === undefined;
    const superseded = !fresh && !standsAlone && row.receipt_event > row.event;
    // One that is superseded makes no call.
    if (!superseded) {
      const entry = { destination, target, subject, generation, doubt: clock(now), event: row.event };
      if (fresh) this.#sql.begin.run(entry);
      else this.#sql.doubt.run(entry);
    }
    return {
      token,
      delivery,
      event: eventRecord({
        ...row,
        id: row.event,
        state: row.event_state,
        reason: row.event_reason,
        removed_at: null,
      }),
      identity: { destination: fresh ? destination : row.origin, subject, generation },
      receipt,
      earlier: generation === 1 ? [] : this.#earlier(subject, destination, target, generation),
      superseded,
      doubt: fresh || row.doubt === null ? undefined : { since: row.doubt, newer: !standsAlone && row.newer === 1 },
      elsewhere: isFirst && row.elsewhere === 1,
    };
  }

  #earlier(...generation: [subject: string, destination: string, target: string, before: number]): Receipt[] {
    const rows = this.#sql.earlier.all(...generation) as { receipt: string }[];
    return rows.map(({ receipt }) => JSON.parse(receipt) as Receipt);
  }

  checkpoint(token: string, target: string, receipt: Receipt): boolean {
    const id = deliveryOf(token);
    const kept = this.#sql.keepReceipt.run({ id, token, target, receipt: JSON.stringify(receipt) });
    return kept.changes === 1 && this.#sql.linkTo.run(receipt.url ?? null, id, token).changes === 1;
  }

  record(token: string, target: string, settlement: Settlement): boolean {
    const id = deliveryOf(token);
    const doubt = settlement.doubt === undefined ? null : clock(settlement.doubt);
    // The ledger first: it finds its row by the token, which the end takes away.
    if (settlement.state === 'delivered') {
      const receipt = JSON.stringify(settlement.receipt);
      if (this.#sql.arrive.run({ id, token, target, receipt, doubt }).changes !== 1) return false;
    } else this.#sql.settleDoubt.run({ id, token, target, doubt });
    const ended = this.#end(id, token, settlement) as { wish: Wish | null } | undefined;
    if (ended?.wish) this.#fulfil(id, ended.wish);
    return ended !== undefined;
  }

  #end(id: number, token: string, settlement: Settlement): unknown {
    if (settlement.state === 'delivered') {
      const { receipt, note } = settlement;
      return this.#sql.delivered.get(note?.detail ?? null, note?.fix ?? null, receipt.url ?? null, id, token);
    }
    const { reason, detail } = settlement;
    if (settlement.state === 'failed') return this.#sql.failed.get(reason, detail, settlement.fix, id, token);
    const { counted, nextAttemptAt, fix } = settlement;
    return this.#sql.pending.get({
      due: clock(nextAttemptAt),
      uncounted: counted ? 0 : 1,
      unsent: settlement.unsent ? 1 : 0,
      reason,
      detail,
      fix: fix ?? null,
      id,
      token,
    });
  }

  /** Frees `step` of them at most. Gives how many that were, and the ids of those that fail. */
  release(step: number, destinations?: readonly string[]): { freed: number; failed: string[] } {
    const lanes = destinations === undefined ? null : JSON.stringify(destinations);
    // What a person asked for meanwhile counts more than the strike.
    const wishes = this.#sql.underWayWith.all({ lanes, step }) as { id: number; wish: Wish }[];
    for (const { id, wish } of wishes) {
      this.#sql.free.run(id);
      this.#fulfil(id, wish);
    }
    const freed = this.#sql.release.all({
      lanes,
      strikes: STRIKES,
      now: clock(Date.now()),
      apart: APART,
      step: step - wishes.length,
      ...STRUCK,
    }) as { id: number; state: string }[];
    const failed = freed.filter(({ state }) => state === 'failed').map(({ id }) => `d${id}`);
    return { freed: wishes.length + freed.length, failed };
  }

  #fulfil(id: number, wish: Wish): void {
    const done = this.#now(id, wish, false);
    if (!done) this.#sql.forgetWish.run(id);
  }

  /** Does what a verb asks, or leaves it as a wish while the delivery is under way. Gives whether that changed anything. */
  ask(delivery: string, wish: Wish, renew = false): boolean {
    const id = numberOf(delivery, 'd');
    if (id === undefined) return false;
    const left = this.#sql.wish.run({ id, wish, renew: renew ? 1 : 0 });
    return left.changes === 1 || this.#now(id, wish, renew);
  }

  #now(id: number, wish: Wish, renew: boolean): boolean {
    const now = clock(Date.now());
    if (wish === 'discard') return this.#sql.discard.run(id).changes === 1;
    if (wish === 'retry') return this.#sql.retry.run(now, id).changes === 1;
    return this.#sql.replay.run(now, renew ? 1 : 0, id).changes === 1;
  }
}

/** The number that a token begins with: that of its delivery. 0, which none has, when it is no token. */
function deliveryOf(token: string): number {
  return Number.parseInt(token, 10) || 0;
}
