import { unpackBody } from './rows.ts';
import type { StoredEvent } from './store.ts';

/** Something with a body, as it is stored: packed. */
export type Packed<T> = Omit<T, 'body' | 'damage'> & { packed: Uint8Array };

/** Bytes of bodies that are kept. */
const LIMIT = 32_000_000;

/**
 * Bodies that were accepted or read of late, by event: each of an event's deliveries wants the same one, and most soon
 * after it was accepted.
 */
export class Bodies {
  readonly #kept = new Map<string, Buffer>();
  #bytes = 0;

  keep(event: string, body: Buffer): void {
    if (body.length > LIMIT || this.#kept.has(event)) return;
    this.#kept.set(event, body);
    this.#bytes += body.length;
    for (const [oldest, { length }] of this.#kept) {
      if (this.#bytes <= LIMIT) break;
      this.#kept.delete(oldest);
      this.#bytes -= length;
    }
  }

  get(event: string): Buffer | undefined {
    return this.#kept.get(event);
  }

  drop(events: readonly string[]): void {
    for (const event of events) {
      this.#bytes -= this.#kept.get(event)?.length ?? 0;
      this.#kept.delete(event);
    }
  }

  /** A stored event with its body; empty when that was removed. */
  stored(event: Packed<StoredEvent>): StoredEvent {
    if (event.removedAt === undefined) return this.unpack(event.id, event);
    this.drop([event.id]);
    const { packed: _, ...rest } = event;
    return { ...rest, body: Buffer.alloc(0) };
  }

  /** What was packed, with its body; empty, with why, when the disk has changed it. */
  unpack<T extends { packed: Uint8Array }>(event: string, { packed, ...rest }: T): Omit<T, 'packed'> & Unpacked {
    const kept = this.#kept.get(event);
    if (kept) return { ...rest, body: kept };
    const unpacked = unpackBody(packed);
    if (unpacked.damage === undefined) this.keep(event, unpacked.body);
    return { ...rest, ...unpacked };
  }
}

interface Unpacked {
  body: Buffer;
  damage?: string;
}
