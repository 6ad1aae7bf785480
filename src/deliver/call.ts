import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { Readable } from 'node:stream';

/** Answers that have no body (the Fetch standard's null body statuses), of those that a request can get. */
const NO_BODY = new Set([204, 205, 304]);

/** What a call sends that needs none of `fetch`'s own work: bytes to an address, whose answer is taken as it comes. */
interface PlainInit extends RequestInit {
  redirect: 'manual';
  headers: Record<string, string>;
  body: Uint8Array;
}

/** Whether `call` can make it. */
export function isPlain(init: RequestInit | undefined): init is PlainInit {
  if (init?.redirect !== 'manual' || !(init.body instanceof Uint8Array) || init.signal) return false;
  return isPlainObject(init.headers);
}

/**
 * Makes a call as `fetch` does, in about a fifth of the processor time, which is most of what a delivery takes.
 *
 * @param timeout milliseconds, until the answer's body has been read
 * @param signal cuts the call off
 * @returns the answer, once its headers are there
 * @throws whatever Node's HTTP client throws; the signal's reason, or a TimeoutError
 */
export function call(
  input: string | URL,
  { method = 'GET', headers, body }: PlainInit,
  { timeout, signal }: { timeout: number; signal: AbortSignal },
): Promise<Response> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<Response>();
  const url = typeof input === 'string' ? new URL(input) : input;
  const request = (url.protocol === 'https:' ? requestHttps : requestHttp)(url, {
    method,
    headers: { ...headers, 'content-length': body.byteLength },
  });
  const cut = () => request.destroy(signal.reason as Error);
  const late = () => request.destroy(new DOMException('The operation was aborted due to timeout', 'TimeoutError'));
  const timer = setTimeout(late, timeout);
  signal.addEventListener('abort', cut);
  request.once('close', () => {
    clearTimeout(timer);
    signal.removeEventListener('abort', cut);
  });
  request.on('error', reject);
  request.once('response', (answer) => {
    const status = answer.statusCode ?? 0;
    const isEmpty = NO_BODY.has(status) || answer.headers['content-length'] === '0';
    if (isEmpty) answer.resume();
    try {
      resolve(
        new Response(isEmpty ? null : (Readable.toWeb(answer) as ReadableStream), {
          status,
          headers: pairs(answer.rawHeaders),
        }),
      );
    } catch (error) {
      request.destroy();
      reject(error);
    }
  });
  request.end(body);
  return promise;
}

function isPlainObject(value: unknown): value is Record<string, string> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

/** Names and values, which Node lists one after the other. */
function pairs(raw: string[]): [string, string][] {
  return Array.from({ length: raw.length / 2 }, (_, index) => [raw[2 * index] ?? '', raw[2 * index + 1] ?? '']);
}
