import path from 'node:path';
import type { Config, DestinationConfig } from '../config/config.ts';
import { openWith } from '../config/open.ts';
import type { Destination, Log } from '../connector.ts';
import type { Metrics } from '../metrics.ts';
import type { News } from '../news.ts';
import type { Accepted, Claim, NewEvent, Serving, Store } from '../store/store.ts';
import { closeDestination } from './close-destination.ts';
import { freeClaims } from './free-claims.ts';
import { insist } from './insist.ts';
import { Lane } from './lane.ts';
import { type Pace, Paces } from './pace.ts';
import { type Member, Shares } from './shares.ts';

/** Milliseconds that a relay which stops waits for a store that cannot commit. */
const GIVE_UP = 12_000;

export interface LanesParts {
  store: Store;
  serving: Serving;
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
  /** Of a config that was just read; not one that only comes back from another process. */
  isNew: boolean;
}

/** The lanes of all enabled destinations, and how one config's follow the other's. */
export class Lanes {
  readonly #parts: LanesParts;
  readonly #paces: Paces;
  /** Those that this process serves … */
  readonly #lanes = new Map<string, Lane>();
  /** … and the destinations of those that are another's, or on their way. */
  readonly #standby = new Map<string, Opened>();
  readonly #shares: Shares;
  readonly #giveUp = new AbortController();
  #last: NodeJS.Timeout | undefined;
  #config: Config | undefined;

