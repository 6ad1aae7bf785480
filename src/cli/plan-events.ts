import type { Config } from '../config/config.ts';
import { RelayError } from '../errors.ts';
import type { EventRecord, Payload } from '../model.ts';
import { type Change, changeOf, heirsOf, type Way, wayBy } from '../route/plan.ts';
import { pages } from '../store/pages.ts';
import type { Store } from '../store/store.ts';
import { Progress } from './progress.ts';
import { readAgain } from './replay-choice.ts';

/** What is compared. */
export interface Comparison {
  /** Undefined compares with what became of the events. */
  before: Config | undefined;
  after: Config;
}

/** One stored event, before and after a change. */
export interface Compared {
  event: EventRecord;
  body: Buffer;
  payload: Payload;
  before: Way;
  after: Way;
  change: Change;
  /** How many deliveries `replay --reroute` would make of it. */
  missing: number;
}

/** The last stored events, before and after a change. */
export class PlannedEvents {
  /** Those that were left out: nobody can read or understand them. */
  readonly puzzling: string[] = [];
  /** How many were left out since their bodies were removed. */
  removed = 0;
  /** When the first of them was received, epoch milliseconds. */
  oldest = Number.POSITIVE_INFINITY;
  readonly #comparison: Comparison;
  readonly #store: Store;
  readonly #heirs: Map<string, string>;

  constructor(comparison: Comparison, store: Store) {
    this.#comparison = comparison;
    this.#store = store;
    this.#heirs = heirsOf(comparison.after.destinations.values());
  }

  /**
   * Newest first, their bodies one by one.
   *
   * @throws RelayError RELAY_NOT_FOUND when there is nothing to compare
   */
  async *last(number: number): AsyncGenerator<Compared> {
    let found = false;
    using progress = new Progress('events compared');
    for await (const page of pages((request) => this.#store.events({}, request), number)) {
      const deliveries = await this.#store.deliveriesOf(page.map(({ id }) => id));
      for (const { id, removedAt } of page) {
        progress.add(1);
        if (removedAt !== undefined) {
          this.removed += 1;
          continue;
        }
        const had = (deliveries.get(id) ?? []).map(({ destination }) => destination);
        const compared = await this.#compare(id, had);
        if (compared) yield compared;
        else this.puzzling.push(id);
        found ||= compared !== undefined;
      }
    }
    if (found) return;
    const why = this.removed > 0 ? 'The bodies of these events were removed' : 'There are no events yet';
    const none = this.puzzling.length === 0;
    throw new RelayError(
      'RELAY_NOT_FOUND',
      none ? `${why}: nothing to compare.` : 'None of these events is understood: nothing to compare.',
      none ? { fix: 'Let some come, or send a sample: `versive-relay send`.' } : {},
    );
  }

  async #compare(id: string, had: string[]): Promise<Compared | undefined> {
    const { event, judged } = (await readAgain(id, { store: this.#store })) ?? {};
    if (!event || !judged?.payload) return undefined;
    this.oldest = Math.min(this.oldest, event.receivedAt);
    const { before: present, after: next } = this.#comparison;
    const before = present ? wayBy(present, event.source, judged) : { routes: event.routes, destinations: had };
    const after = wayBy(next, event.source, judged);
    const have = new Set(had.map((name) => this.#heirs.get(name) ?? name));
    return {
      event,
      body: event.body,
      payload: judged.payload,
      before,
      after,
      change: changeOf(before, after, this.#heirs),
      missing: after.destinations.filter((name) => !have.has(name)).length,
    };
  }
}
