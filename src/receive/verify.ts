import type { IncomingHttpHeaders } from 'node:http';
import { Webhook } from 'svix';
import type { SourceConfig } from '../config/config.ts';
import type { Secret } from '../options.ts';
import { withNativeHmac } from './native-hmac.ts';

declare const verified: unique symbol;

/** A request that its source signed. Only `verify` makes one. */
export interface VerifiedRequest {
  readonly [verified]: true;
  source: SourceConfig;
  svixId: string;
  /** The bytes as they were received. */
  body: Buffer;
  /** What they say. */
  text: string;
}

/** Seconds that a signature's timestamp may be off, both ways: the tolerance of svix (standardwebhooks/dist/index.js). */
const TOLERANCE = 300;

/** A `svix-id` is kept for ever, and so is not any text: as long as svix' own are, with room. */
const LONGEST_ID = 256;

/** The signature headers by either of svix' names, or undefined when they cannot verify. */
interface SignatureHeaders {
  'svix-id': string;
  'svix-timestamp': string;
  'svix-signature': string;
}

/**
 * Judges the headers alone, before a body is read: forged and stale requests cost no hashing. Undefined when svix would
 * refuse them anyway.
 *
 * @param now epoch milliseconds
 */
export function signatureHeaders(headers: IncomingHttpHeaders, now: number): SignatureHeaders | undefined {
  const read = (name: string) => {
    const value = headers[`svix-${name}`] ?? headers[`webhook-${name}`];
    return typeof value === 'string' ? value : '';
  };
  const [id, timestamp, signature] = [read('id'), read('timestamp'), read('signature')];
  if (id === '' || id.length > LONGEST_ID || !/^\d{1,12}$/.test(timestamp)) return undefined;
  if (Math.abs(Math.floor(now / 1000) - Number(timestamp)) > TOLERANCE) return undefined;
  if (!/(^| )v1,[A-Za-z0-9+/]{43}=( |$)/.test(signature)) return undefined;
  return { 'svix-id': id, 'svix-timestamp': timestamp, 'svix-signature': signature };
}

/** svix decides, with each secret of the source. Undefined when none of them signed these bytes. */
export function verify(source: SourceConfig, headers: IncomingHttpHeaders, body: Buffer): VerifiedRequest | undefined {
  const signed = signatureHeaders(headers, Date.now());
  if (!signed) return undefined;
  const text = body.toString();
  for (const secret of source.secrets) {
    try {
      webhookOf(secret).verify(text, { ...signed });
    } catch {
      // Whatever svix throws means: not signed with this secret.
      continue;
    }
    return { source, svixId: signed['svix-id'], body, text } as VerifiedRequest;
  }
  return undefined;
}

/** One for each secret of a config, for as long as that config is in force. */
const webhooks = new WeakMap<Secret, Webhook>();

/** @throws Error for a secret that svix cannot read */
function webhookOf(secret: Secret): Webhook {
  let webhook = webhooks.get(secret);
  if (webhook === undefined) {
    webhook = withNativeHmac(new Webhook(secret.reveal()));
    webhooks.set(secret, webhook);
  }
  return webhook;
}
