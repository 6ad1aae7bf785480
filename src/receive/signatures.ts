/** Failures, and the time that they last (milliseconds), after which a wrong secret is likelier than a forger. */
const ENOUGH = 5;
const LASTING = 5 * 60_000;

/**
 * Tells a lasting failure of signatures (a secret that was changed at Versive but not here) from a forged request now and
 * then.
 */
export class SignatureWatch {
  readonly #failing = new Map<string, { since: number; count: number; told: boolean }>();

  verified(source: string): void {
    this.#failing.delete(source);
  }

  /** Gives the number of failures, once, when they have lasted. Time in epoch milliseconds. */
  failed(source: string, now: number): number | undefined {
    const failing = this.#failing.get(source) ?? { since: now, count: 0, told: false };
    failing.count += 1;
    this.#failing.set(source, failing);
    if (failing.told || failing.count < ENOUGH || now - failing.since < LASTING) return undefined;
    failing.told = true;
    return failing.count;
  }
}
