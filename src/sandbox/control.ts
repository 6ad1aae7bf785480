import type { EventEmitter } from 'node:events';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { z } from 'zod';
import { FAULT_KINDS, type Fault, type Faults } from './faults.ts';

export const SERVICES = ['slack', 'notion', 'sheets'] as const;
export type Service = (typeof SERVICES)[number];

/** Whatever says that it has changed. */
type Changing = Record<'on' | 'off', (event: 'change', listener: () => void) => unknown>;

/** What the control API needs of a stand-in. */
interface StandIn extends EventEmitter<{ change: [] }> {
  readonly faults: Faults;
  /** All that the page shows; JSON. */
  snapshot(): unknown;
}

/** What the page shows of a relay, beside the services. */
export interface RelayState {
  /** Events that it keeps. */
  events: number;
  destinations: {
    name: string;
    connector: string;
    delivered: number;
    failed: number;
    /** Pending, waiting for its first attempt. */
    pending: number;
    /** Pending, with an attempt behind it. */
    retrying: number;
    /** Of the last attempt that did not deliver, while something is retrying or failed. */
    reason: string | undefined;
    /** When the next attempt is due, epoch milliseconds, while something is retrying. */
    nextAttemptAt: number | undefined;
    /** Why the lane stands still. */
    halted: string | undefined;
  }[];
}

/** What the page says of an interview that was sent. */
export interface SentInterview {
  study: string;
  participant: string;
  destinations: string[];
}

/** What the demo adds to the page. */
export interface Demo {
  /** Posts more sample interviews to the relay; with a service, such as are routed to it. */
  send(count: number, service?: Service): Promise<SentInterview[]>;
  relay(): Promise<RelayState>;
}

interface Controlled {
  standIns: Record<Service, StandIn>;
  /** Emits `change` when another demo is attached. */
  attached: EventEmitter<{ change: [] }>;
  demo: () => Demo | undefined;
}

/** Everything comes from the sandbox itself, and nothing that a participant said can run, load or frame anything. */
const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
  "form-action 'none'; frame-ancestors 'none'; base-uri 'none'";

/** Changes within this many milliseconds reach the page as one. */
const COALESCE_MS = 60;
/** How often the relay is asked for its state while someone is watching, in milliseconds. */
const RELAY_POLL_MS = 250;

const faultSchema = z.strictObject({
  service: z.enum(SERVICES),
  kind: z.enum(FAULT_KINDS),
  times: z.int().min(1).max(10_000).default(1),
  retryAfter: z.number().min(0).max(86_400).nullable().optional(),
  ms: z.int().min(0).max(600_000).optional(),
  path: z.string().optional(),
});

const sendSchema = z.strictObject({
  count: z.coerce.number().int().min(1).max(100).default(1),
  /** Only interviews that are routed to it. */
  service: z.enum(SERVICES).optional(),
});

/** The page at `/`, and the control API under `/sandbox`. */
export function controlRoutes({ standIns, attached, demo }: Controlled): (app: FastifyInstance) => Promise<void> {
  const stateOf: Record<string, () => unknown> = {
    faults: () => Object.fromEntries(SERVICES.map((service) => [service, standIns[service].faults.list()])),
    ...Object.fromEntries(SERVICES.map((service) => [service, () => standIns[service].snapshot()])),
    relay: async () => (await demo()?.relay()) ?? null,
  };

  return async (app) => {
    app.addHook('onSend', async (_request, reply, payload) => {
      reply.headers({
        'content-security-policy': PAGE_POLICY,
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
      });
      return payload;
    });
    await app.register(fastifyStatic, {
      root: fileURLToPath(new URL('./page', import.meta.url)),
      cacheControl: false,
    });

    app.get('/sandbox/state', async () => {
      const entries = Object.entries(stateOf).map(async ([part, state]) => [part, await state()] as const);
      return Object.fromEntries(await Promise.all(entries));
    });

    // One server-sent event for each part that changed, named after it: `slack`, `notion`, `sheets`, `faults`, `relay`.
    app.get('/sandbox/events', (request, reply) => {
      const stream = openStream(reply);
      const changed = new Set(Object.keys(stateOf));
      const sent = new Map<string, string>();
      let timer: NodeJS.Timeout | undefined;

      const flush = async (): Promise<void> => {
        const parts = [...changed];
        changed.clear();
        for (const part of parts) {
          const state = JSON.stringify(await stateOf[part]?.());
          if (sent.get(part) === state) continue;
          sent.set(part, state);
          stream.write(`event: ${part}\ndata: ${state}\n\n`);
        }
        timer = undefined;
        if (changed.size > 0) schedule();
      };
      const schedule = (): void => {
        timer ??= setTimeout(() => {
          flush().catch((error: unknown) => stream.destroy(error instanceof Error ? error : new Error(String(error))));
        }, COALESCE_MS);
      };
      const mark = (part: string) => (): void => {
        changed.add(part);
        schedule();
      };

      const stops: (() => void)[] = [];
      const listen = (emitter: Changing, part: string): void => {
        const listener = mark(part);
        emitter.on('change', listener);
        stops.push(() => emitter.off('change', listener));
      };
      for (const service of SERVICES) {
        listen(standIns[service], service);
        listen(standIns[service].faults, 'faults');
      }
      listen(attached, 'relay');
      const poll = setInterval(mark('relay'), RELAY_POLL_MS);
      request.raw.socket.once('close', () => {
        clearInterval(poll);
        clearTimeout(timer);
        for (const stop of stops) stop();
      });
      schedule();
    });

    app.post('/sandbox/faults', async (request, reply) => {
      const judged = faultSchema.safeParse(request.body);
      if (!judged.success) return reply.code(400).send({ error: z.prettifyError(judged.error) });
      const { service, ...fault } = judged.data;
      standIns[service].faults.inject(fault as Fault);
      return { service, waiting: standIns[service].faults.list() };
    });

    app.delete('/sandbox/faults', async (_request, reply) => {
      for (const service of SERVICES) standIns[service].faults.clear();
      return reply.code(204).send();
    });

    app.post('/sandbox/send', async (request, reply) => {
      const judged = sendSchema.safeParse(request.query);
      if (!judged.success) return reply.code(400).send({ error: z.prettifyError(judged.error) });
      const attachedDemo = demo();
      if (!attachedDemo) {
        return reply.code(409).send({ error: 'This sandbox has no relay to send to: start it with the verb demo.' });
      }
      const { count, service } = judged.data;
      return reply.code(202).send({ sent: await attachedDemo.send(count, service) });
    });
  };
}

function openStream(reply: FastifyReply): NodeJS.WritableStream & { destroy(error: Error): unknown } {
  reply.hijack();
  reply.raw.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  return reply.raw;
}
