import { HALT_PROBE_INTERVAL } from '../backoff.ts';
import type { Halt, LaneRecord } from '../store/store.ts';
import type { Ended } from './attempt.ts';
import { insist } from './insist.ts';
import type { LaneParts } from './lane-parts.ts';

/** Whether a lane stands still until someone acts: paused by a person, or halted by what its service said. */
export class Standing {
  readonly #parts: Pick<LaneParts, 'store' | 'log' | 'report' | 'giveUp'>;
  #record: LaneRecord;
  /** Grows before and after each change that the lane itself makes to its record: odd while one is under way. */
  changes = 0;
  #nextProbe = 0;

  constructor(parts: Pick<LaneParts, 'store' | 'log' | 'report' | 'giveUp'>, record: LaneRecord) {
    this.#parts = parts;
    this.#record = record;
  }

  get isPaused(): boolean {
    return this.#record.paused;
  }

  get isHalted(): boolean {
    return this.#record.halt !== undefined;
  }

  /** When a halted lane may ask whether things are well again; monotonic, as all times that only this process needs. */
  get nextProbe(): number {
    return this.#nextProbe;
  }

  /** Takes over what `pause`, `resume` or another process made of the lane. */
  follow(record: LaneRecord): void {
    this.#record = record;
  }

  /** Halts the lane, or lets it flow, as the outcome says. */
  async observe(outcome: Ended['outcome'], isProbe: boolean): Promise<void> {
    const { log, report } = this.#parts;
    const { destination } = this.#record;
    if (outcome.kind === 'halt') {
      this.#nextProbe = performance.now() + HALT_PROBE_INTERVAL;
      if (this.isHalted) return;
      const { reason, detail, fix } = outcome;
      await this.#setHalt({ reason, detail, fix, since: Date.now() });
      log.warn({ step: 'lane.halted', destination, reason, detail, fix }, 'lane halted');
      report({ kind: 'halted', destination, detail, fix });
      return;
    }
    // Only a probe says that things are well again: other deliveries were under way before the halt.
    if (!this.isHalted || !isProbe || outcome.kind === 'waiting') return;
    this.#nextProbe = performance.now() + HALT_PROBE_INTERVAL;
    if (outcome.kind !== 'delivered' && outcome.kind !== 'reject') return;
    await this.#setHalt(undefined);
    log.info({ step: 'lane.resumed', destination }, 'lane resumed: a probe was taken');
  }

  async #setHalt(halt: Halt | undefined): Promise<void> {
    const { store, giveUp } = this.#parts;
    this.changes += 1;
    this.#record = { ...this.#record, halt };
    try {
      await insist(() => store.setHalt(this.#record.destination, halt), giveUp);
    } finally {
      this.changes += 1;
    }
  }
}
