import { RelayError } from '../errors.ts';
import { unpackBody } from './packing.ts';
import type { Claim, ClaimRequest, Settlement, Store } from './store.ts';

/** A claim whose body is yet to be unpacked, or to be read. */
export interface BodilessClaim extends Omit<Claim, 'body' | 'damage'> {
  packed?: Packed;
}

/** A body as it is stored, how many bytes it has unpacked, and how many deliveries of its event are still to be claimed. */
export interface Packed {
  zstd: Uint8Array;
  size: number;
  wanted: number;
}

/** Reads packed bodies, by the id of their event. */
export type ReadPacked = (events: string[]) => Promise<Map<string, Packed>>;

/** So many events at least, and twice as many at most, are remembered as kept: about as many as fit the limit. */
const MOST = 2_000;

/** Bytes of bodies that are kept. */
const LIMIT = 32_000_000;

/** Milliseconds for which one is kept at least, while it is wanted; twice that at most. Its lane, or its retry, is late then. */
const KEPT = 3_000;

interface Kept {
  body: Buffer;
  /** How many claims are yet to want it, as far as is known. */
  wanted: number;
  isOld: boolean;
}

/** Bodies that were accepted or read of late, by event: each of an event's deliveries wants the same one, and most at once. */
export class Bodies {
  readonly #read: ReadPacked;
  readonly #kept = new Map<string, Kept>();
  #bytes = 0;
  #aging: NodeJS.Timeout | undefined;
  /** Give back claims, and could not yet. */
  #owed: (() => Promise<unknown>)[] = [];

  constructor(read: ReadPacked) {
    this.#read = read;
  }

  /** Keeps one while there is room: those that came before are wanted before. */
  keep(event: string, body: Buffer, wanted: number): void {
    if (wanted < 1 || this.#kept.has(event)) return;
    // What a lane that stands still has not fetched makes room.
    for (const [old, { isOld }] of this.#kept) {
      if (!isOld || this.#bytes + body.length <= LIMIT) break;
      this.#drop(old);
    }
    if (this.#bytes + body.length > LIMIT) return;
    this.#kept.set(event, { body, wanted, isOld: false });
    this.#bytes += body.length;
    this.#aging ??= setInterval(() => this.#age(), KEPT).unref();
  }

  #age(): void {
    for (const [event, kept] of this.#kept) {
      if (kept.isOld) this.#drop(event);
      kept.isOld = true;
    }
    if (this.#kept.size > 0) return;
    clearInterval(this.#aging);
    this.#aging = undefined;
  }

  /**
   * Gives claims their bodies; an empty one, with why, when the disk has changed or lost it.
   *
   * @param store takes the claims back when their bodies cannot be read; those that it cannot take, with the next ones
   * @throws RelayError RELAY_STORE_BUSY when they cannot
   */
  async fill(claims: BodilessClaim[], request: ClaimRequest, store: Pick<Store, 'record'>): Promise<Claim[]> {
    if (this.#owed.length > 0) await this.#giveBack([]);
    const kept = claims.map(({ event }) => this.#take(event.id));
    const unread = claims
      .filter(({ packed }, index) => kept[index] === undefined && packed === undefined)
      .map(({ event }) => event.id);
    try {
      const packed = unread.length === 0 ? new Map<string, Packed>() : await this.#read(unread);
      return claims.map(({ packed: sent, ...claim }, index) => {
        const { id } = claim.event;
        // Another lane may have read it meanwhile.
        const body = kept[index] ?? this.#take(id);
        if (body) return { ...claim, body };
        const { zstd, size, wanted } = sent ?? packed.get(id) ?? { zstd: Buffer.alloc(0), size: 0, wanted: 0 };
        const unpacked = unpackBody(zstd, size);
        if (unpacked.damage === undefined) this.keep(id, unpacked.body, wanted);
        return { ...claim, ...unpacked };
      });
    } catch (error) {
      await this.#giveBack(
        claims.map((claim) => () => store.record(claim.token, request.target, givenBack(claim, request))),
      );
      throw new RelayError('RELAY_STORE_BUSY', 'what is due could not be read', { cause: error });
    }
  }

  async #giveBack(more: (() => Promise<unknown>)[]): Promise<void> {
    const owed = [...this.#owed, ...more];
    this.#owed = [];
    const ended = await Promise.allSettled(owed.map((give) => give()));
    this.#owed.push(...owed.filter((_, index) => ended[index]?.status === 'rejected'));
  }

  #take(event: string): Buffer | undefined {
    const kept = this.#kept.get(event);
    if (kept === undefined) return undefined;
    kept.wanted -= 1;
    if (kept.wanted === 0) this.#drop(event);
    return kept.body;
  }

  #drop(event: string): void {
    this.#bytes -= this.#kept.get(event)?.body.length ?? 0;
    this.#kept.delete(event);
  }
}

/**
 * Which events the other thread has the bodies of, as far as this one can know: it may have dropped some, and asks for them
 * then.
 */
export class KeptElsewhere {
  #late = new Set<string>();
  #early = new Set<string>();

  add(event: string): void {
    this.#late.add(event);
    if (this.#late.size < MOST) return;
    this.#early = this.#late;
    this.#late = new Set();
  }

  has(event: string): boolean {
    return this.#late.has(event) || this.#early.has(event);
  }
}

/** As if it had not been claimed: nothing was sent. */
function givenBack({ delivery, doubt }: BodilessClaim, { now }: ClaimRequest): Settlement {
  return {
    state: 'pending',
    nextAttemptAt: delivery.nextAttemptAt ?? now,
    reason: delivery.reason ?? 'network',
    detail: delivery.detail ?? 'the event could not be read',
    ...(delivery.fix !== undefined && { fix: delivery.fix }),
    counted: false,
    unsent: true,
    ...(doubt && { doubt: doubt.since }),
  };
}
