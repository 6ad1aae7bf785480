import type { DestinationConfig } from '../config/config.ts';
import type { Destination } from '../connector.ts';
import type { Outcome } from '../outcome.ts';
import type { Claim, LaneRecord, Offer, Settlement } from '../store/store.ts';
import { attempt, type Ended } from './attempt.ts';
import { Breaker } from './breaker.ts';
import { closeDestination } from './close-destination.ts';
import { Doubts } from './doubts.ts';
import { insist } from './insist.ts';
import type { LaneParts } from './lane-parts.ts';
import { Outstanding } from './outstanding.ts';
import { type Pace, tally } from './pace.ts';
import { Places } from './places.ts';
import { RateLimit } from './rate-limit.ts';
import { damaged, settle, superseded, unbegun } from './settle.ts';
import { Standing } from './standing.ts';
import { wideLine } from './wide-line.ts';

/** Milliseconds that attempts under way get when a lane stops. */
const GRACE = 10_000;

/** Times its width that a lane may have under way while the store is slow to record what has arrived. */
const UNRECORDED = 4;

/** Milliseconds to wait when the store cannot say what is due. */
const STORE_AWAY = 1_000;

/** Least milliseconds between two looks at what is due. */
const SHORTEST_NAP = 50;

/** Milliseconds until it looks again when what is due waits for another of its subject to end; a retry may be as late then. */
const BUSY_NAP = 250;

/** Longest wait of a timer, milliseconds; what is due later is looked at again. */
const LONGEST_NAP = 60_000;

/**
 * The queue of one destination: claims what is due, in order and within its limits, and records how each attempt ended.
 * Lanes never wait for each other, except those that write to one serial key.
 */
export class Lane {
  readonly name: string;
  readonly #parts: LaneParts;
  readonly #breaker = new Breaker();
  readonly #rateLimit = new RateLimit();
  /** By subject, from its claim until its end is recorded. */
  readonly #underWay = new Map<string, Promise<void>>();
  /** For attempts whose end is not known yet. */
  readonly #places: Places;
  readonly #offers = new Outstanding();
  readonly #standing: Standing;
  readonly #doubts: Doubts;
  #ending = false;
  /** How often somebody said that there is something to look for. */
  #wakes = 0;
  /** It has looked, and nothing is due before its nap ends: no end of an attempt need wake it. */
  #isClear = false;
  /** When it last looked there was no place left for what is due, or it claimed as many as there were places. */
  #isBehind = true;
  /** What was due by then was claimed, or waits for another of its subject; epoch milliseconds. */
  #looked = 0;
  #woken = Promise.withResolvers<void>();
  #running: Promise<void> | undefined;

  constructor(parts: LaneParts, record: LaneRecord) {
    this.#parts = parts;
    this.name = parts.config.name;
    this.#standing = new Standing(parts, record);
    const { limits, deliverMany } = parts.destination;
    this.#places = new Places(deliverMany ? 1 : (limits.concurrency ?? 1));
    const { timeout, settles = parts.destination.settles } = parts.config;
    this.#doubts = new Doubts({ timeout, settles });
  }

  get destination(): Destination {
    return this.#parts.destination;
  }

  get config(): DestinationConfig {
    return this.#parts.config;
  }

  get pace(): Pace {
    return this.#parts.pace;
  }

  /** Grows with each change that the lane itself makes to its record: odd while one is under way. */
  get changes(): number {
    return this.#standing.changes;
  }

  start(): void {
    this.#parts.metrics.breakerOpen.set({ destination: this.name }, this.#breaker.open ? 1 : 0);
    this.#running ??= this.#run();
  }

  /** Looks again at what is due. */
  wake(): void {
    this.#wakes += 1;
    this.#isClear = false;
    this.#woken.resolve();
  }

