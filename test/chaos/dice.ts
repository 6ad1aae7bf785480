import { randomInt } from 'node:crypto';

/** Chance that can be had again: the same seed throws the same dice (mulberry32). */
export class Dice {
  readonly seed: number;
  #state: number;

  /** @param seed a whole number below 2³²; any, when it is left away */
  constructor(seed = randomInt(2 ** 32)) {
    this.seed = seed;
    this.#state = seed;
  }

  /** From 0 up to 1, which it never is. */
  roll(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number below a limit. */
  below(limit: number): number {
    return Math.floor(this.roll() * limit);
  }
}
