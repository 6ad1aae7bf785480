import { Webhook } from 'svix';

/** The secret of the Standard Webhooks test vector. */
export const SIGNING_SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

/** The headers that Svix would send with a body. */
export function signatureOf(
  body: string,
  id: string,
  at = new Date(),
  secret = SIGNING_SECRET,
): Record<string, string> {
  return {
    'content-type': 'application/json',
    'svix-id': id,
    'svix-timestamp': String(Math.floor(at.getTime() / 1000)),
    'svix-signature': new Webhook(secret).sign(id, at, body),
  };
}
