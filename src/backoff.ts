const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/**
 * Milliseconds until the next attempt, ±20 % so that deliveries that failed together do not come back together.
 * Undefined when the schedule is used up.
 *
 * @param attempts how many were counted, 1 or more
 * @param random in [0, 1)
 */
export function nextDelay(schedule: readonly number[], attempts: number, random = Math.random()): number | undefined {
  const delay = schedule[attempts - 1];
  return delay === undefined ? undefined : Math.round(delay * (0.8 + 0.4 * random));
}

/**
 * Milliseconds until an open breaker lets one probe through: 5 s, then twice as long each time, up to 5 m.
 *
 * @param probes how many have failed since it opened
 */
export function probeDelay(probes: number): number {
  return Math.min(5 * MINUTE, 5 * SECOND * 2 ** Math.min(probes, 10));
}

/** Milliseconds after which a service that takes nothing is news. */
export const LASTING = 15 * MINUTE;

/** Milliseconds between the probes of a halted lane. */
export const HALT_PROBE_INTERVAL = 5 * MINUTE;
