import type { Log } from './connector.ts';
import type { Replica, Serving } from './store/store.ts';

/** Milliseconds between two looks at the configs of the others. */
const LOOK = 5_000;

type Replicas = Pick<Serving, 'announce' | 'replicas'>;

/** Tells the other relays of the store by which config this one runs, and the log when one of them runs by another. */
export class Unison {
  readonly #serving: Replicas;
  readonly #log: Log;
  #told = '';
  readonly #timer: NodeJS.Timeout;

  constructor(serving: Replicas, log: Log) {
    this.#serving = serving;
    this.#log = log;
    this.#timer = setInterval(() => void this.look(), LOOK).unref();
  }

  /** @param fingerprint of the config that is in force from now on */
  async announce(fingerprint: string): Promise<void> {
    try {
      await this.#serving.announce(fingerprint);
      await this.look();
    } catch {
      // It goes with the next beat, once the store is back.
    }
  }

  /** Writes to the log what has changed since the last look. */
  async look(): Promise<void> {
    let others: Replica[];
    try {
      others = othersOf(await this.#serving.replicas());
    } catch {
      return;
    }
    const hosts = others.map(({ host }) => host).sort();
    if (hosts.join() === this.#told) return;
    this.#told = hosts.join();
    if (hosts.length > 0) {
      this.#log.warn(
        { step: 'config.disagree', hosts },
        'other relays of this store run by another config: what becomes of an event depends on which of them takes it',
      );
    } else this.#log.info({ step: 'config.agree' }, 'all relays of this store run by the same config');
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

/** Those that have said by which config they run, and it is not this one's. */
function othersOf(replicas: Replica[]): Replica[] {
  const own = replicas.find(({ self }) => self)?.configHash;
  return replicas.filter(({ configHash }) => configHash !== undefined && own !== undefined && configHash !== own);
}
