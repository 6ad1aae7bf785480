import type { Claim, Settlement } from '../store/store.ts';
import type { Ended } from './attempt.ts';

/** The fields of the log line of an attempt. Holds ids and the service's words, nothing that a participant said. */
export function wideLine(claim: Claim, { outcome, saw }: Ended, settlement: Settlement): object {
  const { id, event, subject, destination, attempts } = claim.delivery;
  return {
    delivery: id,
    event,
    subject,
    destination,
    attempt: attempts,
    ...(saw && { earlier_try: saw }),
    outcome: outcome.kind,
    state: settlement.state,
    ...(settlement.doubt !== undefined && { in_doubt: true }),
    ...(outcome.kind !== 'delivered' && { reason: outcome.reason, detail: outcome.detail }),
    ...(settlement.state === 'delivered' && { url: settlement.receipt.url }),
    ...(settlement.state === 'failed' && { fix: settlement.fix }),
    ...(settlement.state === 'pending' && { next: new Date(settlement.nextAttemptAt).toISOString() }),
  };
}
