import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify';
import type { ServerConfig, SourceConfig } from '../config/config.ts';
import { RelayError } from '../errors.ts';
import type { Metrics } from '../metrics.ts';
import type { News } from '../news.ts';
import type { Table } from '../route/table.ts';
import type { Accepted, NewEvent, Store } from '../store/store.ts';
import { BodyBudget } from './budget.ts';
import { judge } from './judge.ts';
import { SignatureWatch } from './signatures.ts';
import { signatureHeaders, verify } from './verify.ts';

/** Seconds after which Svix may come back when the relay has no room, or its store cannot commit. */
const RETRY_AFTER = 5;

/** Milliseconds that requests under way get when the receiver closes; then their connections are cut. */
const CLOSING = 2_000;

/** One fixed body a status: a refusal tells a forger nothing. */
const REFUSALS: Record<number, string> = {
  400: 'bad request',
  401: 'the signature does not verify',
  404: 'there is nothing here',
  408: 'the request took too long',
  413: 'the body is too large',
  415: 'only application/json is taken here',
  500: 'the relay failed',
  503: 'the relay cannot store events right now',
};

export interface ReceiverParts {
  server: ServerConfig;
  /** Read at each request, so that a reload is seen whole or not at all. */
  current: () => { sources: ReadonlyMap<string, SourceConfig>; table: Table };
  /** Asked by `/readyz`. */
  store: Pick<Store, 'ping'>;
  metrics: Metrics;
  log: FastifyBaseLogger;
  /**
   * Keeps an event with its deliveries; resolves once it is on disk.
   *
   * @throws RelayError RELAY_STORE_BUSY when the store cannot commit
   */
  keep: (event: NewEvent) => Promise<Accepted>;
  /** Told of what ops should look at. */
  report: (news: News) => void;
  /** False from SIGTERM on. */
  ready: () => boolean;
}

/** Bodies are judged by their signature and `parsePayload`: the compilers of Fastify's schemas need not be loaded. */
function noSchemas(): never {
  throw new Error('no route of the receiver has a schema');
}

/** Takes no more requests, lets those under way end, and cuts connections that send nothing. */
export async function closeReceiver(receiver: FastifyInstance): Promise<void> {
  const cut = setTimeout(() => receiver.server.closeAllConnections(), CLOSING);
  await receiver.close();
  clearTimeout(cut);
}

