import PQueue from 'p-queue';

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
  #queue = new PQueue();

  constructor(key: string) {
    this.key = key;
  }

  /** At most `calls` in any `per` milliseconds. Calls that wait already keep their old pace. */
  limit(calls: number, per: number): void {
    if (calls === this.#calls && per === this.#per) return;
    this.#calls = calls;
    this.#per = per;
    this.#queue = Number.isFinite(calls)
      ? new PQueue({ intervalCap: calls, interval: per, strict: true })
      : new PQueue();
  }

  /** Keeps a Retry-After; a shorter one does not undo a longer one. */
  pause(until: number): void {
    this.pausedUntil = Math.max(this.pausedUntil, until);
  }

  /** Resolves when the next call may start. Rejects with the signal's reason. */
  async turn(signal: AbortSignal): Promise<void> {
    await this.#queue.add(async () => {}, { signal });
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
        return new Response('{"ok":false,"error":"ratelimited"}', { status: 429, headers });
      }
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
