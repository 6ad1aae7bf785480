import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { shownStore } from './address.ts';
import type { Config } from './config/config.ts';
import { loadConfig } from './config/load.ts';
import { Reloader } from './config/reload.ts';
import { freeClaims } from './deliver/free-claims.ts';
import { Lanes } from './deliver/lanes.ts';
import { Notifier } from './deliver/notifier.ts';
import { Effect } from './effect.ts';
import { RelayError } from './errors.ts';
import { createLog } from './log.ts';
import { createMetrics } from './metrics.ts';
import type { News } from './news.ts';
import { closeReceiver, createReceiver } from './receive/server.ts';
import { Retention } from './retention.ts';
import type { CommitOptions } from './store/commit.ts';
import { serveStore } from './store/open.ts';
import type { Store } from './store/store.ts';
import { Unison } from './unison.ts';

const RETENTION_DELAY = 60_000;
/** Milliseconds after which the relay asks again what another process changed, when it could not take that over. */
const FOLLOW_AGAIN = 500;
/** Milliseconds until it tells again that it still could not. */
const FOLLOW_SILENT = 60_000;

export interface AppOptions {
  /** pino's level; `info` by default. */
  logLevel?: string;
  /** Where log lines go; standard output by default. */
  logStream?: NodeJS.WritableStream;
  /** How long writes wait, and how many. */
  storeOptions?: CommitOptions;
  /** Reload by itself when the config file changes; true by default. */
  watch?: boolean;
  /** Milliseconds from the start, or a changed retention, until old events are removed; a minute by default. */
  retentionDelay?: number;
}

/** A relay, running. */
export interface App {
  /** Where it listens. */
  url: string;
  store: Store;
  log: Logger;
  /** Reads the config again. A bad one changes nothing; gives whether it was taken. Never throws. */
  reload(): Promise<boolean>;
  /** Takes no more events, lets attempts under way end, and closes everything. */
  stop(): Promise<void>;
}

/**
 * Wires a relay and starts it: store, receiver, lanes, in this order. It stops the other way round: what is under way ends
 * while probes can still ask.
 *
 * @throws RelayError when the store is locked, newer or unwritable, or the port is taken
 */
export async function startApp(first: Config, options: AppOptions = {}): Promise<App> {
  await using starting = new AsyncDisposableStack();
  const log = createLog({
    scrub: (line) => reloader.scrub(line),
    ...(options.logLevel !== undefined && { level: options.logLevel }),
    ...(options.logStream !== undefined && { stream: options.logStream }),
  });
  const reloader: Reloader = new Reloader(first, {
    load: () => loadConfig(first.file, process.env, { tests: false }),
    prepare: (config) => lanes.prepare(config),
    ended: (taken, wrong) => {
      metrics.configReloadSuccessful.set(taken ? 1 : 0);
      if (taken) metrics.configReloadTime.setToCurrentTime();
      else notifier.report({ kind: 'config', lines: wrong });
    },
    taken: (before, after) => {
      effect.tell(before, after);
      void unison.announce(after.fingerprint);
      retention.follow(before.retention);
    },
    log,
  });

  const serving = await serveStore(first.store, options.storeOptions);
  starting.defer(() => serving.close());
  const { store } = serving;
  const effect = new Effect(store, log);
  starting.defer(() => effect.close());
  const unison = new Unison(serving, log);
  starting.defer(() => unison.close());
  const metrics = createMetrics({
    destinations: () => [...reloader.config.destinations.keys()],
    backlog: () => store.backlog(),
    lanes: () => store.lanes(),
    replicas: () => serving.replicas(),
  });
  const retention = new Retention({
    store,
    retention: () => reloader.config.retention,
    metrics,
    log,
    delay: options.retentionDelay ?? RETENTION_DELAY,
  });
  starting.defer(() => retention.close());
  const notifier = new Notifier({
    names: () => reloader.config.onFailure,
    destination: (name) => lanes.destination(name),
    log,
  });
  const report = (news: News) => notifier.report(news);
  await freeClaims({ store, log, report });
  const lanes: Lanes = new Lanes({ store, serving, log, metrics, scrub: (text) => reloader.scrub(text), report });
  starting.defer(() => lanes.close());
  starting.defer(() => notifier.close());

  let ready = true;
  const receiver = createReceiver({
    server: first.server,
    current: () => reloader.config,
    store,
    metrics,
    log,
    keep: (event) => lanes.accept(event),
    report,
    ready: () => ready,
  });
  starting.defer(() => closeReceiver(receiver));
  // Before the receiver closes, so that probes are told 503 while deliveries under way end.
  starting.defer(() => lanes.end());
  // Before anything is delivered: a relay that cannot listen must not touch the services.
  const url = await listen(receiver, first);
  const deliver = await lanes.prepare(first);
  await deliver();
  await unison.announce(first.fingerprint);
  const webhooks = [...first.sources.keys()].map((name) => `${first.server.publicUrl ?? url}/webhooks/${name}`);
  log.info({ step: 'relay.started', url, webhooks, store: shownStore(first.store) }, 'relay started');
  metrics.configReloadSuccessful.set(1);
  metrics.configReloadTime.setToCurrentTime();

  let behind = false;
  let following = false;
  /** Takes over what other processes changed, again until that is whole. */
  const follow = async () => {
    behind = true;
    if (following) return;
    following = true;
    let told = Number.NEGATIVE_INFINITY;
    while (behind && ready) {
      try {
        behind = false;
        behind = !(await lanes.follow()) || behind;
      } catch (error) {
        behind = true;
        if (performance.now() - told > FOLLOW_SILENT) {
          told = performance.now();
          const why = error instanceof Error ? error.message : String(error);
          log.warn({ step: 'store.unread', error: why }, 'the store could not be read');
        }
      }
      if (behind) await sleep(FOLLOW_AGAIN, undefined, { ref: false });
    }
    following = false;
  };
  store.watch((destinations) => {
    if (destinations) lanes.wake(destinations);
    else void follow();
  });
  starting.defer(() => {
    lanes.hurry();
    return reloader.close();
  });
  if (options.watch !== false) reloader.watch();

  const closers = starting.move();
  return {
    url,
    store,
    log,
    reload: () => reloader.reload(),
    async stop() {
      ready = false;
      log.info({ step: 'relay.stopping' }, 'relay stopping');
      await closers.disposeAsync();
      log.info({ step: 'relay.stopped' }, 'relay stopped');
    },
  };
}

async function listen(receiver: ReturnType<typeof createReceiver>, { server }: Config): Promise<string> {
  try {
    await receiver.listen({ host: server.host, port: server.port });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const fix = {
      EADDRINUSE: 'Stop the program that has it, or give another server.port.',
      EACCES: 'Ports below 1024 need rights; give another server.port.',
      EADDRNOTAVAIL: 'This machine has no such address; correct server.host.',
    }[code ?? ''];
    throw new RelayError('RELAY_PORT', `cannot listen on ${server.host}:${server.port}: ${code ?? String(error)}`, {
      ...(fix !== undefined && { fix }),
      cause: error,
    });
  }
  const { port, address, family } = receiver.server.address() as AddressInfo;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}
