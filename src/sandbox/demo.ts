import { EventEmitter, on } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { type App, startApp } from '../app.ts';
import type { Config, SourceConfig } from '../config/config.ts';
import { loadConfig } from '../config/load.ts';
import { RelayError } from '../errors.ts';
import type { DeliveryRecord, Payload } from '../model.ts';
import { decide } from '../route/decide.ts';
import type { Halt } from '../store/store.ts';
import type { RelayState, SentInterview, Service } from './control.ts';
import { postEvent } from './post.ts';
import { allDeliveries, relayState } from './relay-state.ts';
import { SAMPLE_COUNT, sampleInterview } from './samples.ts';
import { type Sandbox, startSandbox } from './sandbox.ts';
import { SHEETS_SPREADSHEET, SHEETS_TOKEN } from './sheets.ts';
import { SLACK_TOKEN } from './slack.ts';

/** The relay runs on the reference config, as it is. */
const CONFIG = fileURLToPath(new URL('../../config.example.yaml', import.meta.url));
/** Interviews that are sent for a service have numbers from here on, so that the others come all and in their order. */
const FIRST_AIMED = SAMPLE_COUNT * 1000;
const CONNECTORS: Record<Service, string> = { slack: 'slack', notion: 'notion', sheets: 'google-sheets' };
/** Only of this demo's own relay. */
const SECRET = `whsec_${Buffer.from('versive-relay demo secret').toString('base64')}`;

export interface DemoOptions {
  /** Of the page; a free one by default. */
  port?: number;
  /** Where the relay's log lines go; nowhere by default. */
  log?: NodeJS.WritableStream;
}

/** A sandbox with a relay that delivers to it. */
export interface RunningDemo {
  /** The page. */
  url: string;
  sandbox: Sandbox;
  relay: App;
  /** Signs the next sample interviews and posts them to the relay; with a service, such as are routed to it. */
  send(count: number, service?: Service): Promise<SentInterview[]>;
  state(): Promise<RelayState>;
  /** Resolves when nothing is on its way any more, with what did not arrive. Rejects when the signal aborts. */
  settled(signal: AbortSignal): Promise<Undelivered>;
  stop(): Promise<void>;
}

/** What did not arrive: deliveries that failed, and lanes that stand still with what waits in them. */
export interface Undelivered {
  failed: DeliveryRecord[];
  halted: { destination: string; halt: Halt; held: number }[];
}

/** @throws RelayError when the config, the store or a port is not what it should be */
export async function startDemo(options: DemoOptions = {}): Promise<RunningDemo> {
  await using starting = new AsyncDisposableStack();
  const folder = await mkdtemp(path.join(tmpdir(), 'versive-relay-demo-'));
  starting.defer(() => rm(folder, { recursive: true, force: true }));
  const sandbox = await startSandbox(options.port === undefined ? {} : { port: options.port });
  starting.defer(() => sandbox.close());

  const config = await demoConfig(folder, sandbox);
  const steps = new EventEmitter<{ step: [] }>();
  const relay = await startApp(config, { watch: false, logStream: stepStream(steps, options.log) });
  starting.defer(() => relay.stop());

  const [source] = config.sources.values();
  if (!source) throw new RelayError('RELAY_CONFIG_MISSING', `${CONFIG} has no source`);
  const sendOne = async (sample: Payload): Promise<SentInterview> => {
    const body = Buffer.from(JSON.stringify(sample));
    const { status, event } = await postEvent({ url: relay.url, source: source.name, secret: SECRET, body });
    if (status >= 300)
      throw new RelayError('RELAY_STORE_BUSY', `the demo's relay answered ${status} to a sample interview`);
    const deliveries = (await relay.store.deliveriesOf([event])).get(event) ?? [];
    const destinations = deliveries.map(({ destination }) => destination);
    return { study: String(sample.study.title), participant: String(sample.interview.vid), destinations };
  };

  let next = 0;
  let nextAimed = FIRST_AIMED;
  const take = (service: Service | undefined): Payload => {
    for (let tried = 0; tried < SAMPLE_COUNT; tried++) {
      const sample = sampleInterview(service ? nextAimed++ : next++, { endedAt: new Date() });
      if (!service || leadsTo(service, sample, source, config)) return sample;
    }
    throw new RelayError('RELAY_NOT_FOUND', `no route of ${CONFIG} takes a sample interview to ${service}`);
  };
  const send = async (count: number, service?: Service): Promise<SentInterview[]> => {
    const sent: SentInterview[] = [];
    while (sent.length < count) sent.push(await sendOne(take(service)));
    return sent;
  };

  let known: Promise<RelayState> | undefined;
  steps.on('step', () => {
    known = undefined;
  });
  const state = () => {
    known ??= relayState(relay.store, config);
    return known;
  };
  sandbox.attach({ send, relay: state });
  starting.defer(() => sandbox.attach(undefined));

  const settled = async (signal: AbortSignal): Promise<Undelivered> => {
    const more = on(steps, 'step', { signal });
    for (;;) {
      const [pending, lanes] = await Promise.all([
        allDeliveries(relay.store, { state: 'pending' }),
        relay.store.lanes(),
      ]);
      const halted = lanes.flatMap(({ destination, halt }) => {
        const held = pending.filter((delivery) => delivery.destination === destination).length;
        return halt ? [{ destination, halt, held }] : [];
      });
      if (pending.every(({ destination }) => halted.some((lane) => lane.destination === destination))) {
        await more.return?.();
        return { failed: await allDeliveries(relay.store, { state: 'failed' }), halted };
      }
      await more.next();
    }
  };

  const closers = starting.move();
  return { url: sandbox.url, sandbox, relay, send, state, settled, stop: () => closers.disposeAsync() };
}

