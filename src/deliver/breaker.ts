import { LASTING, probeDelay } from '../backoff.ts';
import type { Outcome } from '../outcome.ts';

/** Failures in a row after which a service counts as down. */
const THRESHOLD = 5;

/** Reasons that speak of the service, not of the item. */
const DOWN = new Set(['network', 'timeout', 'server']);

/**
 * Keeps a lane from hammering a service that is down: after five failures in a row it lets one probe through at a time,
 * after 5 s and then twice as long, up to 5 minutes. What waits meanwhile burns no attempts.
 */
export class Breaker {
  #failures = 0;
  #probes = 0;
  /** On the clock of `now`. */
  #nextProbe = 0;
  /** On the clock of `now`; undefined once that it lasts was told. */
  #openedAt: number | undefined;

  get open(): boolean {
    return this.#failures >= THRESHOLD;
  }

  /** When a call may be made, on the clock of `now`: 0 while closed, the next probe's time while open. */
  get until(): number {
    return this.open ? this.#nextProbe : 0;
  }

  /** Takes in how one call ended, for one delivery or a batch. Gives what that changed; `lasting` once, after a quarter of an hour. `now` is in milliseconds of any one clock. */
  observe(outcomes: readonly Outcome[], now: number): 'opened' | 'closed' | 'lasting' | undefined {
    const undelivered = outcomes.every(({ kind }) => kind === 'retry' || kind === 'unknown');
    const failed = undelivered && outcomes.some((outcome) => 'reason' in outcome && DOWN.has(outcome.reason));
    const wasOpen = this.open;
    if (!failed) {
      // A rate limit says nothing of health: the service is there, but nothing has arrived either.
      if (undelivered) return undefined;
      this.#failures = 0;
      this.#probes = 0;
      return wasOpen ? 'closed' : undefined;
    }
    // Calls that were under way when it opened tell nothing new.
    if (wasOpen && now < this.#nextProbe) return undefined;
    this.#failures += 1;
    if (!this.open) return undefined;
    this.#nextProbe = now + probeDelay(this.#probes);
    if (!wasOpen) {
      this.#openedAt = now;
      return 'opened';
    }
    this.#probes += 1;
    if (this.#openedAt === undefined || now - this.#openedAt < LASTING) return undefined;
    this.#openedAt = undefined;
    return 'lasting';
  }
}
