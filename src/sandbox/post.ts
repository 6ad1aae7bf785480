import { randomUUID } from 'node:crypto';
import { Webhook } from 'svix';
import { RelayError } from '../errors.ts';

/** What a relay answered to an event. */
export interface Posted {
  status: number;
  /** Empty when the answer was a refusal. */
  event: string;
  deliveries: number;
}

export interface PostRequest {
  /** Of the relay, with a path prefix if it has one. */
  url: string;
  source: string;
  /** `whsec_…` */
  secret: string;
  body: Buffer;
}

/**
 * Signs a body as Svix does, and posts it to a source of a relay.
 *
 * @throws RelayError RELAY_NOT_RUNNING when nothing listens there
 */
export async function postEvent({ url, source, secret, body }: PostRequest): Promise<Posted> {
  const id = `msg_${randomUUID().replaceAll('-', '')}`;
  const now = new Date();
  const signature = new Webhook(secret).sign(id, now, body);
  let answer: Response;
  try {
    answer = await fetch(`${url.replace(/\/$/, '')}/webhooks/${source}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'svix-id': id,
        'svix-timestamp': String(Math.floor(now.getTime() / 1000)),
        'svix-signature': signature,
      },
      // The bytes that were signed; fetch knows no Buffer by type.
      body: new Uint8Array(body),
    });
  } catch (error) {
    const { code } = ((error as Error).cause ?? {}) as { code?: string };
    throw new RelayError('RELAY_NOT_RUNNING', `no relay answers at ${url} (${code ?? 'no connection'})`, {
      fix: 'Start it with `versive-relay serve`, or give its address with --url.',
      cause: error,
    });
  }
  const text = await answer.text();
  if (!answer.ok) return { status: answer.status, event: '', deliveries: 0 };
  const { event, deliveries } = JSON.parse(text) as { event: string; deliveries: number };
  return { status: answer.status, event, deliveries };
}
