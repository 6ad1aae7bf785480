/** The places of a lane: how many attempts run, and which wait for one of them to end. */
export class Places {
  /** Attempts that may run at once. */
  readonly width: number;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(width: number) {
    this.width = width;
  }

  /** How many attempts could begin now; 0 or less for none. */
  get free(): number {
    return this.width - this.#running - this.#waiting.length;
  }

  /** Whether after so many attempts one more could at least wait: as many may as run at once. */
  hasWaitingPlace(after: number): boolean {
    return this.free - after > -this.width;
  }

  /** Resolves when the attempt may begin, in the order of asking; undefined when that is at once. */
  enter(): Promise<void> | undefined {
    if (this.#running < this.width) {
      this.#running += 1;
      return undefined;
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** An attempt has ended: the next one takes its place. */
  leave(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#running -= 1;
  }
}
