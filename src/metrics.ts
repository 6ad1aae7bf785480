import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Backlog, LaneRecord, Replica } from './store/store.ts';

/** What Prometheus is told of one relay. Every name begins with `relay_`; process metrics have prom-client's names. */
export interface Metrics {
  registry: Registry;
  events: Counter<'source' | 'state'>;
  refused: Counter<'status'>;
  deliveries: Counter<'destination' | 'outcome' | 'reason'>;
  attemptSeconds: Histogram<'destination'>;
  breakerOpen: Gauge<'destination'>;
  prunedEvents: Counter;
  unprunedEvents: Gauge;
  configReloadSuccessful: Gauge;
  configReloadTime: Gauge;
}

/** Asked at each scrape. */
export interface MetricsSources {
  /** Names of the config's: each has its series, also with nothing in it. */
  destinations: () => string[];
  /** What waits. */
  backlog: () => Promise<Backlog[]>;
  /** Which lanes stand still. */
  lanes: () => Promise<LaneRecord[]>;
  /** Which relays serve the store. */
  replicas: () => Promise<Replica[]>;
}

export function createMetrics({ destinations, backlog, lanes, replicas }: MetricsSources): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  new Gauge({
    name: 'relay_queue_depth',
    help: 'Pending deliveries, by destination.',
    labelNames: ['destination'],
    registers,
    async collect() {
      this.reset();
      const rows = await asked(backlog);
      for (const destination of rows ? destinations() : []) this.set({ destination }, 0);
      for (const row of rows ?? []) this.set({ destination: row.destination }, row.pending);
    },
  });
  new Gauge({
    name: 'relay_oldest_pending_seconds',
    help: 'Age of the oldest pending delivery, by destination.',
    labelNames: ['destination'],
    registers,
    async collect() {
      this.reset();
      const now = Date.now();
      const rows = await asked(backlog);
      for (const destination of rows ? destinations() : []) this.set({ destination }, 0);
      for (const row of rows ?? []) this.set({ destination: row.destination }, Math.max(0, now - row.oldest) / 1000);
    },
  });
  new Gauge({
    name: 'relay_lane_held',
    help: '1 while a lane is held, by destination and cause (halted, paused).',
    labelNames: ['destination', 'cause'],
    registers,
    async collect() {
      this.reset();
      const rows = await asked(lanes);
      if (!rows) return;
      const idle = destinations().map((destination) => ({ destination, paused: false, halt: undefined }));
      for (const { destination, paused, halt } of [...idle, ...rows]) {
        this.set({ destination, cause: 'halted' }, halt ? 1 : 0);
        this.set({ destination, cause: 'paused' }, paused ? 1 : 0);
      }
    },
  });
  new Gauge({
    name: 'relay_replicas',
    help: "Relays that serve the store, by whether their config is the same as this one's (same, other).",
    labelNames: ['config'],
    registers,
    async collect() {
      this.reset();
      const all = await asked(replicas);
      if (!all) return;
      const own = all.find(({ self }) => self)?.configHash;
      const same = all.filter(({ configHash }) => configHash === own).length;
      this.set({ config: 'same' }, same);
      this.set({ config: 'other' }, all.length - same);
    },
  });
  return {
    registry,
    events: new Counter({
      name: 'relay_events_total',
      help: 'Verified events, by source and what became of them (routed, unrouted, quarantined, duplicate).',
      labelNames: ['source', 'state'],
      registers,
    }),
    refused: new Counter({
      name: 'relay_requests_refused_total',
      help: 'Webhook requests that were refused, by HTTP status.',
      labelNames: ['status'],
      registers,
    }),
    deliveries: new Counter({
      name: 'relay_deliveries_total',
      help: 'Attempts that ended, by destination, outcome (delivered, retry, unknown, halt, failed) and reason.',
      labelNames: ['destination', 'outcome', 'reason'],
      registers,
    }),
    breakerOpen: new Gauge({
      name: 'relay_breaker_open',
      help: '1 while a destination counts as down, and one delivery at a time asks whether it is back.',
      labelNames: ['destination'],
      registers,
    }),
    attemptSeconds: new Histogram({
      name: 'relay_attempt_duration_seconds',
      help: 'How long attempts took, by destination, without the wait for the pace.',
      labelNames: ['destination'],
      buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30],
      registers,
    }),
    prunedEvents: new Counter({
      name: 'relay_events_pruned_total',
      help: 'Old events whose body and deliveries this relay has removed.',
      registers,
    }),
    unprunedEvents: new Gauge({
      name: 'relay_events_unpruned',
      help: 'Events older than the retention that stay for a failed delivery, as the last pass of this relay found.',
      registers,
    }),
    configReloadSuccessful: new Gauge({
      name: 'relay_config_last_reload_successful',
      help: '1 when the config was last read well, 0 while a bad one is refused.',
      registers,
    }),
    configReloadTime: new Gauge({
      name: 'relay_config_last_reload_success_timestamp_seconds',
      help: 'When a config was last read well.',
      registers,
    }),
  };
}

/** What the store says; undefined while it cannot be read, so that the other metrics are told all the same. */
async function asked<T>(ask: () => Promise<T[]>): Promise<T[] | undefined> {
  try {
    return await ask();
  } catch {
    return undefined;
  }
}
