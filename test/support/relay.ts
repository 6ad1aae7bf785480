import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter, on, once } from 'node:events';
import { appendFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { Writable } from 'node:stream';
import pg from 'pg';
import { isPostgres } from '../../src/address.ts';
import { type App, type AppOptions, startApp } from '../../src/app.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { Payload } from '../../src/model.ts';
import { openFolder } from './folder.ts';
import { makePayload } from './item.ts';
import { SIGNING_SECRET, signatureOf } from './signing.ts';
import { onServer, placeStore, STORE_LINE, storeIn } from './stores.ts';
import { BIN } from './verb.ts';

/** A config whose source is `versive`, and whose port and store are the test's own: a file, or a database where that is tested. */
export function configText(rest: string): string {
  return `server: { host: 127.0.0.1, port: 0 }
${STORE_LINE}
sources:
  versive: { secret: ${SIGNING_SECRET} }
${rest}`;
}

/** A file to which all relays of the tests write their log lines, too: what a test that hangs has seen. */
const { KEEP_LOGS } = process.env;
let logs = 0;

/** The log lines of a relay, parsed, and a way to await one. */
export class LogLines extends EventEmitter<{ line: [Record<string, unknown>] }> {
  readonly all: Record<string, unknown>[] = [];
  readonly #relay = `${process.pid}-${++logs}`;

  constructor() {
    super();
    this.setMaxListeners(100);
  }

  take(text: string): void {
    if (text.trim() === '') return;
    const line: Record<string, unknown> = text.startsWith('{') ? JSON.parse(text) : { text };
    if (KEEP_LOGS) appendFileSync(KEEP_LOGS, `${JSON.stringify({ relay: this.#relay, ...line })}\n`);
    this.all.push(line);
    this.emit('line', line);
  }

  /** Resolves with the first line, past or to come, of a step that fits. */
  async step(
    step: string,
    fits: (line: Record<string, unknown>) => boolean = () => true,
  ): Promise<Record<string, unknown>> {
    const wanted = (line: Record<string, unknown>) => line.step === step && fits(line);
    const seen = this.all.find(wanted);
    if (seen) return seen;
    for await (const [line] of on(this, 'line')) if (wanted(line)) return line;
    throw new Error('unreachable');
  }

  count(step: string): number {
    return this.all.filter((line) => line.step === step).length;
  }
}

export interface RunningRelay {
  app: App;
  url: string;
  log: LogLines;
  folder: string;
  file: string;
  stop(): Promise<void>;
}

/**
 * A relay in this process, which reloads only when it is told to.
 *
 * @param options.store the address of a database that others serve, too; by default it has a store of its own
 */
export async function startRelay(
  yaml: string,
  { store, ...options }: Pick<AppOptions, 'watch' | 'storeOptions' | 'retentionDelay'> & { store?: string } = {},
): Promise<RunningRelay> {
  const { folder, remove } = await openFolder({
    'config.yaml': yaml,
    ...(store && { '.env': `RELAY_STORE=${store}` }),
  });
  await placeStore(folder);
  const file = path.join(folder, 'config.yaml');
  const { config, findings } = await loadConfig(file, {});
  if (!config) throw new Error(JSON.stringify(findings, undefined, 2));
  const log = new LogLines();
  const logStream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      for (const line of chunk.toString().split('\n')) log.take(line);
      done();
    },
  });
  const app = await startApp(config, { logStream, watch: false, ...options });
  return {
    app,
    url: app.url,
    log,
    folder,
    file,
    async stop() {
      await app.stop();
      await remove();
    },
  };
}

/** Until when limit keys are paused by the relay's store, epoch milliseconds; also those that have ended since. */
export async function pausesOf({ folder }: RunningRelay): Promise<number[]> {
  const store = await storeIn(folder);
  const rows = isPostgres(store)
    ? await onServer(store, 'SELECT until FROM versive_relay.paused_key')
    : readFrom(store, 'SELECT until FROM paused_key');
  return rows.map(({ until }) => Number(until));
}

function readFrom(file: string, sql: string): Record<string, unknown>[] {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    return database.prepare(sql).all();
  } finally {
    database.close();
  }
}