  constructor(parts: LanesParts) {
    this.#parts = parts;
    this.#paces = new Paces(async (key, ms) => {
      await insist(() => parts.store.pauseKey(key, ms), this.#giveUp.signal);
    });
    this.#shares = new Shares({
      serving: parts.serving,
      members: () => this.#members(),
      runs: (name) => this.#lanes.has(name),
      begin: (names) => this.#begin(names),
      end: (names) => this.#stop(names),
      tidy: () => this.#tidy(),
      log: parts.log,
    });
    parts.serving.lost(() => this.#cut());
  }

  /** Undefined when the config in force has none of that name, or it is disabled. */
  destination(name: string): Destination | undefined {
    return (this.#lanes.get(name) ?? this.#standby.get(name))?.destination;
  }

  /** Looks again at what is due, at these destinations or at all. */
  wake(names: Iterable<string> = this.#lanes.keys()): void {
    for (const name of names) this.#lanes.get(name)?.wake();
  }

  /**
   * Keeps an event, and begins its deliveries: those that lanes with a place were given with the same commit at once, the
   * others as their lanes come to them.
   *
   * @throws RelayError RELAY_STORE_BUSY when the store cannot commit
   */
  async accept(event: NewEvent): Promise<Accepted> {
    const offering: Lane[] = [];
    const { store } = this.#parts;
    const offers = [...new Set(store.takesOffers ? event.destinations : [])].flatMap((name) => {
      const lane = this.#lanes.get(name);
      const offer = lane?.offer();
      if (lane && offer) offering.push(lane);
      return offer ?? [];
    });
    let claims: Claim[] = [];
    try {
      const accepted = await store.accept(event, offers);
      claims = accepted.claims;
      return accepted;
    } finally {
      // The sender is answered first.
      setImmediate(() => {
        for (const lane of offering) lane.take(claims.find(({ delivery }) => delivery.destination === lane.name));
        this.wake(event.destinations.filter((name) => !offers.some(({ destination }) => destination === name)));
      });
    }
  }

  /**
   * Takes over what another process changed: a pause, a resume, new deliveries. False when a lane was just changing its own
   * record, so that what was read may be stale: ask again.
   */
  async follow(): Promise<boolean> {
    void this.#shares.look();
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
    const sameZone = config.timezone === this.#config?.timezone;
    const fresh = wanted.filter((each) => !sameZone || this.#fingerprint(each.name) !== each.fingerprint);
    const opened: Opened[] = [];
    try {
      for (const destination of fresh) opened.push(this.#open(destination, config));
      await this.#warnOfGone(config);
    } catch (error) {
      await Promise.allSettled(opened.map(({ destination }) => destination.close?.()));
      throw error;
    }
    return async () => {
      await this.#shares.alone(() => this.#switch(config, new Set(wanted.map((each) => each.name)), opened));
      await this.#shares.start();
      for (const each of this.#standby.values()) each.isNew = false;
    };
  }

  /** From now on, the store has twelve seconds to commit what is under way. */
  hurry(): void {
    this.#last ??= setTimeout(() => this.#giveUp.abort(), GIVE_UP);
  }

  /** Claims nothing more, and lets attempts under way end. */
  async end(): Promise<void> {
    this.hurry();
    await this.#shares.close();
    await Promise.all([...this.#lanes.values()].map((lane) => this.#end(lane)));
    clearTimeout(this.#last);
  }

  /** Closes the destinations, after `end`. */
  async close(): Promise<void> {
    await Promise.all([...this.#lanes.values()].map((lane) => lane.close()));
    this.#lanes.clear();
    await this.#closeStandby(this.#standby.keys());
  }

  /** Lets others have the lane as soon as nothing is under way in it. */
  async #end(lane: Lane): Promise<void> {
    await lane.end();
    // What cannot be given is lost with the connection, and taken anew by the next look.
    await this.#shares.give([lane.name]).catch(() => {});
  }

  async #closeStandby(names: Iterable<string>): Promise<void> {
    for (const name of [...names]) {
      const standby = this.#standby.get(name);
      this.#standby.delete(name);
      if (standby) await closeDestination(standby.destination, name, this.#parts);
    }
  }

  #fingerprint(name: string): string | undefined {
    return (this.#lanes.get(name) ?? this.#standby.get(name))?.config.fingerprint;
  }

  #members(): Member[] {
    const all = [...this.#lanes.values(), ...this.#standby.values()];
    const members = new Map(all.map(({ config, destination: { limits } }) => [config.name, limits]));
    return [...(this.#config?.destinations.values() ?? [])].flatMap(({ name, renamedFrom }) => {
      const limits = members.get(name);
      if (!limits) return [];
      const keys = [laneKey(name), `limit:${limits.key}`];
      if (limits.serial !== undefined) keys.push(`serial:${limits.serial}`);
      if (renamedFrom !== undefined) keys.push(laneKey(renamedFrom));
      return [{ name, keys }];
    });
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
    fetchAtPace = pace.fetch(config.timeout, abort.signal, () => this.#parts.serving.isSure);
    return { config, destination, pace, abort, isNew: true };
  }

  async #switch(config: Config, wanted: Set<string>, opened: Opened[]): Promise<void> {
    const replaced = new Set(opened.map((each) => each.config.name));
    const goes = (name: string) => !wanted.has(name) || replaced.has(name);
    const ending = [...this.#lanes.values()].filter((lane) => goes(lane.name));
    await this.#closeStandby([...this.#standby.keys()].filter(goes));
    await Promise.all(ending.map((lane) => this.#end(lane)));
    try {
      await this.#renameDisabled(config);
    } finally {
      // Until now they could still tell people what went wrong.
      for (const lane of ending) this.#lanes.delete(lane.name);
      await Promise.all(ending.map((lane) => lane.close()));
      for (const each of opened) this.#standby.set(each.config.name, each);
      this.#config = config;
      this.#setPaces();
    }
  }

  /** Runs lanes that are this process's now. What fails is tried again with the next look. */
  async #begin(names: string[]): Promise<void> {
    const { store, log, metrics, scrub, report } = this.#parts;
    for (const name of names) await this.#rename(name);
    await freeClaims(this.#parts, names);
    const paused = await store.pausedKeys();
    const records = await store.lanes();
    const states = new Map(records.map((state) => [state.destination, state]));
    for (const opened of names.map((name) => this.#standby.get(name))) {
      if (!opened) continue;
      const { config, destination, pace, abort, isNew } = opened;
      const { key, serial } = destination.limits;
      pace.pause(paused.get(key) ?? 0);
      if (this.#shares.hasOthers) pace.follow();
      const state = states.get(config.name) ?? { destination: config.name, paused: false, halt: undefined };
      // Whoever changed the config or started the relay may have mended what halted the lane.
      if (isNew && state.halt) await store.setHalt(config.name, undefined);
      // Lost meanwhile.
      if (!this.#shares.has(config.name)) continue;
      const lane = new Lane(
        {
          config,
          destination,
          store,
          pace,
          serial: serial === undefined ? undefined : this.#paces.serial(serial),
          timezone: this.#config?.timezone ?? 'UTC',
          log,
          metrics,
          scrub,
          report,
          abort,
          giveUp: this.#giveUp.signal,
        },
        isNew ? { ...state, halt: undefined } : state,
      );
      this.#lanes.set(config.name, lane);
      this.#standby.delete(config.name);
      lane.start();
    }
  }

  /** Ends lanes that another process is to have, and keeps their destinations open for the case that they come back. */
  async #stop(names: string[]): Promise<void> {
    const ending = names.map((name) => this.#lanes.get(name)).filter((lane) => lane !== undefined);
    await Promise.all(ending.map((lane) => lane.end()));
    await Promise.all(ending.map((lane) => this.#stand(lane)));
  }

  /** What is under way can be recorded no more. */
  #cut(): void {
    if (this.#lanes.size === 0) return;
    const lanes = [...this.#lanes.keys()];
    this.#parts.log.warn({ step: 'lanes.lost', lanes }, 'lanes lost: the connection to the store broke');
    for (const lane of this.#lanes.values()) lane.cut();
  }

  async #stand(lane: Lane): Promise<void> {
    this.#lanes.delete(lane.name);
    await lane.close();
    const config = this.#config?.destinations.get(lane.name);
    if (config && this.#config) this.#standby.set(lane.name, { ...this.#open(config, this.#config), isNew: false });
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
    const all = [...this.#lanes.values(), ...this.#standby.values()];
    for (const [pace, lanes] of Map.groupBy(all, ({ pace }) => pace)) {
      const [slowest] = lanes
        .map(({ config, destination }) => config.pace ?? destination.limits)
        .sort((a, b) => a.calls / a.per - b.calls / b.per);
      if (slowest) pace.limit(slowest.calls, slowest.per);
    }
  }

  /** Carries over what has the lane's former name: no process has a lane of that name while this one has its lock. */
  async #rename(name: string): Promise<void> {
    const { store, log } = this.#parts;
    const from = this.#config?.destinations.get(name)?.renamedFrom;
    if (from === undefined) return;
    const moved = await store.rename(from, name);
    if (moved > 0) log.info({ step: 'destination.renamed', from, destination: name, moved }, 'destination renamed');
  }

  /** Lanes that nobody serves: what is theirs goes by their new names too. */
  async #renameDisabled({ destinations }: Config): Promise<void> {
    for (const { name, enabled, renamedFrom } of destinations.values()) {
      if (enabled || renamedFrom === undefined) continue;
      if (!(await this.#parts.serving.take(name, [laneKey(name), laneKey(renamedFrom)]))) continue;
      try {
        await this.#parts.store.rename(renamedFrom, name);
      } finally {
        await this.#parts.serving.give(name);
      }
    }
  }

  /** Relays of an older config go on to store deliveries under former names; others died and left claims in lanes that nobody has. */
  async #tidy(): Promise<void> {
    for (const name of this.#lanes.keys()) await this.#rename(name);
    await freeClaims(this.#parts);
  }
}

/** Held with a lane, under each name that it has or had. */
function laneKey(name: string): string {
  return `lane:${name}`;
}
