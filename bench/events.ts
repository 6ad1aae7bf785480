/** The events that the benchmarks send: realistic interviews of 25 KB, signed, each of another participant. */
import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { type Agent, request } from 'node:http';
import { sampleInterview } from '../src/sandbox/samples.ts';
import { SECRET } from './servers.ts';

const KEY = Buffer.from(SECRET.slice('whsec_'.length), 'base64');
const BYTES = 25_000;
/** Stands in the body where each event has its own id. */
const HOLE = '@interview@';

const [head = '', tail = ''] = body25KB().split(HOLE);

/** A sample interview, its transcript lengthened with those of others until the body has 25 KB. */
function body25KB(): string {
  const payload = sampleInterview(0);
  const interview = { ...payload.interview, id: HOLE, transcript: '', is_mock: false };
  const short = JSON.stringify({ ...payload, interview }).length;
  const words = Array.from({ length: 60 }, (_, n) => String(sampleInterview(n).interview.transcript)).join(' ');
  const plain = words.replaceAll(/["\n]/g, ' ');
  return JSON.stringify({ ...payload, interview: { ...interview, transcript: plain.slice(0, BYTES - short) } });
}

/** The body of an event about this interview. */
export function bodyOf(interview: string = randomUUID()): string {
  return `${head}${interview}${tail}`;
}

/** Characters of a KSUID, in their order. */
const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** Where the time of KSUIDs begins, epoch seconds. */
const KSUID_EPOCH = 1_400_000_000;

/**
 * An id as Svix makes it: a KSUID, whose first bytes are the time. Ids that come one after the other are neighbours in an
 * index, as they are in production (https://github.com/svix/svix-webhooks, server/svix-server/src/core/types/mod.rs).
 */
export function messageId(now = Date.now()): string {
  const time = Buffer.alloc(5);
  time.writeUInt32BE(Math.floor(now / 1000) - KSUID_EPOCH);
  time.writeUInt8(Math.floor((now % 1000) / 4), 4);
  let rest = BigInt(`0x${Buffer.concat([time, randomBytes(15)]).toString('hex')}`);
  let id = '';
  for (let n = 0; n < 27; n += 1) {
    id = BASE62.charAt(Number(rest % 62n)) + id;
    rest /= 62n;
  }
  return `msg_${id}`;
}

/** The headers of Svix for a body, with an id of its own. */
export function signed(body: string): Record<string, string> {
  const id = messageId();
  const timestamp = String(Math.floor(Date.now() / 1000));
  const signature = createHmac('sha256', KEY).update(`${id}.${timestamp}.${body}`).digest('base64');
  return {
    'content-type': 'application/json',
    'svix-id': id,
    'svix-timestamp': timestamp,
    'svix-signature': `v1,${signature}`,
  };
}

/** Posts one body. @returns milliseconds until the answer was there */
export function post(agent: Agent, url: string, body: string, headers = signed(body)): Promise<number> {
  const answered = Promise.withResolvers<number>();
  const began = performance.now();
  const length = { 'content-length': Buffer.byteLength(body) };
  request(url, { method: 'POST', agent, headers: { ...headers, ...length } }, (response) => {
    response.resume().once('end', () => {
      const { statusCode = 0 } = response;
      if (statusCode < 300) answered.resolve(performance.now() - began);
      else answered.reject(new Error(`${url} answered ${statusCode}`));
    });
  })
    .once('error', answered.reject)
    .end(body);
  return answered.promise;
}
