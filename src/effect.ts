import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Config } from './config/config.ts';
import type { Log } from './connector.ts';
import { type Judged, parsePayload } from './payload.ts';
import { altered, ChangeCount, changeOf, heirsOf, turnover, wayBy } from './route/plan.ts';
import type { Store } from './store/store.ts';

/** How many stored events are looked at. */
const LAST = 200;
/** Milliseconds after which no more of them are: the store is busy with better things. */
const PATIENCE = 5_000;

type Read = Pick<Store, 'events' | 'event'>;

/**
 * Tells in the log what a reload changes: where the last events would have gone by the new config, and went by the one
 * before. It comes after the reload, one event a turn of the event loop, and delays nothing.
 */
export class Effect {
  readonly #store: Read;
  readonly #log: Log;
  #abort = new AbortController();
  #telling: Promise<void> = Promise.resolve();

  constructor(store: Read, log: Log) {
    this.#store = store;
    this.#log = log;
  }

  /** Begins to tell; what it was telling of an earlier reload is left. */
  tell(before: Config, after: Config): void {
    this.#abort.abort();
    this.#abort = new AbortController();
    const { signal } = this.#abort;
    this.#telling = this.#telling.then(() => this.#tell(before, after, signal));
  }

  async close(): Promise<void> {
    this.#abort.abort();
    await this.#telling;
  }

  async #tell(before: Config, after: Config, signal: AbortSignal): Promise<void> {
    try {
      const count = await this.#count(before, after, signal);
      if (!signal.aborted) this.#write(count, before, after);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#log.info({ step: 'config.effect', skipped: why }, 'what the new config changes could not be told');
    }
  }

  async #count(before: Config, after: Config, signal: AbortSignal): Promise<ChangeCount> {
    const count = new ChangeCount();
    const heirs = heirsOf(after.destinations.values());
    const deadline = performance.now() + PATIENCE;
    await nextTurn();
    const events = signal.aborted ? [] : await this.#store.events({}, { limit: LAST });
    for (const { id, source, removedAt } of events) {
      if (removedAt !== undefined) continue;
      await nextTurn();
      if (signal.aborted || performance.now() > deadline) break;
      const judged = await this.#read(id);
      if (!judged?.payload) continue;
      const [was, is] = [wayBy(before, source, judged), wayBy(after, source, judged)];
      count.add(was, is, changeOf(was, is, heirs));
    }
    return count;
  }

  /** Undefined when it is gone, or the disk has changed it. */
  async #read(id: string): Promise<Judged | undefined> {
    const event = await this.#store.event(id);
    return event?.damage === undefined ? event && parsePayload(event.body.toString()) : undefined;
  }

  #write(count: ChangeCount, before: Config, after: Config): void {
    const { of, gains, loses, unrouted, routed } = count;
    const { added, gone } = turnover(before.destinations, after.destinations);
    const changed = altered(before.destinations, after.destinations);
    const fields = {
      gains: Object.fromEntries(gains),
      loses: Object.fromEntries(loses),
      unrouted,
      routed,
      of,
      changed,
    };
    const told = [routing(count), ...(changed.length > 0 ? [`the options of ${changed.join(', ')} changed`] : [])];
    this.#log.info({ step: 'config.effect', ...fields, new: added, gone }, told.join('; '));
  }
}

/** What becomes of the events, by their destinations. */
function routing({ of, unrouted, routed, words }: ChangeCount): string {
  if (of === 0) return 'no event is stored yet';
  const told = [
    ...words,
    ...(unrouted > 0 ? [`${unrouted} would go nowhere now`] : []),
    ...(routed > 0 ? [`${routed} that went nowhere would be routed`] : []),
  ];
  return told.length > 0
    ? `for the last ${of} events it changes: ${told.join(', ')}`
    : `none of the last ${of} events gains or loses a destination`;
}
