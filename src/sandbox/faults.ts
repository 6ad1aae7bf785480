import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/** Ways in which a service can fail, as its client sees them. */
export const FAULT_KINDS = [
  /** Too many requests, with Retry-After; nothing is written. */
  '429',
  /** Internal error; nothing is written. */
  '500',
  /** The write happens, and the answer is 503. */
  '503-after-write',
  /** No answer until the client goes or the sandbox closes; nothing is written. */
  'hang',
  /** The connection is torn down; nothing is written. */
  'reset',
  /** The write happens, and the connection is torn down before the answer. */
  'reset-after-write',
  /** The call is served after `ms`. */
  'slow',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export interface Fault {
  kind: FaultKind;
  /** How many calls meet it. */
  times: number;
  /** Seconds, of a 429 (1 by default) or a 503 (none by default). Null leaves the header out. */
  retryAfter?: number | null;
  /** Milliseconds, of `slow` (1,000 by default). */
  ms?: number;
  /** Only calls whose path (as sent, with query) contains this meet it. */
  path?: string;
}

/**
 * A service's error body.
 * @param written what the service answered to the write that happened all the same, of the kinds `…-after-write`
 */
export type FaultBody = (status: number, retryAfter?: number, written?: unknown) => unknown;

interface FaultEvents {
  /** The list of waiting faults has changed. */
  change: [];
  /** A call came in spite of a Retry-After that was answered so many milliseconds before. */
  early: [ms: number];
}

/** The faults that wait for a stand-in's next calls, first in, first out. */
export class Faults extends EventEmitter<FaultEvents> {
  readonly #body: FaultBody;
  #waiting: Fault[] = [];
  #hurried = Promise.withResolvers<void>();
  /** The last 429 with a Retry-After: when it was answered, and until when no call may come; monotonic milliseconds. */
  #quiet = { since: 0, until: 0 };

  /** @param body makes error bodies of the service's own shape */
  constructor(body: FaultBody) {
    super();
    this.#body = body;
  }

  inject(fault: Fault): void {
    if (fault.times < 1) return;
    this.#waiting.push({ ...fault });
    this.emit('change');
  }

  clear(): void {
    this.#waiting = [];
    this.emit('change');
  }

  /** What has not been met yet; `times` counts down. */
  list(): Fault[] {
    return this.#waiting.map((fault) => ({ ...fault }));
  }

  /** Serves the slow calls that wait. */
  hurry(): void {
    this.#hurried.resolve();
    this.#hurried = Promise.withResolvers();
  }

  async #linger(ms: number): Promise<void> {
    const ended = new AbortController();
    const over = sleep(ms, undefined, { ref: false, signal: ended.signal }).catch(() => {});
    await Promise.race([over, this.#hurried.promise]);
    ended.abort();
  }

  /** Makes all routes of a scope fail as told. Call it before the routes are declared. */
  install(app: FastifyInstance): void {
    const afterWrite = new WeakMap<FastifyRequest, Fault>();

    // preHandler: the body has been read by then, as a real service would, so that an early answer resets no upload.
    app.addHook('preHandler', async (request, reply) => {
      const now = performance.now();
      if (now < this.#quiet.until) this.emit('early', now - this.#quiet.since);
      const fault = this.#take(request);
      if (!fault) return;
      if (fault.kind === 'slow') await this.#linger(fault.ms ?? 1000);
      else if (isAfterWrite(fault)) afterWrite.set(request, fault);
      else return this.#fail(fault, request, reply);
    });

    app.addHook('onSend', async (request, reply, payload) => {
      const fault = afterWrite.get(request);
      if (!fault) return payload;
      if (fault.kind === 'reset-after-write') {
        request.raw.socket.destroy();
        return payload;
      }
      const body = this.#body(503, fault.retryAfter ?? undefined, parsed(payload));
      reply.code(503).removeHeader('content-length');
      if (fault.retryAfter != null) reply.header('retry-after', String(fault.retryAfter));
      return typeof body === 'string' ? body : JSON.stringify(body);
    });
  }

  #take(request: FastifyRequest): Fault | undefined {
    const index = this.#waiting.findIndex(
      (fault) =>
        (fault.path === undefined || request.url.includes(fault.path)) &&
        // A read has nothing that could be written.
        !(isAfterWrite(fault) && request.method === 'GET'),
    );
    const fault = this.#waiting[index];
    if (!fault) return undefined;
    fault.times -= 1;
    if (fault.times === 0) this.#waiting.splice(index, 1);
    this.emit('change');
    return fault;
  }

  #fail(fault: Fault, request: FastifyRequest, reply: FastifyReply): FastifyReply {
    switch (fault.kind) {
      case 'hang':
        return reply.hijack();
      case 'reset':
        request.raw.socket.destroy();
        return reply.hijack();
      case '429': {
        const retryAfter = fault.retryAfter === undefined ? 1 : (fault.retryAfter ?? undefined);
        if (retryAfter !== undefined) {
          const since = performance.now();
          this.#quiet = { since, until: since + retryAfter * 1000 };
          reply.header('retry-after', String(retryAfter));
        }
        return reply.code(429).send(this.#body(429, retryAfter));
      }
      default:
        return reply.code(500).send(this.#body(500));
    }
  }
}

function isAfterWrite(fault: Fault): boolean {
  return fault.kind === '503-after-write' || fault.kind === 'reset-after-write';
}

function parsed(payload: unknown): unknown {
  if (typeof payload !== 'string') return undefined;
  try {
    return JSON.parse(payload);
  } catch {
    return payload;
  }
}
