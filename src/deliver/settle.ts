import { HALT_PROBE_INTERVAL, nextDelay } from '../backoff.ts';
import type { Reason } from '../model.ts';
import { reject } from '../outcome.ts';
import type { Claim, Settlement } from '../store/store.ts';
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
export function settle({ outcome, doubt, note, unsent }: Ended, context: SettleContext): Settlement {
  const settled = ofOutcome(outcome, context);
  return {
    ...settled,
    ...(settled.state === 'delivered' && note && { note }),
    ...(doubt !== undefined && { doubt }),
    ...(unsent && { unsent }),
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
  { reason, detail }: { reason: Reason; detail: string },
  nextAttemptAt: number,
  counted: boolean,
  fix?: string,
): Settlement {
  return { state: 'pending', nextAttemptAt, reason, detail, counted, ...(fix !== undefined && { fix }) };
}

/** The end of a delivery whose event the disk has changed. */
export function damaged({ damage, doubt }: Claim): Ended {
  const fix = 'Look at the health of the disk, and restore the store from a copy.';
  return { outcome: reject('bug', damage ?? '', fix), doubt: doubt?.since };
}

/** Of a delivery whose attempt ended before its first call: an earlier doubt stays, this one adds none; nor a reason. */
export function unbegun({ delivery, doubt }: Claim): Settlement {
  const {
    reason = 'timeout',
    detail = 'the relay stopped, or its destination stood still, before the call',
    fix,
  } = delivery;
  const left = doubt === undefined ? {} : { doubt: doubt.since };
  // As long as it was due: no later event may overtake it.
  const due = Math.min(delivery.nextAttemptAt ?? Number.POSITIVE_INFINITY, Date.now());
  return { ...pending({ reason, detail }, due, false, fix), unsent: true, ...left };
}

/** Of a delivery whose event is older than the one that a receipt was made from. */
export function superseded({ receipt = {}, doubt }: Claim): Settlement {
  const note = {
    detail: 'a later event about this interview stands there: this one would bring older words back, and was not sent',
    fix: 'Nothing needs to be done; `replay --new` posts this event beside it.',
  };
  return { state: 'delivered', receipt, note, ...(doubt && { doubt: doubt.since }) };
}
