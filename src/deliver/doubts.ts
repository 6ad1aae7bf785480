/** Milliseconds within which a write may still land after its call has ended, where a connector does not say. */
const SETTLES = 10_000;

/** How long after a call a lane must not believe that nothing came of it. */
interface Patience {
  /** Milliseconds that one call may take. */
  timeout: number;
  /** Milliseconds; the connector's, or the config's. 0: what a dead process began is over. */
  settles: number | undefined;
}

/**
 * Until when absence proves nothing. A service that was sent a write may still be at it when the call has ended, or when the
 * process that made the call is dead: only when the call's timeout and the time to settle are over, nothing more will come.
 *
 * It reckons on the monotonic clock, and anew after every start: a wall clock that jumps would make it believe too early.
 */
export class Doubts {
  readonly #wait: number;
  readonly #began: number;
  /** When the lane's own writes of unknown end were over, by subject. */
  readonly #ended = new Map<string, number>();

  /** @param now monotonic milliseconds at which no call of an earlier lane or process can be under way any more */
  constructor({ timeout, settles = SETTLES }: Patience, now = performance.now()) {
    this.#wait = settles === 0 ? 0 : timeout + settles;
    this.#began = now;
  }

  /** A write for the subject has just ended, and nobody knows how. */
  left(subject: string, now = performance.now()): void {
    for (const [known, ended] of this.#ended) if (now - ended > this.#wait) this.#ended.delete(known);
    this.#ended.set(subject, now);
  }

  /** Milliseconds until the absence of what was sent for the subject can be believed; 0 or less when it can. */
  unsettled(subject: string, now = performance.now()): number {
    return (this.#ended.get(subject) ?? this.#began) + this.#wait - now;
  }
}
