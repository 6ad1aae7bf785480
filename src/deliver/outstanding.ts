/** Offers of which it is not known yet what became of them. */
export class Outstanding {
  #count = 0;
  #ended: PromiseWithResolvers<void> | undefined;

  get count(): number {
    return this.#count;
  }

  begin(): void {
    this.#count += 1;
  }

  end(): void {
    this.#count -= 1;
    if (this.#count === 0) this.#ended?.resolve();
  }

  /** Resolves when none is left. */
  async settled(): Promise<void> {
    if (this.#count === 0) return;
    this.#ended ??= Promise.withResolvers();
    await this.#ended.promise;
  }
}
