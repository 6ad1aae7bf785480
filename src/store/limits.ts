import { RelayError } from '../errors.ts';

/** The most deliveries, and bytes of their bodies, that one claim takes; at least one delivery whatever its size. */
export const CLAIM_LIMIT = 1000;
export const CLAIM_BYTES = 32_000_000;

/** Claims in a row that may end with no outcome. */
export const STRIKES = 3;

/**
 * Milliseconds, at least, and up to five times as many at random, after which a delivery of two strikes is claimed again,
 * and alone: at the third crash, the one that causes it should be the only one under way.
 */
export const APART = 2_000;

/** What a delivery says that was given up for its strikes. */
export const STRUCK = {
  detail: `The relay ended ${STRIKES} times in the middle of an attempt at this delivery, so no outcome is known.`,
  fix: "Look in the relay's log for why it ended (out of memory, killed, a crash in the connector). The event is kept.",
} as const;

/** The most rows that one commit of a verb changes, so that nothing else waits for long, an acknowledgement least of all. */
export const STEP = 500;

/** The most events that one commit removes: overwriting their bodies takes some milliseconds. */
export const PRUNE_STEP = 200;

/** The pause of a key is kept for so many milliseconds after its end: a clock that jumped ahead only seems to have ended it. */
export const KEY_KEPT = 24 * 3_600_000;

/**
 * Pages in SQLite's WAL that the database file does not have yet, at which it gets them: 16 MB, four times what SQLite would
 * wait for, since the same pages of the indexes change with every event.
 */
export const WAL_PAGES = 4_000;

/** The most writes that wait, and bytes that they hold, unless a store is told otherwise. */
export const WAITING = 4096;
export const WAITING_BYTES = 128_000_000;

/** Milliseconds that a write waits for a lock which another program holds, unless a store is told otherwise. */
export const LOCK_WAIT = 5_000;

/** That too many writes wait. */
export function cannotKeepUp(waiting: number, fix: string): RelayError {
  return new RelayError('RELAY_STORE_BUSY', `the store cannot keep up: ${waiting} writes are waiting`, { fix });
}
