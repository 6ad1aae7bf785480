import { setTimeout as sleep } from 'node:timers/promises';
import { post, type SpawnedRelay } from '../support/relay.ts';
import { payloadOf, type Sent } from './interviews.ts';

/** Requests that are under way at once. */
const SENDERS = 4;
/** Milliseconds between two tries of a request that was not acknowledged. */
const SEND_AGAIN = 100;

/** Sends as Svix does: each event again and again, under its id, until it is acknowledged. */
export class Versive {
  readonly acknowledged = new Map<number, Sent[]>();
  readonly #relay: () => SpawnedRelay;
  readonly #queue: Sent[];
  #allowed = 0;
  #more = Promise.withResolvers<void>();
  readonly #senders: Promise<void>[];
  /** Milliseconds that the relay's clock is ahead: Svix's goes with it, or its signatures would be too old. */
  #clock = 0;
  /** When the clock was moved; monotonic. */
  readonly moves: number[] = [];

  /** @param relay which one to send to now */
  constructor(events: number, relay: () => SpawnedRelay) {
    this.#relay = relay;
    this.#queue = Array.from({ length: events }, (_, n) => {
      // Every tenth is too long for one call to Notion, or comes again with other words.
      return { n, version: 1, turns: n % 10 === 3 ? 230 : 6 };
    });
    this.#senders = Array.from({ length: SENDERS }, () => this.#send());
  }

  move(clock: number): void {
    this.#clock = clock;
    this.moves.push(performance.now());
  }

  get count(): number {
    return [...this.acknowledged.values()].reduce((sum, versions) => sum + versions.length, 0);
  }

  /** Lets so many interviews be sent, all in all. */
  allow(count: number): void {
    this.#allowed = count;
    this.#more.resolve();
    this.#more = Promise.withResolvers();
  }

  async done(): Promise<void> {
    this.allow(Number.POSITIVE_INFINITY);
    await Promise.all(this.#senders);
  }

  async #send(): Promise<void> {
    for (let sent = await this.#next(); sent; sent = await this.#next()) {
      await this.#until202(sent);
      if (sent.version === 1 && sent.n % 10 === 7) await this.#until202({ ...sent, version: 2, turns: sent.turns + 2 });
    }
  }

  async #next(): Promise<Sent | undefined> {
    while (this.#queue.length > 0 && (this.#queue[0]?.n ?? 0) >= this.#allowed) await this.#more.promise;
    return this.#queue.shift();
  }

  async #until202(sent: Sent): Promise<void> {
    const id = `msg_${sent.n}_${sent.version}`;
    for (;;) {
      try {
        const at = new Date(Date.now() + this.#clock);
        const { status } = await post(this.#relay(), payloadOf(sent), id, at);
        if (status === 202 || status === 200) break;
      } catch {
        // Killed before it answered.
      }
      await sleep(SEND_AGAIN);
    }
    this.acknowledged.set(sent.n, [...(this.acknowledged.get(sent.n) ?? []), sent]);
  }
}
