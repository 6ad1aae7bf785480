import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import { type PostgresAddress, parseAddress, problemOf, shownStore } from '../../address.ts';
import { RelayError } from '../../errors.ts';
import { Bodies } from '../bodies.ts';
import type { CommitOptions } from '../commit.ts';
import { LOCK_WAIT } from '../limits.ts';
import { notThere } from '../not-there.ts';
import { PostgresStore } from '../postgres.ts';
import type { Serving } from '../store.ts';
import { clientConfig, type Settings } from './connect.ts';
import { Database } from './database.ts';
import { isAway } from './failure.ts';
import { refuseHalfCopied } from './half-copied.ts';
import { inspect, refusePooler } from './inspect.ts';
import { LANE_SETTINGS, LaneConnection } from './lane-connection.ts';
import { Lists } from './lists.ts';
import { migrate, schemaVersion } from './migrate.ts';
import { Notices } from './notices.ts';
import { openError } from './open-error.ts';
import { OwnLanes } from './own-lanes.ts';
import { releaseLost } from './release.ts';
import { Replicas, SERVED } from './replicas.ts';

/** Milliseconds between two tries to read the bodies of what was claimed, and how many there are. */
const READ_AGAIN = 250;
const READS = 4;

/** Milliseconds that a relay waits for a database that is only starting, and between two tries. */
const WAIT = 15_000;
const POLL = 250;

/** A database that was looked at and has the schema. */
interface Ready {
  address: PostgresAddress;
  shown: string;
  /** What every connection is to have. */
  settings: Settings;
}

/**
 * Opens the store in a PostgreSQL database, and makes its tables when they are not there; older ones it leaves as they are.
 * Any number of processes may have it open.
 *
 * @param options.create false refuses to make a store that is not there
 * @throws RelayError RELAY_STORE_OPEN, RELAY_STORE_NEWER, RELAY_STORE_OLDER
 */
export async function openPostgres(
  store: string,
  { create = true, ...options }: CommitOptions & { create?: boolean } = {},
): Promise<PostgresStore> {
  const ready = await prepare(store, { create, upgrade: false, lockWait: options.lockWait });
  const database = new Database(ready.address, ready.settings);
  const notices = new Notices(clientConfig(ready.address, ready.settings), database, crypto.randomUUID());
  return new PostgresStore({ database, notices, lanes: undefined }, options);
}

/**
 * Opens the store to receive and deliver, beside any other process that does, and brings its tables up to date.
 *
 * @throws RelayError RELAY_STORE_OPEN, RELAY_STORE_NEWER
 */
export async function servePostgres(store: string, options: CommitOptions = {}): Promise<Serving> {
  const deadline = performance.now() + WAIT;
  const ready = await prepare(store, { create: true, upgrade: true, deadline, lockWait: options.lockWait });
  const { address, settings, shown } = ready;
  const database = new Database(address, settings);
  const replicas = new Replicas(database);
  const losses: (() => void)[] = [];
  const laneSettings = { ...settings, ...LANE_SETTINGS };
  const connection = new LaneConnection(clientConfig(address, laneSettings), {
    prepare: (client) => refusePooler(client, database, { settings: laneSettings, shown }),
    beat: () => replicas.beat(),
    // Should it fail, `release` does it when the lanes are taken again.
    made: () => void releaseLost(lanes).catch(() => {}),
    lost: () => {
      lanes.lose();
      for (const told of losses) told();
    },
  });
  const lists = new Lists(database);
  // Not over the lanes' connection: an answer that is not taken must not keep that busy.
  const bodies = new Bodies((events) => readAgain(() => lists.packed(events)));
  const lanes = new OwnLanes(connection, bodies);

  try {
    await connection.open();
  } catch (error) {
    await database.close();
    throw openError(shown, error);
  }
  const notices = new Notices(clientConfig(address, settings), database, crypto.randomUUID());
  // Others take over what this process had.
  notices.tell();
  const leave = async () => {
    await replicas.leave().catch(() => {});
    notices.tell();
  };
  const opened = new PostgresStore({ database, notices, lanes, bodies, leave }, options);
  return {
    store: opened,
    take: (lane, keys) => lanes.take(lane, keys),
    async give(lane) {
      await lanes.give(lane);
      notices.tell();
    },
    share: (lacks) => replicas.share(lacks),
    replicas: () => replicas.list(),
    announce: (configHash) => replicas.announce(configHash),
    get isSure() {
      return connection.isSure;
    },
    lost: (told) => void losses.push(told),
    close: () => opened.close(),
  };
}

/** True while any process serves the store. @throws RelayError RELAY_STORE_OPEN when the database cannot be asked */
export async function isPostgresServed(store: string): Promise<boolean> {
  return withClient(store, async (client) => {
    if ((await schemaVersion(client)).version === 0) return false;
    return (await client.query<{ served: boolean }>(SERVED)).rows[0]?.served === true;
  });
}

interface Preparing {
  create: boolean;
  upgrade: boolean;
  /** Until when it waits for a database that is only starting, monotonic. */
  deadline?: number;
  lockWait?: number | undefined;
}

async function prepare(store: string, { create, upgrade, deadline = 0, lockWait }: Preparing): Promise<Ready> {
  for (;;) {
    try {
      return await withClient(store, async (client, ready) => {
        const settings = await inspect(client, ready.shown);
        await refuseHalfCopied(client, ready.shown);
        if (!create && (await schemaVersion(client)).version === 0) throw notThere(store);
        await migrate(client, ready.shown, { upgrade, lockWait });
        return { ...ready, settings: { ...settings, lock_timeout: lockWait ?? LOCK_WAIT } };
      });
    } catch (error) {
      const cause = error instanceof RelayError ? error.cause : error;
      if (!isAway(cause) || performance.now() > deadline) throw error;
    }
    await wait(POLL);
  }
}

/** Runs something over one connection. What fails there with no code of the relay counts as a store that cannot be opened. */
export async function withClient<T>(
  store: string,
  run: (client: pg.Client, ready: Omit<Ready, 'settings'>) => Promise<T>,
): Promise<T> {
  const shown = shownStore(store);
  const problem = problemOf(store);
  if (problem !== undefined) throw new RelayError('RELAY_STORE_OPEN', problem, { fix: 'Correct `store:`.' });
  const address = parseAddress(store);
  let client: pg.Client | undefined;
  try {
    client = new pg.Client(clientConfig(address, {}));
    client.on('error', () => {});
    await client.connect();
    return await run(client, { address, shown });
  } catch (error) {
    throw openError(shown, error);
  } finally {
    await client?.end().catch(() => {});
  }
}

/** Tries a few times: a connection that was cut off is made anew. */
async function readAgain<T>(read: () => Promise<T>): Promise<T> {
  for (let reads = 1; ; reads += 1) {
    try {
      return await read();
    } catch (error) {
      if (reads === READS) throw error;
      await wait(READ_AGAIN);
    }
  }
}