  /**
   * Offers to take the delivery of an event that is being accepted. Undefined when that must wait its turn: others have waited
   * longer, the lane stands still, or it delivers many at a time. `take` tells what became of the offer.
   */
  offer(): Offer | undefined {
    if (this.#ending || !this.#running || this.#parts.serial || this.destination.deliverMany) return undefined;
    if (this.#isBehind || this.#sendsNothing || this.#isFull) return undefined;
    if (!this.#places.hasWaitingPlace(this.#offers.count)) return undefined;
    this.#offers.begin();
    return { destination: this.name, target: this.destination.target };
  }

  /** @param claim undefined when the offer was not taken */
  take(claim: Claim | undefined): void {
    if (claim) this.#track([claim], false, this.#wakes);
    else this.wake();
    this.#offers.end();
  }

  /** Takes over what `pause`, `resume` or another process made of the lane. */
  follow(state: LaneRecord | undefined): void {
    this.#standing.follow(state ?? { destination: this.name, paused: false, halt: undefined });
    this.wake();
  }

  /** Cuts off what is under way. */
  cut(): void {
    this.#parts.abort.abort();
  }

  /** Claims nothing more, and gives attempts under way ten seconds, then aborts them. */
  async end(): Promise<void> {
    this.#ending = true;
    this.wake();
    const grace = setTimeout(() => this.#parts.abort.abort(), GRACE);
    await this.#running;
    await this.#offers.settled();
    await Promise.all(this.#underWay.values());
    clearTimeout(grace);
  }

  /** After `end`. */
  async close(): Promise<void> {
    this.#parts.abort.abort();
    this.#parts.metrics.breakerOpen.remove({ destination: this.name });
    await closeDestination(this.destination, this.name, this.#parts);
  }

  async #run(): Promise<void> {
    while (!this.#ending) {
      // Armed before looking, so that a wake between the look and the nap is not missed.
      this.#woken = Promise.withResolvers();
      try {
        const wait = this.#blockedFor();
        if (wait > 0) {
          this.#isBehind = true;
          await this.#nap(wait);
        } else if (!(await this.#turn())) await this.#rest();
      } catch (error) {
        const { log, scrub } = this.#parts;
        log.warn({ step: 'lane.stalled', destination: this.name, error: scrub(String(error)) }, 'lane stalled');
        await this.#nap(STORE_AWAY);
      }
    }
  }

  /** Nothing could be claimed: waits for the next that is due. */
  async #rest(): Promise<void> {
    const wakes = this.#wakes;
    const next = (await this.#parts.store.nextDue(this.name)) ?? Number.POSITIVE_INFINITY;
    const isBlocked = next <= this.#looked;
    this.#isClear = !isBlocked && wakes === this.#wakes;
    await this.#nap(isBlocked ? BUSY_NAP : next - Date.now());
    this.#isClear = false;
  }

  /** Waits for a wake, or so many milliseconds. */
  async #nap(ms: number): Promise<void> {
    const { promise, resolve } = this.#woken;
    const timer = setTimeout(resolve, Math.min(LONGEST_NAP, Math.max(SHORTEST_NAP, ms)));
    await promise;
    clearTimeout(timer);
  }

  /** Milliseconds in which nothing may be claimed; 0 or less for none. A service's Retry-After outranks every probe. */
  #blockedFor(): number {
    if (this.#standing.isPaused || this.#claimable <= 0) return Number.POSITIVE_INFINITY;
    const probe = this.#standing.isHalted ? this.#standing.nextProbe : this.#breaker.until;
    return Math.max(this.#parts.pace.pausedFor, probe - performance.now());
  }

  /** While halted or behind an open breaker, one delivery at a time asks whether things are well again. */
  get #probing(): boolean {
    return this.#standing.isHalted || this.#breaker.open;
  }

  /** Nothing may be sent now but a probe. */
  get #sendsNothing(): boolean {
    return this.#standing.isPaused || this.#probing || this.#parts.pace.pausedFor > 0;
  }

  /** What has arrived takes no place while that is recorded, within reason. */
  get #isFull(): boolean {
    return this.#underWay.size >= UNRECORDED * this.#places.width;
  }

  /** How many attempts may be claimed for now. */
  get #claimable(): number {
    if (this.#probing) return this.#underWay.size === 0 && this.#offers.count === 0 ? 1 : 0;
    return this.#isFull ? 0 : this.#places.free - this.#offers.count;
  }

  /** Claims what is due and begins it. False when nothing was due. */
  async #turn(): Promise<boolean> {
    const { serial } = this.#parts;
    if (!serial) return this.#begin();
    return serial.add(async () => {
      // Much may have happened while it waited for its turn.
      if (this.#ending || this.#blockedFor() > 0) return true;
      const begun = await this.#begin();
      await Promise.all(this.#underWay.values());
      return begun;
    });
  }

  async #begin(): Promise<boolean> {
    const { store } = this.#parts;
    const { batch } = this.destination.limits;
    const probe = this.#probing;
    const wakes = this.#wakes;
    const now = Date.now();
    const limit = probe ? 1 : this.destination.deliverMany ? (batch ?? 1) : this.#claimable;
    const claims = await store.claim({
      destination: this.name,
      target: this.destination.target,
      standsAlone: this.destination.standsAlone === true,
      now,
      limit,
      except: [...this.#underWay.keys()],
    });
    this.#isBehind = claims.length >= limit;
    this.#looked = now;
    const broken = claims.filter(({ damage }) => damage !== undefined);
    await Promise.all(
      broken.map((claim) => this.#settle(claim, damaged(claim), { ms: 0, probe: false, probing: false })),
    );
    const old = claims.filter((claim) => claim.superseded && !broken.includes(claim));
    await Promise.all(old.map((claim) => this.#supersede(claim)));
    const due = claims.filter((claim) => !claim.superseded && !broken.includes(claim));
    const together = this.destination.deliverMany ? [due] : due.map((claim) => [claim]);
    for (const group of together) {
      if (group.length > 0) this.#track(group, probe, wakes);
    }
    return claims.length > 0;
  }

  /** What a later event has delivered stands; this one is done with it. */
  async #supersede(claim: Claim): Promise<void> {
    const { log } = this.#parts;
    await this.#recordEnd(claim, () => superseded(claim));
    const { id: delivery, event, subject, destination } = claim.delivery;
    log.info(
      { step: 'delivery.superseded', delivery, event, subject, destination },
      'a later event was delivered already',
    );
  }

  /** @param wakes how many there had been when they were claimed */
  #track(claims: Claim[], probe: boolean, wakes: number): void {
    let attempting = true;
    const ended = () => {
      if (attempting) this.#places.leave();
      attempting = false;
      // A verb may have wished meanwhile for something that could only be done now.
      if (!this.#isClear || wakes !== this.#wakes) this.#woken.resolve();
    };
    const turn = this.#places.enter();
    const end = (turn ? turn.then(() => this.#begun(claims, probe, ended)) : this.#begun(claims, probe, ended))
      .catch((error: unknown) => {
        const { log, scrub } = this.#parts;
        log.warn(
          { step: 'lane.unrecorded', destination: this.name, error: scrub(String(error)) },
          'an outcome could not be recorded',
        );
      })
      .finally(() => {
        for (const claim of claims) this.#underWay.delete(claim.event.subject);
        ended();
      });
    for (const claim of claims) this.#underWay.set(claim.event.subject, end);
  }

  /** Since it was claimed, the lane may have been stopped, above all while it waited for a place. */
  async #begun(claims: Claim[], probe: boolean, ended: () => void): Promise<void> {
    if (probe || !(this.#ending || this.#sendsNothing)) return this.#attempt(claims, probe, ended);
    await Promise.all(claims.map((claim) => this.#recordEnd(claim, () => unbegun(claim))));
  }

  /** @param ended called when the end is known and stands nothing in the way of the next attempt: it is yet to be recorded */
  async #attempt(claims: Claim[], probe: boolean, ended: () => void): Promise<void> {
    const { store, timezone, abort, giveUp, scrub, metrics, report } = this.#parts;
    const started = performance.now();
    const count = { asked: 0, waited: 0, calls: 0 };
    const context = { store, timezone, signal: abort.signal, giveUp, scrub, doubts: this.#doubts };
    const ends = await tally.run(count, () => attempt(claims, this.destination, context));
    const outcomes = ends.map(({ outcome }) => outcome).filter((outcome) => outcome.kind !== 'waiting');
    const ms = Math.max(0, Math.round(performance.now() - started - count.waited));
    metrics.attemptSeconds.observe({ destination: this.name }, ms / 1000);
    const unmade = count.asked > 0 && count.calls === 0;
    if (abort.signal.aborted && unmade && ends.every(({ outcome }) => outcome.kind === 'unknown')) {
      await Promise.all(claims.map((claim) => this.#recordEnd(claim, () => unbegun(claim))));
      return;
    }
    const afterMs = this.#rateLimit.pauseOf(outcomes, performance.now());
    if (afterMs !== undefined) await this.#parts.pace.hold(afterMs);
    if (this.#rateLimit.isLasting(performance.now())) {
      report({ kind: 'down', destination: this.name, detail: 'it has refused every call for its rate' });
    }
    const probing = this.#probing;
    if (outcomes.length > 0) this.#observe(outcomes);
    if (outcomes.length > 0 && outcomes.every(({ kind }) => kind === 'delivered')) ended();
    // Together, so that a batch shares a commit.
    await Promise.all(
      claims.map(async (claim, index) => {
        const end = ends[index];
        if (!end) return;
        const { outcome } = end;
        const refused =
          outcome.kind === 'retry' && (outcome.afterMs !== undefined || outcome.reason === 'rate_limited');
        const obeyed = refused && afterMs !== undefined ? { ...outcome, afterMs } : outcome;
        await this.#settle(claim, { ...end, outcome: obeyed }, { ms, probe, probing });
      }),
    );
  }

  #observe(outcomes: readonly Outcome[]): void {
    const { log, metrics, report } = this.#parts;
    const turned = this.#breaker.observe(outcomes, performance.now());
    metrics.breakerOpen.set({ destination: this.name }, this.#breaker.open ? 1 : 0);
    if (turned === undefined) return;
    log.warn({ step: `breaker.${turned}`, destination: this.name }, `breaker ${turned}`);
    const [first] = outcomes;
    const detail = first && first.kind !== 'delivered' ? first.detail : '';
    if (turned === 'lasting') report({ kind: 'down', destination: this.name, detail });
  }

  async #settle(
    claim: Claim,
    end: Ended,
    { ms, probe, probing }: { ms: number; probe: boolean; probing: boolean },
  ): Promise<void> {
    const { config, log, metrics } = this.#parts;
    const { outcome } = end;
    const { attempts, subject } = claim.delivery;
    if (outcome.kind === 'unknown') this.#doubts.left(subject);
    const { ours, settlement } = await this.#recordEnd(claim, () =>
      settle(end, { attempts, schedule: config.retry, now: Date.now(), probing }),
    );
    metrics.deliveries.inc({
      destination: this.name,
      outcome: settlement.state === 'failed' ? 'failed' : outcome.kind,
      reason: outcome.kind === 'delivered' ? '' : outcome.reason,
    });
    log.info(
      { step: 'delivery.attempted', ...wideLine(claim, end, settlement), ms, ...(!ours && { recorded: false }) },
      'delivery attempted',
    );
    await this.#afterwards(claim, outcome, settlement, probe);
  }

  /**
   * @param judge made anew for each try to commit it: while the disk was full, the clock may have been set back
   * @returns `ours` is false when the claim is no longer ours, or when the relay ended before the store could commit: it is
   *   then tried again
   */
  async #recordEnd(claim: Claim, judge: () => Settlement): Promise<{ ours: boolean; settlement: Settlement }> {
    const { store, giveUp } = this.#parts;
    let settlement = judge();
    const ours = await insist(() => {
      settlement = judge();
      return store.record(claim.token, this.destination.target, settlement);
    }, giveUp);
    if (settlement.state === 'pending') this.wake();
    return { ours: ours ?? false, settlement };
  }

  /** What an outcome means for the lane, and for the people who run it. */
  async #afterwards(claim: Claim, outcome: Ended['outcome'], settlement: Settlement, probe: boolean): Promise<void> {
    await this.#standing.observe(outcome, probe);
    if (settlement.state !== 'failed') return;
    const { detail, fix } = settlement;
    const { id: delivery, subject } = claim.delivery;
    this.#parts.report({ kind: 'failed', destination: this.name, delivery, subject, detail, fix });
  }
}
