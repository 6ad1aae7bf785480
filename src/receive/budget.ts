import type { IncomingMessage, ServerResponse } from 'node:http';

/** Bytes of bodies that may be read at once. */
const BYTES = 200_000_000;

/**
 * Bounds the memory of request bodies: whoever knows the form of Svix' headers can send bodies that nobody signed, many at
 * once.
 */
export class BodyBudget {
  readonly #limit: number;
  readonly #most: number;
  #taken = 0;

  /** @param limit the largest body that is read, in bytes; what a request that does not say its length may need */
  constructor(limit: number) {
    this.#limit = limit;
    this.#most = Math.max(BYTES, 2 * limit);
  }

  /** Takes room for a request's body until it has been answered, or its connection is gone. False when there is none. */
  take(request: IncomingMessage, response: ServerResponse): boolean {
    const length = Number(request.headers['content-length'] ?? this.#limit);
    const bytes = Math.min(Number.isFinite(length) ? length : this.#limit, this.#limit);
    if (this.#taken + bytes > this.#most) return false;
    this.#taken += bytes;
    // Not the request's: one that is refused unread never closes.
    response.once('close', () => {
      this.#taken -= bytes;
    });
    return true;
  }
}
