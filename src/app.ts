import type { AddressInfo } from 'node:net';
import PQueue from 'p-queue';
import type { Logger } from 'pino';
import { loadConfig } from './config/load.ts';
import { watchConfig } from './config/reload.ts';
import type { Config } from './config/schema.ts';
import { scrubber } from './config/secrets.ts';
import { Lanes } from './deliver/lanes.ts';
import { Notifier } from './deliver/notifier.ts';
import { type Finding, RelayError } from './errors.ts';
import { createLog } from './log.ts';
import { createMetrics } from './metrics.ts';
import { createReceiver } from './receive/server.ts';
import { lockStore } from './store/lock.ts';
import { openStore } from './store/open.ts';
import type { Store } from './store/store.ts';

/** Milliseconds between looks at what other processes changed in the store: a verb is acted on within a second. */
const FOLLOW = 500;

export interface AppOptions {
  /** Reads the config anew, for `reload`; by default from its file with this process's environment. */
  load?: () => Promise<{ config: Config | undefined; findings: Finding[] }>;
  /** pino's level; `info` by default. */
  logLevel?: string;
  /** Where log lines go; standard output by default. */
  logStream?: NodeJS.WritableStream;
  /** Reload by itself when the config file changes; true by default. */
  watch?: boolean;
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
 * Wires a relay and starts it: store, lanes, receiver, in this order; stopped in the other.
 *
 * @throws RelayError when the store is locked, newer or unwritable, or the port is taken
 */
export async function startApp(first: Config, options: AppOptions = {}): Promise<App> {
  await using starting = new AsyncDisposableStack();
  let config = first;
  let scrub = scrubber(config.secrets);
  const log = createLog({
    scrub: (line) => scrub(line),
    ...(options.logLevel !== undefined && { level: options.logLevel }),
    ...(options.logStream !== undefined && { stream: options.logStream }),
  });

  const lock = await lockStore(config.store);
  starting.defer(() => lock.release());
  const store = await openStore(config.store);
  starting.defer(() => store.close());
  const freed = await store.release();
  if (freed > 0)
    log.info(
      { step: 'store.released', deliveries: freed },
      'deliveries that an earlier process left under way are due again',
    );

  const metrics = createMetrics(
    () => store.backlog(),
    () => store.lanes(),
  );
  const notifier = new Notifier({
    names: () => config.onFailure,
    destination: (name) => lanes.get(name)?.destination,
    log,
  });
  const lanes: Lanes = new Lanes({
    store,
    log,
    metrics,
    scrub: (text) => scrub(text),
    report: (news) => notifier.report(news),
  });
  starting.defer(() => lanes.stop());
  starting.defer(() => notifier.flush());
  await (await lanes.prepare(config))();

  let ready = true;
  const receiver = createReceiver({
    server: config.server,
    current: () => config,
    store,
    metrics,
    log,
    accepted: (destinations) => lanes.wake(destinations),
    report: (news) => notifier.report(news),
    ready: () => ready,
  });
  starting.defer(() => receiver.close());
  const url = await listen(receiver, config);
  metrics.configReloadSuccessful.set(1);
  metrics.configReloadTime.setToCurrentTime();
  const webhooks = [...config.sources.keys()].map((name) => `${config.server.publicUrl ?? url}/webhooks/${name}`);
  log.info({ step: 'relay.started', url, webhooks, store: config.store }, 'relay started');

  const follow = async () => {
    if (store.changedElsewhere()) await lanes.follow();
  };
  const following = setInterval(() => {
    follow().catch((error: unknown) =>
      log.warn({ step: 'store.unread', error: String(error) }, 'the store could not be read'),
    );
  }, FOLLOW);
  starting.defer(() => clearInterval(following));

  const load = options.load ?? (() => loadConfig(config.file));
  const reloads = new PQueue({ concurrency: 1 });
  const readAgain = async (): Promise<boolean> => {
    const { config: next, findings } = await load();
    if (!next) return refuse(findings);
    try {
      const switchLanes = await lanes.prepare(next);
      warnOfRestart(config, next, log);
      const secrets = [...new Set([...config.secrets, ...next.secrets])].sort((a, b) => b.length - a.length);
      scrub = scrubber(secrets);
      await warnOfDisappeared(config, next);
      config = { ...next, server: config.server, store: config.store };
      await switchLanes();
    } catch (error) {
      log.error({ step: 'config.failed', error: scrub(String(error)) }, 'the new config could not be opened');
      metrics.configReloadSuccessful.set(0);
      return false;
    }
    metrics.configReloadSuccessful.set(1);
    metrics.configReloadTime.setToCurrentTime();
    log.info(
      { step: 'config.reloaded', routes: next.table.routes.length, destinations: next.destinations.size },
      'config reloaded',
    );
    return true;
  };
  const reload = () => reloads.add(readAgain);

  function refuse(findings: Finding[]): false {
    metrics.configReloadSuccessful.set(0);
    const errors = findings.filter(({ level }) => level === 'error');
    const lines = errors.map(
      ({ file, line, column, path: at, message }) => `${file}:${line}:${column} ${at}: ${message}`,
    );
    log.error({ step: 'config.refused', errors: lines }, 'the config has errors; the one before stays in force');
    notifier.report({ kind: 'config', lines });
    return false;
  }

  async function warnOfDisappeared(before: Config, after: Config): Promise<void> {
    const kept = new Set([...after.destinations.values()].flatMap(({ name, renamedFrom }) => [name, renamedFrom]));
    for (const destination of before.destinations.keys()) {
      if (kept.has(destination)) continue;
      const [delivered] = await store.deliveries({ destination, state: 'delivered' }, { limit: 1 });
      if (!delivered) continue;
      log.warn(
        { step: 'destination.gone', destination },
        'a destination that was delivered to has left the config: was it renamed? Then say renamed_from, so that replays update in place',
      );
    }
  }

  if (options.watch !== false) starting.defer(watchConfig(config.file, () => void reload()));
  const closers = starting.move();
  return {
    url,
    store,
    log,
    reload,
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

/** `server` and `store` are opened once. */
function warnOfRestart(before: Config, after: Config, log: Logger): void {
  const changed = [
    ...(JSON.stringify(before.server) === JSON.stringify(after.server) ? [] : ['server']),
    ...(before.store === after.store ? [] : ['store']),
  ];
  if (changed.length > 0) {
    log.warn(
      { step: 'config.restart', changed },
      `${changed.join(' and ')} changed: that needs a restart; everything else is in force`,
    );
  }
}