/** Whether the config takes a sample to a destination at the service. */
function leadsTo(service: Service, sample: Payload, source: SourceConfig, config: Config): boolean {
  return decide({ payload: sample }, source, config.table).destinations.some(
    (name) => config.destinations.get(name)?.connector.name === CONNECTORS[service],
  );
}

/** The reference config with everything that it leaves to the environment. */
async function demoConfig(folder: string, sandbox: Sandbox): Promise<Config> {
  const { config, findings } = await loadConfig(CONFIG, demoEnvironment(folder, sandbox));
  if (config) return config;
  const first = findings.find(({ level }) => level === 'error');
  throw new RelayError(
    first?.code ?? 'RELAY_CONFIG_INVALID',
    `${CONFIG}:${first?.line} ${first?.path}: ${first?.message}`,
    { ...(first?.fix !== undefined && { fix: first.fix }) },
  );
}

/** Every variable of the reference config, so that neither the environment nor a `.env` leads the demo elsewhere. */
function demoEnvironment(folder: string, { apiUrl, notion }: Sandbox): Record<string, string> {
  return {
    HOST: '127.0.0.1',
    PORT: '0',
    PUBLIC_URL: '',
    METRICS_TOKEN: '',
    RELAY_STORE: path.join(folder, 'relay.db'),
    ARCHIVE_FILE: path.join(folder, 'interviews.jsonl'),
    VERSIVE_WEBHOOK_SECRET: SECRET,
    SLACK_BOT_TOKEN: SLACK_TOKEN,
    SLACK_API_URL: apiUrl.slack,
    NOTION_TOKEN: 'ntn_sandbox',
    NOTION_API_URL: apiUrl.notion,
    NOTION_DATA_SOURCE: notion.dataSource,
    GOOGLE_CREDENTIALS: '',
    GOOGLE_ACCESS_TOKEN: SHEETS_TOKEN,
    GOOGLE_SHEETS_API_URL: apiUrl.sheets,
    GOOGLE_SPREADSHEET: SHEETS_SPREADSHEET,
    WEBHOOK_ENABLED: 'false',
    WEBHOOK_URL: 'http://127.0.0.1:9/',
    WEBHOOK_SECRET: '',
  };
}

/** Every finished line of the relay's log is a step that may have changed something. */
function stepStream(steps: EventEmitter<{ step: [] }>, log: NodeJS.WritableStream | undefined): Writable {
  return new Writable({
    write(chunk, _encoding, done) {
      steps.emit('step');
      if (log) log.write(chunk);
      done();
    },
  });
}
