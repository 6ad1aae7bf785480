import { LASTING, probeDelay } from '../backoff.ts';
import type { Outcome } from '../outcome.ts';

/** A Retry-After is obeyed within these, milliseconds: 0 would be a flood, and a slip of the service an outage for ever. */
const SHORTEST = 1_000;
const LONGEST = 24 * 3_600_000;

/** A Retry-After as it is obeyed, milliseconds. */
export function within(ms: number): number {
  return Math.min(LONGEST, Math.max(SHORTEST, ms));
}

/** How long a service that refuses for its rate is left alone. */
export class RateLimit {
  /** Since when nothing was taken, on the clock of `now`; undefined while all is well, infinite once that it lasts was told. */
  #since: number | undefined;
  /** In a row, of those that named no time. */
  #refusals = 0;
  /** Until when the last of them asked, on the clock of `now`. */
  #until = 0;

  /**
   * Milliseconds that a call's outcomes ask for: the longest Retry-After, or when none is named 5 s and then twice as long
   * each time, up to 5 m. Undefined when the service has not refused.
   *
   * @param now milliseconds of any one clock
   */
  pauseOf(outcomes: readonly Outcome[], now: number): number | undefined {
    const retries = outcomes.filter((outcome) => outcome.kind === 'retry');
    const refused = outcomes.length > 0 && retries.length === outcomes.length;
    if (!refused) this.#since = undefined;
    else if (retries.some(({ reason }) => reason === 'rate_limited')) this.#since ??= now;
    const named = retries.flatMap(({ afterMs }) => afterMs ?? []);
    if (named.length > 0) return within(Math.max(...named));
    if (!retries.some(({ reason }) => reason === 'rate_limited')) {
      this.#refusals = 0;
      return undefined;
    }
    // Calls that were under way together are refused together, and that is one refusal.
    if (now >= this.#until) {
      this.#refusals += 1;
      this.#until = now + probeDelay(this.#refusals - 1);
    }
    return this.#until - now;
  }

  /** Whether nothing was taken for a quarter of an hour; true once. */
  isLasting(now: number): boolean {
    if (this.#since === undefined || now - this.#since < LASTING) return false;
    this.#since = Number.POSITIVE_INFINITY;
    return true;
  }
}
