import { delivered, halt, type Outcome, reject, retry, retryAfterMs, unknown } from 'versive-relay/connector';

/**
 * Server errors that say the request was not processed: 503 (RFC 9110, 15.6.4), 507, and those of Cloudflare for an
 * origin that it could not reach. Of any other one nobody knows whether the event was taken.
 */
const NOT_PROCESSED = new Set([503, 507, 521, 522, 523, 525, 526]);
/** Bytes of an answer that are read, so that its connection can be used again; a longer answer costs the connection. */
const MOST_READ = 65_536;

/** What an endpoint's answer means for a delivery. Its body is not shown: it may repeat what was sent. */
export function answerOutcome({ status, headers }: Response, id: string): Outcome {
  const detail = `the endpoint answered HTTP ${status}`;
  const after = retryAfterMs(headers.get('retry-after'), headers.get('date'));
  if (status >= 200 && status < 300) return delivered({ id, status });
  if (status === 429) return retry('rate_limited', detail, after);
  if (status === 408) return retry('timeout', detail, after);
  if (status === 425 || NOT_PROCESSED.has(status)) return retry('server', detail, after);
  if (status >= 500) return unknown('server', detail);
  switch (status) {
    case 401:
      return halt(
        'auth',
        detail,
        'Correct the credentials in `headers:` or the `secret:`, as the endpoint expects them.',
      );
    case 403:
      return halt('forbidden', detail, 'Let the endpoint accept calls with these `headers:` and this `secret:`.');
    case 404:
      return halt('not_found', detail, 'Correct `url:`, or bring the endpoint back; nothing answers at this address.');
    case 405:
    case 501:
      return halt('invalid', detail, 'Set `method:` to one that the endpoint takes.');
    case 407:
      return halt('auth', detail, 'Give the proxy between the relay and the endpoint its credentials.');
    case 410:
      return reject(
        'not_found',
        detail,
        'The endpoint wants no more of these: take the destination out of its routes.',
      );
    case 413:
      return reject('too_large', detail, 'Send less with `body:`, or let the endpoint take more; the event is kept.');
    case 415:
      return halt('invalid', detail, 'Set a `content-type` in `headers:`, or a `body:`, that the endpoint takes.');
  }
  if (status >= 300 && status < 400) {
    return halt(
      'invalid',
      `${detail}, a redirect`,
      'Put the address that it leads to in `url:`; redirects are not followed.',
    );
  }
  return reject(
    'invalid',
    detail,
    'See in the log of the endpoint what it expects, and adapt `body:`; the event is kept.',
  );
}

/** Reads an answer's body to its end, or gives it up when it is long. */
export async function drain(response: Response): Promise<void> {
  if (!response.body) return;
  let read = 0;
  for await (const chunk of response.body) {
    read += chunk.byteLength;
    // Leaving the loop cancels the rest.
    if (read > MOST_READ) return;
  }
}
