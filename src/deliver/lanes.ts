import path from 'node:path';
import type { Config, DestinationConfig } from '../config/config.ts';
import { openWith } from '../config/open.ts';
import type { Destination, Log } from '../connector.ts';
import type { Metrics } from '../metrics.ts';
import type { News } from '../news.ts';
import type { LaneRecord, Store } from '../store/store.ts';
import { insist } from './insist.ts';
import { Lane } from './lane.ts';
import { type Pace, Paces } from './pace.ts';

/** Milliseconds that a relay which stops waits for a store that cannot commit. */
const GIVE_UP = 12_000;

export interface LanesParts {
  store: Store;
  log: Log;
  metrics: Metrics;
  scrub: (text: string) => string;
  report: (news: News) => void;
}

/** A destination that a new config asks for, opened and not yet delivering. */
interface Opened {
  config: DestinationConfig;
  destination: Destination;
  pace: Pace;
  abort: AbortController;
}

/** The lanes of all enabled destinations, and how one config's follow the other's. */
export class Lanes {
  readonly #parts: LanesParts;
  readonly #paces: Paces;
  readonly #lanes = new Map<string, Lane>();
  readonly #giveUp = new AbortController();
  #last: NodeJS.Timeout | undefined;
  #timezone = 'UTC';

  constructor(parts: LanesParts) {
    this.#parts = parts;
    this.#paces = new Paces(async (key, ms) => {
      await this.#insist(() => parts.store.pauseKey(key, ms));
    });
  }

  get(name: string): Lane | undefined {
    return this.#lanes.get(name);
  }

  /** Looks again at what is due, at these destinations or at all. */
  wake(names: Iterable<string> = this.#lanes.keys()): void {
    for (const name of names) this.#lanes.get(name)?.wake();
  }

  /**
   * Takes over what another process changed: a pause, a resume, new deliveries. False when a lane was just changing its own
   * record, so that what was read may be stale: ask again.
   */
  async follow(): Promise<boolean> {
    const before = new Map([...this.#lanes.values()].map((lane) => [lane, lane.changes]));
    const states = new Map((await this.#parts.store.lanes()).map((state) => [state.destination, state]));
    let whole = true;
    for (const [lane, changes] of before) {
      if (lane.changes === changes && changes % 2 === 0) lane.follow(states.get(lane.name));
      else whole = false;
    }
    return whole;
  }

  /**
   * Opens what is new or changed in a config. Everything that can fail happens here.
   *
   * @returns what makes it so: ends the lanes that changed or went, and starts their successors
   * @throws RelayError RELAY_CONFIG_CONNECTOR when a connector refuses to be opened, RELAY_STORE_OPEN when the store cannot be read
   */
  async prepare(config: Config): Promise<() => Promise<void>> {
    const wanted = [...config.destinations.values()].filter((destination) => destination.enabled);
    const sameZone = config.timezone === this.#timezone;
    const fresh = wanted.filter((each) => !sameZone || this.#lanes.get(each.name)?.fingerprint !== each.fingerprint);
    const opened: Opened[] = [];
    try {
      for (const destination of fresh) opened.push(this.#open(destination, config));
      await this.#warnOfGone(config);
    } catch (error) {
      await Promise.allSettled(opened.map(({ destination }) => destination.close?.()));
      throw error;
    }
    return () => this.#switch(config, new Set(wanted.map((each) => each.name)), opened);
  }

  /** From now on, the store has twelve seconds to commit what is under way. */
  hurry(): void {
    this.#last ??= setTimeout(() => this.#giveUp.abort(), GIVE_UP);
  }

  /** Claims nothing more, and lets attempts under way end. */
  async end(): Promise<void> {
    this.hurry();
    await Promise.all([...this.#lanes.values()].map((lane) => lane.end()));
    clearTimeout(this.#last);
  }

  /** Closes the destinations, after `end`. */
  async close(): Promise<void> {
    await Promise.all([...this.#lanes.values()].map((lane) => lane.close()));
    this.#lanes.clear();
  }

  #open(config: DestinationConfig, { timezone, file }: Config): Opened {
    const abort = new AbortController();
    // The limits, and with them the pace, are known only once it is open; no call is made before.
    let fetchAtPace: typeof fetch = () => Promise.reject(new Error('a connector must not call while it is opened'));
    const destination = openWith(config, {
      destination: config.name,
      folder: path.dirname(file),
      timezone,
      log: this.#parts.log,
      fetch: (input, init) => fetchAtPace(input, init),
    });
    const pace = this.#paces.of(destination.limits.key);
    fetchAtPace = pace.fetch(config.timeout, abort.signal);
    return { config, destination, pace, abort };
  }

  async #switch(config: Config, wanted: Set<string>, opened: Opened[]): Promise<void> {
    const { store, log, metrics, scrub, report } = this.#parts;
    let paused = new Map<string, number>();
    let records: LaneRecord[] = [];
    const replaced = new Set(opened.map((each) => each.config.name));
    const ending = [...this.#lanes.values()].filter((lane) => !wanted.has(lane.name) || replaced.has(lane.name));
    await Promise.all(ending.map((lane) => lane.end()));
    try {
      await this.#insist(() => this.#rename(config));
      // Read only now: an attempt that was under way may have halted its lane.
      paused = (await this.#insist(() => store.pausedKeys())) ?? paused;
      records = (await this.#insist(() => store.lanes())) ?? records;
    } finally {
      // Until now they could still tell people what went wrong.
      for (const lane of ending) this.#lanes.delete(lane.name);
      await Promise.all(ending.map((lane) => lane.close()));
    }
    const states = new Map(records.map((state) => [state.destination, state]));
    for (const { config: each, destination, pace, abort } of opened) {
      const { key, serial } = destination.limits;
      pace.pause(paused.get(key) ?? 0);
      // Whoever changed the config or started the relay may have mended what halted the lane.
      const halted = states.get(each.name)?.halt;
      if (halted) await this.#insist(() => store.setHalt(each.name, undefined));
      const lane = new Lane(
        {
          config: each,
          destination,
          store,
          pace,
          serial: serial === undefined ? undefined : this.#paces.serial(serial),
          timezone: config.timezone,
          log,
          metrics,
          scrub,
          report,
          abort,
          giveUp: this.#giveUp.signal,
        },
        states.get(each.name)?.paused ?? false,
      );
      this.#lanes.set(each.name, lane);
    }
    this.#setPaces();
    for (const lane of this.#lanes.values()) lane.start();
    this.#timezone = config.timezone;
  }

  /** A destination that merely changed its name would post everything anew. */
  async #warnOfGone({ destinations }: Config): Promise<void> {
    const { store, log } = this.#parts;
    const kept = new Set([...destinations.values()].flatMap(({ name, renamedFrom }) => [name, renamedFrom]));
    for (const destination of this.#lanes.keys()) {
      if (kept.has(destination)) continue;
      const [delivered] = await store.deliveries({ destination, state: 'delivered' }, { limit: 1 });
      if (!delivered) continue;
      log.warn(
        { step: 'destination.gone', destination },
        'a destination that was delivered to has left the config: was it renamed? Then say renamed_from, so that what stands there is updated in place',
      );
    }
  }

  /** Destinations that share a limit key share its pace: the slowest of theirs. */
  #setPaces(): void {
    for (const [pace, lanes] of Map.groupBy(this.#lanes.values(), (lane) => lane.pace)) {
      const [slowest] = lanes.map(({ rate }) => rate).sort((a, b) => a.calls / a.per - b.calls / b.per);
      if (slowest) pace.limit(slowest.calls, slowest.per);
    }
  }

  #insist<T>(work: () => Promise<T>): Promise<T | undefined> {
    return insist(work, this.#giveUp.signal);
  }

  async #rename(config: Config): Promise<void> {
    const { store, log } = this.#parts;
    for (const { name, renamedFrom } of config.destinations.values()) {
      if (renamedFrom === undefined) continue;
      const moved = await store.rename(renamedFrom, name);
      if (moved > 0)
        log.info({ step: 'destination.renamed', from: renamedFrom, destination: name, moved }, 'destination renamed');
    }
  }
}
