import type { FaultBody } from '../faults.ts';

/** A method's refusal, as Slack answers it: HTTP 200, and `ok: false` with a code. */
export class SlackRefusal extends Error {
  readonly body: Record<string, unknown>;

  constructor(error: string, more: Record<string, unknown> = {}) {
    super(error);
    this.body = { ok: false, error, ...more };
  }
}

/** What Slack says when it fails by itself, by HTTP status. */
export const faultBody: FaultBody = (status) => ({
  ok: false,
  error: status === 429 ? 'ratelimited' : 'internal_error',
});