/** The HTTP side of the relay: webhooks in, and what probes and Prometheus ask. Not listening yet. */
export function createReceiver(parts: ReceiverParts): FastifyInstance {
  const { server, log } = parts;
  const app = Fastify({
    // Its own lines only when something is wrong: each of our steps has one line already.
    loggerInstance: log.child({}, { level: 'warn' }),
    // A logger of its own for each request would say nothing more.
    childLoggerFactory: (logger) => logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: server.bodyLimit,
    trustProxy: server.trustProxy,
    requestTimeout: 30_000,
    forceCloseConnections: 'idle',
    routerOptions: { ignoreTrailingSlash: true },
    schemaController: { compilersFactory: { buildValidator: noSchemas, buildSerializer: noSchemas } },
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.setNotFoundHandler((_request, reply) => refuse(reply, 404));
  app.setErrorHandler((error: Error & { statusCode?: number }, request, reply) => {
    if (error instanceof RelayError && error.code === 'RELAY_STORE_BUSY') {
      log.warn(
        { step: 'request.unstored', error: error.message },
        'the store could not commit; Svix will send it again',
      );
      parts.metrics.refused.inc({ status: 503 });
      return refuse(reply.header('retry-after', RETRY_AFTER), 503);
    }
    const status = error.statusCode !== undefined && error.statusCode < 500 ? error.statusCode : 500;
    if (status === 500)
      log.error({ step: 'request.failed', url: request.routeOptions.url, err: error }, 'request failed');
    parts.metrics.refused.inc({ status });
    return refuse(reply, status);
  });
  const prefix = server.publicUrl === undefined ? '' : new URL(server.publicUrl).pathname.replace(/\/$/, '');
  // A proxy may cut the prefix off, or leave it on.
  const gate: Gate = { ...parts, watch: new SignatureWatch(), budget: new BodyBudget(server.bodyLimit) };
  for (const root of new Set(['', prefix])) app.register(async (scope) => routes(scope, gate), { prefix: root });
  return app;
}

function routes(app: FastifyInstance, gate: Gate): void {
  app.post(
    '/webhooks/:source',
    { onRequest: [(request, reply) => judgeHeaders(request, reply, gate)] },
    (request, reply) => receive(request as FastifyRequest<SourceRoute>, reply, gate),
  );
  app.get('/healthz', async () => ({ status: 'ok' }));
  app.get('/readyz', async (_request, reply) => {
    if (!gate.ready()) return reply.code(503).send({ status: 'stopping' });
    try {
      await gate.store.ping();
    } catch (error) {
      return reply.code(503).send({ status: 'store', error: error instanceof Error ? error.message : String(error) });
    }
    return { status: 'ready' };
  });
  app.get('/metrics', async (request, reply) => {
    const token = gate.server.metricsToken;
    if (token && !token.equals(/^Bearer (.*)$/.exec(request.headers.authorization ?? '')?.[1] ?? ''))
      return refuse(reply, 401);
    return reply.type(gate.metrics.registry.contentType).send(await gate.metrics.registry.metrics());
  });
}

interface SourceRoute {
  Params: { source: string };
}

/** What stands before the store. */
interface Gate extends ReceiverParts {
  watch: SignatureWatch;
  budget: BodyBudget;
}

/** Everything that needs no body. */
async function judgeHeaders(
  request: FastifyRequest,
  reply: FastifyReply,
  gate: Gate,
): Promise<FastifyReply | undefined> {
  const { source } = request.params as SourceRoute['Params'];
  const status = refusal(request, reply, gate.current().sources.get(source), gate);
  if (status === undefined) return undefined;
  if (status === 401 && request.headers['svix-signature'] !== undefined) forged(source, gate);
  gate.metrics.refused.inc({ status });
  gate.log.info({ step: 'request.refused', source, status, ip: request.ip }, 'request refused');
  return refuse(status === 503 ? reply.header('retry-after', RETRY_AFTER) : reply, status);
}

function refusal(
  request: FastifyRequest,
  reply: FastifyReply,
  source: SourceConfig | undefined,
  gate: Gate,
): number | undefined {
  if (!source) return 404;
  if (!/^application\/json\s*(;|$)/i.test(request.headers['content-type'] ?? '')) return 415;
  if (!signatureHeaders(request.headers, Date.now())) return 401;
  return gate.budget.take(request.raw, reply.raw) ? undefined : 503;
}

function forged(source: string, { watch, report }: Gate): void {
  const failures = watch.failed(source, Date.now());
  if (failures !== undefined) report({ kind: 'signatures', source, failures });
}

async function receive(request: FastifyRequest<SourceRoute>, reply: FastifyReply, parts: Gate): Promise<FastifyReply> {
  const { log, metrics, keep, report } = parts;
  const event = admit(request, parts);
  if (!event) return refuse(reply, 401);
  const { id, duplicate, deliveries } = await keep(event);
  const { eventType, subject, study, state, reason, routes: taken } = event;
  metrics.events.inc({ source: event.source, state: duplicate ? 'duplicate' : state });
  log.info(
    {
      step: duplicate ? 'event.duplicate' : 'event.accepted',
      event: id,
      source: event.source,
      svix_id: event.svixId,
      ...(!duplicate && {
        event_type: eventType,
        subject,
        study,
        state,
        reason,
        routes: taken,
        deliveries,
        bytes: event.body.length,
      }),
    },
    duplicate ? 'event known already' : 'event accepted',
  );
  if (!duplicate && state === 'quarantined') report({ kind: 'quarantined', event: id, reason: reason ?? '' });
  return reply.code(duplicate ? 200 : 202).send({ event: id, deliveries });
}

/**
 * Verifies and routes a request; counts and tells one that nobody has signed, and gives undefined. No text or payload outlives
 * this: while the disk is waited for, they would be most of what V8 moves about.
 */
function admit(request: FastifyRequest<SourceRoute>, gate: Gate): NewEvent | undefined {
  const { log, metrics, watch } = gate;
  const { sources, table } = gate.current();
  const source = sources.get(request.params.source);
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  const verified = source && verify(source, request.headers, body);
  if (verified) {
    watch.verified(verified.source.name);
    return judge(verified, table);
  }
  forged(request.params.source, gate);
  metrics.refused.inc({ status: 401 });
  log.info({ step: 'request.refused', source: request.params.source, status: 401, ip: request.ip }, 'request refused');
  return undefined;
}

function refuse(reply: FastifyReply, status: number): FastifyReply {
  return reply.code(status).send({ error: REFUSALS[status] ?? 'refused' });
}
