import type { Reason, Receipt } from './model.ts';

/** How an attempt ended. Connectors return it; the relay decides what happens next. */
export type Outcome =
  | { kind: 'delivered'; receipt: Receipt }
  | { kind: 'retry'; reason: Reason; detail: string; afterMs?: number }
  | { kind: 'reject'; reason: Reason; detail: string; fix: string }
  | { kind: 'halt'; reason: Reason; detail: string; fix: string }
  | { kind: 'unknown'; reason: Reason; detail: string };

type OutcomeOf<Kind extends Outcome['kind']> = Extract<Outcome, { kind: Kind }>;

/** Any outcome but that it arrived. */
export type Failure = OutcomeOf<Exclude<Outcome['kind'], 'delivered'>>;

/** A failure of a call that does no harm when it is made again, such as a read: its unclear end is no unknown end. */
export function repeatable(failure: Failure): Failure {
  return failure.kind === 'unknown' ? retry(failure.reason, failure.detail) : failure;
}

/** What a connector sees when it looks for an earlier try; an outcome that is not `delivered` when it could not be asked now. */
export type Sighting =
  | { kind: 'found'; receipt: Receipt }
  | { kind: 'absent' }
  | { kind: 'blind'; detail: string; fix: string }
  | Failure;

/** It is there, whole or in part: the delivery goes on as an update of it. */
export function found(receipt: Receipt): Sighting {
  return { kind: 'found', receipt };
}

/** It is not there. The relay believes it only once a write that is still on its way would have landed. */
export function absent(): Sighting {
  return { kind: 'absent' };
}

/** It cannot be told, now or later: the delivery is sent again, may so arrive twice, and says so with this detail and fix. */
export function blind(detail: string, fix: string): Sighting {
  return { kind: 'blind', detail, fix };
}

/** It arrived. `receipt.url` is what a person opens to see it. */
export function delivered(receipt: Receipt): OutcomeOf<'delivered'> {
  return { kind: 'delivered', receipt };
}

/**
 * It surely did not arrive, and may later.
 * @param detail the service's own words
 * @param afterMs what the service asked to wait (Retry-After); it pauses the whole limit key and costs no attempt
 */
export function retry(reason: Reason, detail: string, afterMs?: number): OutcomeOf<'retry'> {
  return { kind: 'retry', reason, detail, ...(afterMs !== undefined && { afterMs }) };
}

/** This item will never arrive as it is. `fix` tells an ops person what would change that. */
export function reject(reason: Reason, detail: string, fix: string): OutcomeOf<'reject'> {
  return { kind: 'reject', reason, detail, fix };
}

/** Nothing will arrive at this destination until someone acts as `fix` says. */
export function halt(reason: Reason, detail: string, fix: string): OutcomeOf<'halt'> {
  return { kind: 'halt', reason, detail, fix };
}

/** It was sent, and no one knows whether it arrived. */
export function unknown(reason: Reason, detail: string): OutcomeOf<'unknown'> {
  return { kind: 'unknown', reason, detail };
}

/** System errors after which the request cannot have reached the service (Node's `error.code`, undici's `UND_ERR_…`). */
const NEVER_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** The service's certificate was not accepted: Node hangs up before it sends the request. */
const CERTIFICATE = /^(CERT_|ERR_TLS_CERT_|SELF_SIGNED_CERT|DEPTH_ZERO_SELF_SIGNED|UNABLE_TO_(GET|VERIFY)_)/;

/**
 * The outcome of a call that ended without an answer: `retry` when the request cannot have been sent, `unknown`
 * otherwise. SDKs wrap such errors differently (`cause`, Slack's `original`, gaxios' `error`), so the whole chain is searched.
 * Gives undefined for an error that is no transport error.
 */
export function transportOutcome(error: unknown): Failure | undefined {
  for (const link of chain(error)) {
    const { code, name } = link as { code?: unknown; name?: unknown };
    const message = link instanceof Error ? link.message : String(link);
    if (typeof code === 'string' && NEVER_SENT.has(code)) return retry('network', `no connection (${code})`);
    if (typeof code === 'string' && CERTIFICATE.test(code)) {
      return retry('network', `the certificate of the service was not accepted (${code})`);
    }
    if (name === 'TimeoutError' || name === 'AbortError' || code === 'ETIMEDOUT') {
      return unknown('timeout', name === 'AbortError' ? 'the call was cut off' : message);
    }
    if (typeof code === 'string' && /^(ECONN|EPIPE|UND_ERR_|ERR_SSL|ERR_TLS|HPE_|ERR_STREAM)/.test(code)) {
      return unknown('network', `the connection broke (${code})`);
    }
  }
  const fetchFailed = chain(error).some((link) => link instanceof TypeError && link.message === 'fetch failed');
  return fetchFailed ? unknown('network', 'the connection broke') : undefined;
}

function chain(error: unknown): object[] {
  const links: object[] = [];
  let rest: unknown = error;
  while (typeof rest === 'object' && rest !== null && !links.includes(rest) && links.length < 8) {
    links.push(rest);
    const { cause, original, error: inner } = rest as { cause?: unknown; original?: unknown; error?: unknown };
    rest = cause ?? original ?? inner;
  }
  return links;
}

/**
 * Milliseconds of a Retry-After header: seconds, or an HTTP date (RFC 9110, 10.2.3). Undefined when there is none or it
 * cannot be read.
 *
 * @param now epoch milliseconds, or the answer's own Date header: a date is best reckoned by the clock that gave it
 */
export function retryAfterMs(
  header: string | null | undefined,
  now: number | string | null = Date.now(),
): number | undefined {
  if (header == null || header.trim() === '') return undefined;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000);
  const date = Date.parse(header);
  if (Number.isNaN(date)) return undefined;
  const read = typeof now === 'number' ? now : Date.parse(now ?? '');
  return Math.max(0, date - (Number.isNaN(read) ? Date.now() : read));
}
