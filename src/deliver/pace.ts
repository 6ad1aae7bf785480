import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import PQueue from 'p-queue';
import { retryAfterMs } from '../outcome.ts';
import { Caller, isPlain } from './call.ts';
import { within } from './rate-limit.ts';

/** What the calls of an attempt came to: how many were asked for and made, and how long they waited for their turn (milliseconds). */
export const tally = new AsyncLocalStorage<{ asked: number; waited: number; calls: number }>();

/** Answers that, with a Retry-After, ask for a pause: 429, 503, and Notion's 529. Whoever reads the answer may miss it. */
const ASKS_TO_WAIT = new Set([429, 503, 529]);

/** Milliseconds after which to ask again whether the lane is still this process's. */
const UNSURE = 1_000;

/** Keeps a pause of a limit key, in milliseconds from now, where a restart finds it. */
export type KeepPause = (key: string, ms: number) => Promise<void>;

/**
 * How fast one limit key may be called: a token, a host. Every lane with the key shares it, so that two destinations with
 * one token stay within that token's limit together.
 */
export class Pace {
  readonly key: string;
  readonly #keep: KeepPause;
  /** On the monotonic clock: a wall clock that jumps must neither shorten a Retry-After nor stretch it. */
  #pausedUntil = 0;
  #calls = Number.POSITIVE_INFINITY;
  #per = 0;
  /** When the last calls started, on the monotonic clock: as many as the limit counts. */
  readonly #starts: number[] = [];
  #line: Promise<void> = Promise.resolve();
  #inLine = 0;
  /** Aborts when the limit changes: whoever waits reckons anew. */
  #changed = new AbortController();

  constructor(key: string, keep: KeepPause = async () => {}) {
    this.key = key;
    this.#keep = keep;
  }

  /** At most `calls` in any `per` milliseconds. */
  limit(calls: number, per: number): void {
    this.#calls = calls;
    this.#per = per;
    this.#changed.abort();
    this.#changed = new AbortController();
  }

  /** Another process may have called until now: as if it had, at an even pace, within the limit. */
  follow(): void {
    const now = performance.now();
    if (this.#calls === Number.POSITIVE_INFINITY || (this.#starts.at(-1) ?? 0) > now - this.#per) return;
    const gap = this.#per / this.#calls;
    this.#starts.splice(
      0,
      this.#starts.length,
      ...Array.from({ length: this.#calls }, (_, n) => now - (this.#calls - 1 - n) * gap),
    );
  }

  /** Milliseconds in which no call may start; 0 or less when none is paused. */
  get pausedFor(): number {
    return this.#pausedUntil - performance.now();
  }

  /** Makes no call for so many milliseconds; a shorter pause does not undo a longer one. */
  pause(ms: number): void {
    this.#pausedUntil = Math.max(this.#pausedUntil, performance.now() + ms);
  }

  /** Pauses, and resolves once a restart would know of it. */
  async hold(ms: number): Promise<void> {
    this.pause(ms);
    await this.#keep(this.key, ms);
  }

  /**
   * Resolves when the next call may start, in the order of asking. Rejects with the signal's reason.
   *
   * A library's queue would do, but p-queue counts by the wall clock: set back an hour, it would wait an hour.
   */
  async turn(signal: AbortSignal): Promise<void> {
    const asked = performance.now();
    signal.throwIfAborted();
    if (this.#inLine === 0 && this.#wait <= 0) {
      this.#note();
      return;
    }
    const gone = Promise.withResolvers<never>();
    const leave = () => gone.reject(signal.reason);
    signal.addEventListener('abort', leave, { once: true });
    const turn = this.#line.then(() => this.#start(signal));
    // Who left the line hears of it below; those behind go on.
    this.#line = turn.catch(() => {});
    this.#inLine += 1;
    try {
      await Promise.race([turn, gone.promise]);
    } finally {
      this.#inLine -= 1;
      signal.removeEventListener('abort', leave);
    }
    const count = tally.getStore();
    if (count) count.waited += performance.now() - asked;
  }

  async #start(signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      const wait = this.#wait;
      if (wait <= 0) break;
      const changed = this.#changed.signal;
      await sleep(wait, undefined, { signal: AbortSignal.any([signal, changed]) }).catch((error: unknown) => {
        if (!changed.aborted || signal.aborted) throw error;
      });
    }
    this.#note();
  }

  /** Milliseconds until the limit lets one more call start; 0 or less when it does now. */
  get #wait(): number {
    const before = this.#starts[this.#starts.length - this.#calls];
    return before === undefined ? 0 : before + this.#per - performance.now();
  }

  #note(): void {
    if (this.#calls === Number.POSITIVE_INFINITY) return;
    this.#starts.push(performance.now());
    while (this.#starts.length > this.#calls) this.#starts.shift();
  }

  /**
   * `fetch` at this pace. Each call has its own `timeout`, counted from its start and not from when it began to wait; a
   * Retry-After pauses the key whatever the caller makes of the answer, and during one a call is not made, but answered as
   * the service would: 429 with the rest of the time.
   *
   * @param timeout milliseconds
   * @param signal aborts whatever is under way
   * @param isOurs false while no call may start since the lane may be another process's by now: it is answered likewise
   */
  fetch(timeout: number, signal: AbortSignal, isOurs: () => boolean = () => true): typeof fetch {
    const caller = new Caller({ timeout, signal, mayBegin: isOurs });
    return async (input, init) => {
      const count = tally.getStore();
      if (count) count.asked += 1;
      const own = init?.signal ?? (input instanceof Request ? input.signal : undefined);
      const cut = own ? AbortSignal.any([signal, own]) : signal;
      await this.turn(cut);
      const wait = isOurs() ? this.pausedFor : UNSURE;
      if (wait > 0) {
        const headers = { 'retry-after': String(Math.ceil(wait / 1000)), 'content-type': 'application/json' };
        return new Response('{}', { status: 429, headers });
      }
      if (count) count.calls += 1;
      const response =
        !(input instanceof Request) && isPlain(init)
          ? await caller.call(input, init)
          : await fetch(input, { ...init, signal: AbortSignal.any([cut, AbortSignal.timeout(timeout)]) });
      const after = ASKS_TO_WAIT.has(response.status)
        ? retryAfterMs(response.headers.get('retry-after'), response.headers.get('date'))
        : undefined;
      if (after !== undefined) await this.hold(within(after));
      return response;
    };
  }
}

/** The paces by limit key, and the queues of the serial keys. They outlive a reload. */
export class Paces {
  readonly #paces = new Map<string, Pace>();
  readonly #serial = new Map<string, PQueue>();
  readonly #keep: KeepPause;

  constructor(keep: KeepPause) {
    this.#keep = keep;
  }

  of(key: string): Pace {
    return getOrMake(this.#paces, key, () => new Pace(key, this.#keep));
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
