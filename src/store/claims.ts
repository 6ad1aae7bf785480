import { randomUUID } from 'node:crypto';
import type { Receipt } from '../model.ts';
import type { BodilessClaim } from './bodies.ts';
import { APART, CLAIM_BYTES, CLAIM_LIMIT, STRIKES, STRUCK } from './limits.ts';
import { clock, type DeliveryRow, deliveryRecord, type EventRow, eventRecord, numberOf } from './rows.ts';
import type { Statements } from './statements.ts';
import type { ClaimRequest, Settlement } from './store.ts';

/** A delivery that is due. */
interface Due {
  id: number;
  renew: number;
}

/** A delivery's event, with the last generation of its ledger. */
type TakenRow = EventRow & {
  generation: number | null;
  origin: string;
  receipt: string | null;
  receipt_event: number;
  doubt: number | null;
  newer: number;
};

/** What a verb asks for while a delivery is under way. */
type Wish = 'retry' | 'replay' | 'discard';

/** How deliveries are claimed, and how claims end. Every method runs inside a transaction. */
export class Claims {
  readonly #sql: Statements;

  constructor(statements: Statements) {
    this.#sql = statements;
  }

  claim(request: ClaimRequest): BodilessClaim[] {
    this.#sql.noteTarget.run(request.destination, request.target);
    return this.#due(request).map((due) => this.#take(due, request));
  }

  /** Which deliveries to claim. Walks the index in the order of due times and stops as soon as there are enough. */
  #due({ destination, now, limit, except }: ClaimRequest): Due[] {
    const busy = new Set(except);
    for (const row of this.#sql.underWay.all(destination)) busy.add(row.subject as string);
    const most = Math.min(limit, CLAIM_LIMIT);
    const found: Due[] = [];
    let bytes = 0;
    const rows = this.#sql.due.iterate(destination, clock(now)) as Iterable<
      Due & { subject: string; size: number; strikes: number }
    >;
    for (const { id, subject, size, renew, strikes } of rows) {
      if (busy.has(subject)) continue;
      // Should it crash the relay once more, it takes no other along.
      if (strikes === STRIKES - 1) {
        if (found.length === 0) return [{ id, renew }];
        continue;
      }
      bytes += size;
      if (found.length >= most || (found.length > 0 && bytes > CLAIM_BYTES)) break;
      found.push({ id, renew });
      busy.add(subject);
    }
    return found;
  }

  #take({ id, renew }: Due, { destination, target, now, standsAlone = false }: ClaimRequest): BodilessClaim {
    const token = randomUUID();
    const delivery = deliveryRecord(this.#sql.take.get(token, id) as unknown as DeliveryRow);
    const row = this.#sql.taken.get({ destination, target, id }) as unknown as TakenRow;
    const { subject } = delivery;
    const last = row.generation ?? 0;
    const fresh = last === 0 || renew === 1;
    const generation = fresh ? last + 1 : last;
    const receipt = fresh || row.receipt === null ? undefined : (JSON.parse(row.receipt) as Receipt);
    // Until there is a receipt here: a look that the service refused must not be the last. A renewal wants none of it.
    const isFirst = generation === 1 && renew === 0 && receipt === undefined;
    const superseded = !fresh && !standsAlone && row.receipt_event > row.id;
    // One that is superseded makes no call.
    if (!superseded) {
      const entry = { destination, target, subject, generation, doubt: clock(now), event: row.id };
      if (fresh) this.#sql.begin.run(entry);
      else this.#sql.doubt.run(entry);
    }
    return {
      token,
      delivery,
      event: eventRecord(row),
      identity: { destination: fresh ? destination : row.origin, subject, generation },
      receipt,
      earlier: generation === 1 ? [] : this.#earlier(destination, target, subject, generation),
      superseded,
      doubt: fresh || row.doubt === null ? undefined : { since: row.doubt, newer: !standsAlone && row.newer === 1 },
      elsewhere: isFirst && this.#sql.elsewhere.get(destination, target, subject) !== undefined,
    };
  }

  #earlier(...generation: [destination: string, target: string, subject: string, before: number]): Receipt[] {
    const rows = this.#sql.earlier.all(...generation) as { receipt: string }[];
    return rows.map(({ receipt }) => JSON.parse(receipt) as Receipt);
  }

  checkpoint(token: string, target: string, receipt: Receipt): boolean {
    const kept = this.#sql.keepReceipt.run({ token, target, receipt: JSON.stringify(receipt) });
    return kept.changes === 1 && this.#sql.linkTo.run(receipt.url ?? null, token).changes === 1;
  }

  record(token: string, target: string, settlement: Settlement): boolean {
    const doubt = settlement.doubt === undefined ? null : clock(settlement.doubt);
    // The ledger first: it finds its row by the token, which the end takes away.
    if (settlement.state === 'delivered') {
      const receipt = JSON.stringify(settlement.receipt);
      if (this.#sql.arrive.run({ token, target, receipt, doubt }).changes !== 1) return false;
    } else this.#sql.settleDoubt.run({ token, target, doubt });
    const ended = this.#end(token, settlement) as { id: number; wish: Wish | null } | undefined;
    if (ended?.wish) this.#fulfil(ended.id, ended.wish);
    return ended !== undefined;
  }

  #end(token: string, settlement: Settlement): unknown {
    if (settlement.state === 'delivered') {
      const { receipt, note } = settlement;
      return this.#sql.delivered.get(note?.detail ?? null, note?.fix ?? null, receipt.url ?? null, token);
    }
    const { reason, detail } = settlement;
    if (settlement.state === 'failed') return this.#sql.failed.get(reason, detail, settlement.fix, token);
    const { counted, nextAttemptAt, fix } = settlement;
    return this.#sql.pending.get({
      due: clock(nextAttemptAt),
      uncounted: counted ? 0 : 1,
      unsent: settlement.unsent ? 1 : 0,
      reason,
      detail,
      fix: fix ?? null,
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
