import { randomUUID } from 'node:crypto';
import type { GroupCommit } from './commit.ts';
import { packBody } from './packing.ts';
import { clock } from './rows.ts';
import type { Statements } from './statements.ts';
import type { Accepted, Claim, NewEvent, Offer } from './store.ts';

/** What was claimed at once: a delivery of the event that was accepted. */
interface Claimed {
  destination: string;
  token: string;
}

/** What `accept` gives, to somebody who has the event. */
export interface BodilessAccepted extends Omit<Accepted, 'claims'> {
  claimed: Claimed[];
}

/** How events are accepted. */
export class Accepting {
  readonly #sql: Statements;
  readonly #commit: GroupCommit;

  constructor(statements: Statements, commit: GroupCommit) {
    this.#sql = statements;
    this.#commit = commit;
  }

  async accept(event: NewEvent, offers: readonly Offer[]): Promise<BodilessAccepted> {
    const packed = packBody(event.body);
    return this.#commit.write(() => {
      const inserted = this.#sql.insertEvent.run(
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
      );
      if (inserted.changes === 0) return this.#known(event);
      const id = Number(inserted.lastInsertRowid);
      this.#sql.insertBody.run(id, packed);
      const destinations = new Set(event.destinations);
      const isNew = offers.length > 0 && !this.#sql.knownSubject.get({ subject: event.subject, event: id });
      const claimed = this.#insertDeliveries(event, id, destinations, isNew ? offers : []);
      return { id: `e${id}`, duplicate: false, deliveries: destinations.size, claimed };
    }, packed.length + event.body.length);
  }

  #known(event: NewEvent): BodilessAccepted {
    const row = this.#sql.knownEvent.get(event.source, event.svixId) as { id: number; deliveries: number };
    return { id: `e${row.id}`, duplicate: true, deliveries: row.deliveries, claimed: [] };
  }

  /** @param offers for which the delivery is claimed */
  #insertDeliveries(event: NewEvent, id: number, destinations: Set<string>, offers: readonly Offer[]): Claimed[] {
    const delivery = { event: id, subject: event.subject, due: clock(event.receivedAt) };
    const claimed = offers.length === 0 ? [] : this.#insertClaimed(delivery, offers);
    const due = offers.length === 0 ? [...destinations] : [...destinations.difference(new Set(claimed.map(nameOf)))];
    if (due.length > 0) this.#sql.insertDeliveries.run({ ...delivery, destinations: JSON.stringify(due) });
    return claimed;
  }

  #insertClaimed(delivery: { event: number; subject: string; due: number }, offers: readonly Offer[]): Claimed[] {
    const { event, subject, due } = delivery;
    // A token begins with its delivery's number, which must therefore be known before.
    const { first } = this.#sql.nextDelivery.get() as { first: number };
    const claim = randomUUID();
    const destinations = JSON.stringify(offers.map(nameOf));
    this.#sql.insertClaimed.run({ ...delivery, destinations, first, claim });
    return offers.map(({ destination, target }, index) => {
      // In doubt since it was received: that is before anything could be sent.
      this.#sql.begin.run({ destination, target, subject, generation: 1, doubt: due, event });
      return { destination, token: `${first + index}-${claim}` };
    });
  }
}

function nameOf({ destination }: { destination: string }): string {
  return destination;
}

/** The claims of what was accepted and claimed at once. */
export function firstClaims(event: NewEvent, { claimed, ...accepted }: BodilessAccepted): Accepted {
  return { ...accepted, claims: claimed.map((each) => firstClaim(event, accepted.id, each)) };
}

/** As `claim` gives it for the first delivery of a subject at a destination. */
function firstClaim(accepted: NewEvent, id: string, { destination, token }: Claimed): Claim {
  const { source, svixId, eventType, subject, study, state, reason, routes, body } = accepted;
  const receivedAt = clock(accepted.receivedAt);
  return {
    token,
    delivery: {
      id: `d${Number.parseInt(token, 10)}`,
      event: id,
      subject,
      destination,
      state: 'pending',
      attempts: 1,
      nextAttemptAt: receivedAt,
      reason: undefined,
      detail: undefined,
      fix: undefined,
      url: undefined,
    },
    event: { id, source, svixId, eventType, subject, study, state, reason, receivedAt, removedAt: undefined, routes },
    body,
    identity: { destination, subject, generation: 1 },
    receipt: undefined,
    earlier: [],
    superseded: false,
    doubt: undefined,
    elsewhere: false,
  };
}
