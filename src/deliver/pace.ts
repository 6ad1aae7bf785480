import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import PQueue from 'p-queue';

/** What the calls of an attempt came to: how long they waited for their turn (milliseconds), and how many were made. */
export const tally = new AsyncLocalStorage<{ waited: number; calls: number }>();

/**
 * How fast one limit key may be called: a token, a host. Every lane with the key shares it, so that two destinations with
 * one token stay within that token's limit together.
 */
export class Pace {
  readonly key: string;
  /** Epoch milliseconds; no call before. */
  pausedUntil = 0;
  #calls = Number.POSITIVE_INFINITY;
  #per = 0;
  /** When the last calls started, on the monotonic clock: as many as the limit counts. */
  readonly #starts: number[] = [];
  #line: Promise<void> = Promise.resolve();
  /** Aborts when the limit changes: whoever waits reckons anew. */
  #changed = new AbortController();

  constructor(key: string) {
    this.key = key;
  }

  /** At most `calls` in any `per` milliseconds. */
  limit(calls: number, per: number): void {
    this.#calls = calls;
    this.#per = per;
    this.#changed.abort();
    this.#changed = new AbortController();
  }

  /** Keeps a Retry-After; a shorter one does not undo a longer one. */
  pause(until: number): void {
    this.pausedUntil = Math.max(this.pausedUntil, until);
  }

  /**
   * Resolves when the next call may start, in the order of asking. Rejects with the signal's reason.
   *
   * A library's queue would do, but p-queue counts by the wall clock: set back an hour, it would wait an hour.
   */
  async turn(signal: AbortSignal): Promise<void> {
    const asked = performance.now();
    signal.throwIfAborted();
    const gone = Promise.withResolvers<never>();
    const leave = () => gone.reject(signal.reason);
    signal.addEventListener('abort', leave, { once: true });
    const turn = this.#line.then(() => this.#start(signal));
    // Who left the line hears of it below; those behind go on.
    this.#line = turn.catch(() => {});
    try {
      await Promise.race([turn, gone.promise]);
    } finally {
      signal.removeEventListener('abort', leave);
    }
    const count = tally.getStore();
    if (count) count.waited += performance.now() - asked;
  }

  async #start(signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      if (this.#calls === Number.POSITIVE_INFINITY) return;
      const before = this.#starts[this.#starts.length - this.#calls];
      const wait = before === undefined ? 0 : before + this.#per - performance.now();
      if (wait <= 0) break;
      const changed = this.#changed.signal;
      await sleep(wait, undefined, { signal: AbortSignal.any([signal, changed]) }).catch((error: unknown) => {
        if (!changed.aborted || signal.aborted) throw error;
      });
    }
    this.#starts.push(performance.now());
    while (this.#starts.length > this.#calls) this.#starts.shift();
  }

  /**
   * `fetch` at this pace. Each call has its own `timeout`, counted from its start and not from when it began to wait; during
   * a Retry-After it is not made, and answered as the service would: 429 with the rest of the time.
   *
   * @param timeout milliseconds
   * @param signal aborts whatever is under way
   */
  fetch(timeout: number, signal: AbortSignal): typeof fetch {
    return async (input, init) => {
      const own = init?.signal ?? (input instanceof Request ? input.signal : undefined);
      const cut = own ? AbortSignal.any([signal, own]) : signal;
      await this.turn(cut);
      const wait = this.pausedUntil - Date.now();
      if (wait > 0) {
        const headers = { 'retry-after': String(Math.ceil(wait / 1000)), 'content-type': 'application/json' };
        return new Response('{}', { status: 429, headers });
      }
      const count = tally.getStore();
      if (count) count.calls += 1;
      return fetch(input, { ...init, signal: AbortSignal.any([cut, AbortSignal.timeout(timeout)]) });
    };
  }
}

/** The paces by limit key, and the queues of the serial keys. They outlive a reload. */
export class Paces {
  readonly #paces = new Map<string, Pace>();
  readonly #serial = new Map<string, PQueue>();

  of(key: string): Pace {
    return getOrMake(this.#paces, key, () => new Pace(key));
  }

  /** Runs one task of a serial key at a time. */
  serial(key: string): PQueue {
    return getOrMake(this.#serial, key, () => new PQueue({ concurrency: 1 }));
  }
}

function getOrMake<V>(map: Map<string, V>, key: string, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
