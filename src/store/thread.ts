import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { type ErrorCode, RelayError } from '../errors.ts';
import type { Receipt } from '../model.ts';
import { firstClaims } from './accept.ts';
import { Bodies } from './bodies.ts';
import type { CommitOptions } from './commit.ts';
import type { SqliteStore } from './sqlite.ts';
import type { Store } from './store.ts';

/** What goes to the thread. */
export interface Call {
  id: number;
  method: Method;
  args: unknown[];
}

/** What comes back from it. */
export type Answer = { id: number; result: unknown } | { id: number; error: SentError };

/** An error on its way between threads, where it would lose its class. */
interface SentError {
  code?: ErrorCode;
  message: string;
  fix?: string | undefined;
  stack?: string | undefined;
}

/** Posted by the thread when something else has changed the store. */
export const CHANGED = 'changed';

/** What is asked of the thread: all of a store but `watch`, whose callback cannot go there. Claims get their bodies here. */
const METHODS = [
  'acceptBodiless',
  'claimBodiless',
  'checkpoint',
  'record',
  'release',
  'nextDue',
  'retry',
  'discard',
  'replay',
  'add',
  'prune',
  'lanes',
  'setPaused',
  'setHalt',
  'rename',
  'pauseKey',
  'pausedKeys',
  'events',
  'deliveries',
  'deliveriesOf',
  'event',
  'packed',
  'delivery',
  'backlog',
  'ping',
  'close',
] as const satisfies (keyof SqliteStore)[];

type Method = (typeof METHODS)[number];

/**
 * Opens the SQLite store of a file on a thread of its own: neither the disk's sync nor the packing of a body then keeps the
 * event loop from answering. Should the thread die, so does the process: what was under way is taken up when it starts again.
 *
 * @throws RelayError RELAY_STORE_OPEN, RELAY_STORE_NEWER
 */
export async function openOnThread(file: string, options: CommitOptions): Promise<Store> {
  const entry = new URL('./thread-start.js', import.meta.url);
  const worker = new Worker(entry, { workerData: { file, options }, name: 'store' });
  const [opened] = (await once(worker, 'message')) as [Answer];
  if ('error' in opened) throw received(opened.error);
  return callsTo(worker);
}

function callsTo(worker: Worker): Store {
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  let calls: Call[] = [];
  let last = 0;
  let closed: Promise<unknown> | undefined;
  let told: (() => void) | undefined;
  /** Something changed before anyone watched. */
  let isUnheard = false;

  const end = (answer: Answer) => {
    const ended = waiting.get(answer.id);
    waiting.delete(answer.id);
    if ('error' in answer) ended?.reject(received(answer.error));
    else ended?.resolve(answer.result);
  };
  worker.on('message', (message: Answer[] | typeof CHANGED) => {
    if (message === CHANGED) {
      isUnheard = told === undefined;
      told?.();
      return;
    }
    for (const answer of message) end(answer);
  });
  // Its own errors end the process; nobody else may end it while calls wait for it.
  worker.on('exit', (code) => {
    if (!closed) throw new Error(`the store's thread ended by itself (${code})`);
  });

  const post = (some: Call[]) => {
    try {
      worker.postMessage(some);
    } catch (error) {
      // One of them holds what cannot go to a thread; it keeps no other back.
      const [only, ...more] = some;
      if (only && more.length === 0) end({ id: only.id, error: sent(error) });
      else for (const each of some) post([each]);
    }
  };
  const call = (method: Method, args: unknown[]): Promise<unknown> => {
    last += 1;
    const answer = Promise.withResolvers<unknown>();
    waiting.set(last, answer);
    calls.push({ id: last, method, args });
    // All calls of a turn go together, and so share a commit.
    if (calls.length === 1) {
      setImmediate(() => {
        const together = calls;
        calls = [];
        post(together);
      });
    }
    return answer.promise;
  };
  const close = async () => {
    const exited = once(worker, 'exit');
    await call('close', []);
    await exited;
  };
  const methods = METHODS.map((method) => [
    method,
    async (...args: unknown[]) => {
      if (method === 'close') {
        closed ??= close();
        return closed;
      }
      if (closed) throw new RelayError('RELAY_STORE_BUSY', 'the store is closed');
      return call(method, args);
    },
  ]);
  const watch: Store['watch'] = (changed) => {
    told = () => changed();
    if (isUnheard) setImmediate(told);
  };
  const { acceptBodiless, claimBodiless, packed, ...thread } = Object.fromEntries(methods) as Pick<SqliteStore, Method>;
  const bodies = new Bodies(packed);
  return {
    ...thread,
    takesOffers: true,
    watch,
    // As JSON keeps it: a connector may put into a receipt what cannot go to another thread.
    checkpoint: (token, target, receipt) => thread.checkpoint(token, target, plain(receipt)),
    record(token, target, settlement) {
      const kept =
        settlement.state === 'delivered' ? { ...settlement, receipt: plain(settlement.receipt) } : settlement;
      return thread.record(token, target, kept);
    },
    async accept(event, offers = []) {
      const accepted = firstClaims(event, await acceptBodiless(event, offers));
      const { id, duplicate, deliveries, claims } = accepted;
      if (!duplicate) bodies.keep(id, event.body, deliveries - claims.length);
      return accepted;
    },
    async event(id) {
      const event = await thread.event(id);
      // A Buffer comes from a thread as what it is made of.
      return event && { ...event, body: Buffer.from(event.body.buffer, event.body.byteOffset, event.body.byteLength) };
    },
    async claim(request) {
      return bodies.fill(await claimBodiless(request), request, thread);
    },
  };
}

function plain(receipt: Receipt): Receipt {
  return JSON.parse(JSON.stringify(receipt)) as Receipt;
}

export function sent(error: unknown): SentError {
  if (!(error instanceof Error)) return { message: String(error) };
  const { message, stack } = error;
  return error instanceof RelayError ? { code: error.code, message, fix: error.fix, stack } : { message, stack };
}

function received({ code, message, fix, stack }: SentError): Error {
  const error =
    code === undefined ? new Error(message) : new RelayError(code, message, fix === undefined ? {} : { fix });
  if (stack !== undefined) error.stack = stack;
  return error;
}
