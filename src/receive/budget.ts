import type { IncomingMessage } from 'node:http';

/** Bytes of bodies that may be read at once. */
const BYTES = 200_000_000;

/**
 * Bounds the memory of request bodies: whoever knows the form of Svix' headers can send bodies that nobody signed, many at
 * once.
 */
export class BodyBudget {
  readonly #most: number;
  #taken = 0;

  constructor(most = BYTES) {
    this.#most = most;
  }

  /**
   * Takes room for a request's body until the request has ended. False when there is none.
   * @param limit the largest body that is read, in bytes; what a request that does not say its length may need
   */
  take(request: IncomingMessage, limit: number): boolean {
    const length = Number(request.headers['content-length'] ?? limit);
    const bytes = Math.min(Number.isFinite(length) ? length : limit, limit);
    if (this.#taken + bytes > this.#most) return false;
    this.#taken += bytes;
    request.once('close', () => {
      this.#taken -= bytes;
    });
    return true;
  }
}