/** Makes all events that a relay's store has older by so many milliseconds. */
export async function ageEvents({ folder }: RunningRelay, ms: number): Promise<void> {
  const store = await storeIn(folder);
  if (isPostgres(store)) {
    await onServer(store, `UPDATE versive_relay.event SET received_at = received_at - ${ms}`);
    return;
  }
  const database = new DatabaseSync(store, { timeout: 5_000 });
  database.exec(`UPDATE event SET received_at = received_at - ${ms}`);
  database.close();
}

/** Keeps the store of a relay from committing, as another program might; until it is let go. */
export async function holdStore({ folder }: RunningRelay): Promise<() => Promise<void>> {
  const store = await storeIn(folder);
  if (!isPostgres(store)) {
    const database = new DatabaseSync(store);
    database.exec('BEGIN IMMEDIATE');
    return async () => database.close();
  }
  const client = new pg.Client(store);
  await client.connect();
  await client.query('BEGIN; LOCK TABLE versive_relay.event, versive_relay.ping IN EXCLUSIVE MODE');
  return () => client.end();
}

export interface SpawnedRelay {
  url: string;
  log: LogLines;
  child: ChildProcess;
  /** Resolves when the process has gone. */
  kill(signal: NodeJS.Signals): Promise<number | null>;
}

/**
 * A relay as its own process, in a folder with a `config.yaml`.
 *
 * @param preload a module that the process loads first, and that the test can send messages to
 */
export async function spawnRelay(
  folder: string,
  { preload, env = {} }: { preload?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<SpawnedRelay> {
  await placeStore(folder);
  const args = [...(preload === undefined ? [] : ['--import', preload]), BIN, 'serve'];
  const child = spawn(process.execPath, args, {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe', ...(preload === undefined ? [] : ['ipc' as const])],
  });
  if (!child.stdout || !child.stderr) throw new Error('a pipe is missing');
  const log = new LogLines();
  createInterface({ input: child.stdout }).on('line', (line) => log.take(line));
  let complaint = '';
  child.stderr.on('data', (chunk) => {
    complaint += chunk;
  });
  const gone = once(child, 'exit');
  const started = await Promise.race([log.step('relay.started'), gone.then(() => undefined)]);
  if (!started) throw new Error(`the relay did not start: ${complaint}`);
  return {
    url: String(started.url),
    log,
    child,
    async kill(signal) {
      child.kill(signal);
      await gone;
      return child.exitCode;
    },
  };
}

let ids = 0;

/** Posts a signed event, by default a good one with an id of its own. */
export async function post(
  relay: { url: string },
  payload: Payload | string = makePayload(),
  id = `msg_${process.pid}_${ids++}`,
  at = new Date(),
): Promise<{ status: number; body: { event?: string; deliveries?: number; error?: string }; id: string }> {
  const body = typeof payload === 'string' ? payload : JSON.stringify(payload);
  const response = await fetch(`${relay.url}/webhooks/versive`, {
    method: 'POST',
    headers: signatureOf(body, id, at),
    body,
  });
  return { status: response.status, body: (await response.json()) as { event?: string }, id };
}

/** An interview of its own, for a test that counts them. */
export function interview(id: string, metadata: Record<string, string> = {}): Payload {
  const payload = makePayload();
  return { ...payload, interview: { ...payload.interview, id, metadata } };
}

export interface SinkRequest {
  headers: IncomingMessage['headers'];
  body: string;
}

/** A webhook receiver that keeps what it gets, and answers as the test says. */
export class Sink extends EventEmitter<{ request: [SinkRequest] }> {
  readonly requests: SinkRequest[] = [];
  answer: (request: SinkRequest, response: ServerResponse) => void = (_request, response) =>
    response.writeHead(204).end();
  url = '';
  #close: () => Promise<void> = async () => {};

  static async start(): Promise<Sink> {
    const sink = new Sink();
    sink.setMaxListeners(100);
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => {
        body += chunk;
      });
      request.on('end', () => {
        const got = { headers: request.headers, body };
        sink.requests.push(got);
        sink.answer(got, response);
        sink.emit('request', got);
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    sink.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
    sink.#close = async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    };
    return sink;
  }

  /** Resolves when so many requests have come. */
  async got(count: number): Promise<void> {
    while (this.requests.length < count) await once(this, 'request');
  }

  close(): Promise<void> {
    return this.#close();
  }
}
