import { HALT_PROBE_INTERVAL, nextDelay } from '../backoff.ts';
import type { Settlement } from '../store/store.ts';
import type { Ended } from './attempt.ts';

export interface SettleContext {
  /** Attempts counted so far, this one among them. */
  attempts: number;
  /** Milliseconds between attempts. */
  schedule: readonly number[];
  /** Epoch milliseconds. */
  now: number;
  /** The breaker is open: a failed probe costs nothing. */
  probing: boolean;
}

/** Decides what the end of an attempt makes of a delivery. */
export function settle({ outcome, doubt, note }: Ended, context: SettleContext): Settlement {
  const settled = ofOutcome(outcome, context);
  return {
    ...settled,
    ...(settled.state === 'delivered' && note && { note }),
    ...(doubt !== undefined && { doubt }),
  };
}

function ofOutcome(outcome: Ended['outcome'], { attempts, schedule, now, probing }: SettleContext): Settlement {
  switch (outcome.kind) {
    case 'delivered':
      return { state: 'delivered', receipt: outcome.receipt };
    case 'reject':
      return { state: 'failed', reason: outcome.reason, detail: outcome.detail, fix: outcome.fix };
    case 'halt':
      // Due after the next probe, so that the probe is another delivery each time.
      return pending(outcome, now + HALT_PROBE_INTERVAL + 1, false, outcome.fix);
    case 'waiting':
      return pending(outcome, now + outcome.afterMs, false);
    case 'retry':
      if (outcome.afterMs !== undefined) return pending(outcome, now + outcome.afterMs, false);
      break;
    case 'unknown':
      break;
  }
  // Only what surely did not arrive: each try with an unknown end may be another message.
  if (probing && outcome.kind === 'retry') return pending(outcome, now + (nextDelay(schedule, 1) ?? 0), false);
  const delay = nextDelay(schedule, attempts);
  if (delay !== undefined) return pending(outcome, now + delay, true);
  return {
    state: 'failed',
    reason: outcome.reason,
    detail: outcome.detail,
    fix: `It was tried ${attempts === 1 ? 'once' : `${attempts} times`}, as its retry schedule says. Find out why the service does not answer, then \`versive-relay retry\` it.`,
  };
}

function pending(
  outcome: Exclude<Ended['outcome'], { kind: 'delivered' }>,
  nextAttemptAt: number,
  counted: boolean,
  fix?: string,
): Settlement {
  const { reason, detail } = outcome;
  return { state: 'pending', nextAttemptAt, reason, detail, counted, ...(fix !== undefined && { fix }) };
}
