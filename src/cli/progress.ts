/** Milliseconds of work that nobody wonders about, and between two looks at the count. */
const PATIENCE = 1_000;
const PAUSE = 200;

/** A line on the terminal that counts, for work that takes long. In a pipe it says nothing. */
export class Progress implements Disposable {
  readonly #what: string;
  #count = 0;
  #next: number;
  #shown = false;

  /**
   * @param what `deliveries counted`
   * @param patience milliseconds before the line is shown
   */
  constructor(what: string, patience = PATIENCE) {
    this.#what = what;
    this.#next = performance.now() + patience;
  }

  add(number: number): void {
    this.#count += number;
    if (!process.stderr.isTTY || performance.now() < this.#next) return;
    this.#next = performance.now() + PAUSE;
    this.#shown = true;
    process.stderr.write(`\r${this.#count} ${this.#what} …`);
  }

  /** Wipes the line. */
  [Symbol.dispose](): void {
    if (this.#shown) process.stderr.write('\r\u001b[K');
  }
}
