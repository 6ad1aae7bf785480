import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FAULT_KINDS } from '../../src/sandbox/faults.ts';
import { openFolder } from '../support/folder.ts';
import { type PostgresServer, startPostgres } from '../support/postgres-server.ts';
import { type SpawnedRelay, spawnRelay } from '../support/relay.ts';
import { onServer } from '../support/stores.ts';
import type { ChaosReport } from './chaos.ts';
import { Dice } from './dice.ts';
import { drain } from './drain.ts';
import { Network } from './network.ts';
import { Versive } from './versive.ts';
import { World } from './world.ts';

const DATABASE = 'chaos';
/** Milliseconds between two calamities: at least, and how much more at most. */
const PEACE = { least: 200, more: 1_300 };
/** Milliseconds that a relay stands still, or that its network hangs: some of them longer than its lanes stay its own. */
const STILL = 8_000;
/** Milliseconds of a Retry-After before which a call after a calamity may come: who had the key could not keep it. */
const COMMIT = 500;

export interface ReplicaChaosOptions {
  /** How many calamities come over the relays and their database. */
  cycles: number;
  events: number;
  /** Relays on one database. */
  replicas: number;
  seed?: number | undefined;
  progress?: (line: string) => void;
}

/** Torments several relays on one PostgreSQL, and compares what their services hold with what they acknowledged. */
export async function runReplicaChaos({ seed, ...options }: ReplicaChaosOptions): Promise<ChaosReport> {
  const dice = new Dice(seed);
  const server = await startPostgres();
  try {
    await onServer(server.url('postgres'), `CREATE DATABASE ${DATABASE}`);
    return await play(dice, server, options);
  } catch (error) {
    throw new Error(`it did not come to its end, by the seed ${dice.seed}`, { cause: error });
  } finally {
    await server.remove();
  }
}

async function play(
  dice: Dice,
  server: PostgresServer,
  { cycles, events, replicas, progress = () => {} }: Omit<ReplicaChaosOptions, 'seed'>,
): Promise<ChaosReport> {
  const began = performance.now();
  const world = await World.start(dice);
  const all: Replica[] = [];
  try {
    for (let n = 0; n < replicas; n += 1) all.push(await Replica.start(server, world.config()));
    const any = () => all[dice.below(all.length)] as Replica;
    const versive = new Versive(events, () => any().relay);
    const calamities: Record<string, number> = {};
    const times: number[] = [];
    for (let cycle = 1; cycle <= cycles; cycle += 1) {
      versive.allow(Math.ceil((events * cycle) / cycles));
      world.injectFaults(FAULT_KINDS);
      const what = await calamity(any(), world.config(), server, dice);
      calamities[what] = (calamities[what] ?? 0) + 1;
      times.push(performance.now());
      await sleep(PEACE.least + dice.roll() * PEACE.more);
      progress(`${cycle} of ${cycles} calamities, ${versive.count} events acknowledged`);
    }
    world.calm();
    await Promise.all(all.map((replica) => replica.heal()));
    await versive.done();
    const [first] = all;
    const struck = await drain(server.url(DATABASE), first?.folder ?? '', progress);
    const excused = ({ ms, at }: { ms: number; at: number }) =>
      times.some((time) => time >= at - ms - STILL && time <= at + COMMIT);
    return {
      seed: dice.seed,
      calamities,
      events: versive.count,
      verdict: world.judge(versive.acknowledged),
      early: world.early.filter((each) => !excused(each)).map(({ service, ms }) => ({ service, ms: Math.round(ms) })),
      repeats: world.repeats,
      struck,
      history: (word) => all.flatMap((replica, n) => replica.history(word).map((line) => `replica ${n} ${line}`)),
      seconds: Math.round((performance.now() - began) / 1000),
    };
  } finally {
    await Promise.all(all.map((replica) => replica.end()));
    await world.close();
  }
}

/** Something bad comes over a relay or the database. Gives what. */
async function calamity(replica: Replica, config: string, server: PostgresServer, dice: Dice): Promise<string> {
  const roll = dice.roll();
  const ms = dice.roll() * STILL;
  if (roll < 0.3) {
    await replica.restart('SIGKILL');
    return 'kill -9';
  }
  if (roll < 0.37) {
    await replica.restart('SIGTERM');
    return 'restart';
  }
  if (roll < 0.47) {
    await replica.reload(config);
    return 'reload';
  }
  if (roll < 0.65) {
    replica.freeze(ms);
    return 'SIGSTOP';
  }
  if (roll < 0.8) {
    replica.network.cut();
    return 'connections cut';
  }
  if (roll < 0.92) {
    replica.hang(ms);
    return 'network hangs';
  }
  await server.stop();
  await sleep(ms / 4);
  await server.start();
  return 'PostgreSQL restarts';
}

/** One relay of several, with its own config file and its own way to the database. */
class Replica {
  readonly folder: string;
  readonly network: Network;
  relay: SpawnedRelay;
  readonly #lives: SpawnedRelay[];
  readonly #remove: () => Promise<void>;
  /** Until it goes on, or its network heals. */
  #still: Promise<void> = Promise.resolve();
  #isStill = false;

  private constructor(folder: string, network: Network, relay: SpawnedRelay, remove: () => Promise<void>) {
    this.folder = folder;
    this.network = network;
    this.relay = relay;
    this.#lives = [relay];
    this.#remove = remove;
  }

  static async start(server: PostgresServer, config: string): Promise<Replica> {
    const { folder, remove } = await openFolder({ 'config.yaml': config });
    const network = await Network.open(server.port);
    const location = new URL(server.url(DATABASE));
    location.port = String(network.port);
    await writeFile(path.join(folder, '.env'), `RELAY_STORE=${location.href}\n`);
    return new Replica(folder, network, await spawnRelay(folder), remove);
  }

  /** Ends it in some way, and starts it anew. */
  async restart(signal: NodeJS.Signals): Promise<void> {
    await this.#still;
    const gone = this.relay.kill(signal);
    await Promise.race([gone, sleep(1_000)]);
    await this.relay.kill('SIGKILL');
    this.relay = await spawnRelay(this.folder);
    this.#lives.push(this.relay);
  }

  /** Another wait, and so another config, which the others do not have yet: every lane ends and begins anew. */
  async reload(config: string): Promise<void> {
    await writeFile(path.join(this.folder, 'config.yaml'), config);
    this.relay.child.kill('SIGHUP');
  }

  /** Stops its process, and lets it go on after so many milliseconds. */
  freeze(ms: number): void {
    const { child } = this.relay;
    this.#stay(
      ms,
      () => child.kill('SIGSTOP'),
      () => child.kill('SIGCONT'),
    );
  }

  /** Lets nothing through between it and the database for so many milliseconds. */
  hang(ms: number): void {
    this.#stay(
      ms,
      () => this.network.hang(),
      () => this.network.heal(),
    );
  }

  #stay(ms: number, begin: () => void, end: () => void): void {
    if (this.#isStill) return;
    this.#isStill = true;
    begin();
    this.#still = sleep(ms).then(() => {
      end();
      this.#isStill = false;
    });
  }

  async heal(): Promise<void> {
    await this.#still;
  }

  history(subject: string): string[] {
    return this.#lives.flatMap(({ log }, life) =>
      log.all.filter((line) => line.subject === subject).map((line) => `life ${life}: ${JSON.stringify(line)}`),
    );
  }

  async end(): Promise<void> {
    await this.#still;
    await this.relay.kill('SIGKILL');
    await this.network.close();
    await this.#remove();
  }
}
