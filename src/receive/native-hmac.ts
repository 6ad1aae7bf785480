import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import type { Webhook } from 'svix';

/** The Standard Webhooks object inside svix' Webhook, which its `verify` asks for the right signature. */
interface Signer {
  key: Uint8Array;
  sign(id: string, timestamp: Date, payload: string | Buffer): string;
}

/**
 * Puts Node's own HMAC under svix' `verify`, which still judges headers, time and signatures: its JavaScript HMAC takes
 * most of the time of a request. A Webhook that is not made as expected stays as it is.
 *
 * @returns the same Webhook
 */
export function withNativeHmac(webhook: Webhook): Webhook {
  const signer: unknown = Reflect.get(webhook, 'inner');
  if (!isSigner(signer)) return webhook;
  const key = createSecretKey(signer.key);
  if (!agrees(signer, key)) return webhook;
  const own = signer.sign.bind(signer);
  const sign: Signer['sign'] = (id, timestamp, payload) =>
    typeof payload === 'string' || Buffer.isBuffer(payload)
      ? nativeSign(key, id, timestamp, payload.toString())
      : own(id, timestamp, payload);
  Reflect.set(signer, 'sign', sign);
  return webhook;
}

function isSigner(value: unknown): value is Signer {
  if (typeof value !== 'object' || value === null) return false;
  return Reflect.get(value, 'key') instanceof Uint8Array && typeof Reflect.get(value, 'sign') === 'function';
}

/** Whether both sign the same way: a later svix might do it otherwise. */
function agrees(signer: Signer, key: KeyObject): boolean {
  const [id, time, payload] = ['msg_trial', new Date(1_614_265_330_000), '{"trial": "äöü"}'] as const;
  try {
    return signer.sign(id, time, payload) === nativeSign(key, id, time, payload);
  } catch {
    return false;
  }
}

/**
 * As https://www.standardwebhooks.com has it: over the id, the time in seconds and the body, joined by dots. Of bytes that are
 * no text svix signs the text that they are read as, with replacements.
 */
function nativeSign(key: KeyObject, id: string, timestamp: Date, payload: string): string {
  const seconds = Math.floor(timestamp.getTime() / 1000);
  return `v1,${createHmac('sha256', key).update(`${id}.${seconds}.`).update(payload).digest('base64')}`;
}
