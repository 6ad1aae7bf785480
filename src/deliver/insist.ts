import { setTimeout as sleep } from 'node:timers/promises';
import { RelayError } from '../errors.ts';

/** Milliseconds between tries. */
const AGAIN = 1_000;

/**
 * Repeats what the store cannot read or commit until it can: what must not be lost once it has happened.
 *
 * @param signal ends the tries
 * @returns undefined when the signal ended them
 * @throws whatever the work throws but a RelayError
 */
export async function insist<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof RelayError)) throw error;
      if (signal.aborted) return undefined;
      await sleep(AGAIN);
    }
  }
}
