import { setTimeout as sleep } from 'node:timers/promises';
import { spelledDuration } from './config/durations.ts';
import type { Log } from './connector.ts';
import type { Metrics } from './metrics.ts';
import type { Store } from './store/store.ts';

/** Milliseconds from one pass to the next. */
const HOUR = 3_600_000;

export interface RetentionParts {
  store: Pick<Store, 'prune'>;
  /** What the config in force says: milliseconds, or undefined to remove nothing. */
  retention: () => number | undefined;
  metrics: Pick<Metrics, 'prunedEvents' | 'unprunedEvents'>;
  log: Log;
  /** Milliseconds to the first pass, and to the next one when the config says something else. */
  delay: number;
}

/** What a pass came by. */
interface Pass {
  events: number;
  deliveries: number;
  /** Old events that stay. */
  failed: number;
  pending: number;
}

/** Removes the bodies and deliveries of old events, as the config says: a pass over them every hour, in small steps. */
export class Retention {
  readonly #parts: RetentionParts;
  readonly #ending = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #passing: Promise<void> = Promise.resolve();
  /** All events up to this one were removed: a database would walk through the remains of their rows. */
  #done: string | undefined;

  constructor(parts: RetentionParts) {
    this.#parts = parts;
    this.#schedule(parts.delay);
  }

  /** The config says something else from now on. The next pass begins after the delay: time to take a wrong one back. */
  follow(before: number | undefined): void {
    const { log, delay, retention } = this.#parts;
    const now = retention();
    if (now === before) return;
    const spelled = (ms: number | undefined) => (ms === undefined ? null : spelledDuration(ms));
    const change = { step: 'retention.changed', from: spelled(before), to: spelled(now) };
    if (now !== undefined && now < (before ?? Number.POSITIVE_INFINITY)) {
      const at = new Date(Date.now() + delay).toISOString();
      const words = `from ${at} on, bodies and deliveries of settled events older than ${change.to} are removed`;
      log.warn(change, `${words}; take \`retention:\` back before then to keep them`);
    } else
      log.info(
        change,
        now === undefined ? 'nothing is removed any more' : `nothing younger than ${change.to} is removed`,
      );
    this.#schedule(delay);
  }

  /** Ends a pass under way after its step. */
  async close(): Promise<void> {
    this.#ending.abort();
    clearTimeout(this.#timer);
    await this.#passing;
  }

  #schedule(ms: number): void {
    clearTimeout(this.#timer);
    if (this.#ending.signal.aborted) return;
    this.#timer = setTimeout(() => {
      this.#passing = this.#passing.then(() => this.#run());
      this.#schedule(HOUR);
    }, ms).unref();
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    const { log, metrics } = this.#parts;
    const pass: Pass = { events: 0, deliveries: 0, failed: 0, pending: 0 };
    if (this.#parts.retention() === undefined) metrics.unprunedEvents.set(0);
    try {
      const isWhole = await this.#walk(pass);
      if (isWhole) metrics.unprunedEvents.set(pass.failed);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      const words = 'old events could not be removed; the next pass is in an hour';
      if (!this.#ending.signal.aborted) log.warn({ step: 'events.unpruned', error: why }, words);
    }
    if (pass.events > 0) {
      const { events, deliveries, failed, pending } = pass;
      const kept = failed + pending > 0 ? `; ${failed} stay for a failed delivery, ${pending} for one that waits` : '';
      log.info(
        { step: 'events.pruned', events, deliveries, kept_failed: failed, kept_pending: pending },
        `the bodies and deliveries of ${events} old events were removed${kept}`,
      );
    }
  }

  /** One pass, as far as it comes. False when it did not come to the end: the relay stops, or another one is at it. */
  async #walk(pass: Pass): Promise<boolean> {
    const { store, retention, metrics } = this.#parts;
    const { signal } = this.#ending;
    let isAllRemoved = true;
    for (let after = this.#done; ; ) {
      // Asked anew at each step: a reload may have taken it back.
      const kept = retention();
      if (kept === undefined) return false;
      const began = performance.now();
      const step = await store.prune({ before: Date.now() - kept, ...(after !== undefined && { after }) });
      if (!step) return false;
      pass.events += step.removed.length;
      pass.deliveries += step.deliveries;
      pass.failed += step.failed;
      pass.pending += step.pending;
      metrics.prunedEvents.inc(step.removed.length);
      if (isAllRemoved) this.#done = step.done ?? this.#done;
      isAllRemoved &&= step.done === step.after;
      after = step.after;
      if (after === undefined) return true;
      // As long as the step took, the store is left to others.
      await sleep(performance.now() - began, undefined, { signal, ref: false });
    }
  }
}
