/** Servers as processes of their own, each with a folder of its own. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';

/** Of the Standard Webhooks test vector. */
export const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

const root = path.resolve(import.meta.dirname, '..');
/** The relay as its users start it. */
export const SERVE = [path.join(root, 'src/bin.js'), 'serve'];
/** A program of this folder. */
export const program = (name: string) => path.join(root, 'bench', name);

export interface Server {
  url: string;
  child: ChildProcess;
}

/** Starts a Node.js program that prints a line of JSON with its `url` once it listens. What it prints later is dropped. */
export async function startServer(args: string[], folder: string = root): Promise<Server> {
  const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
  const url = Promise.withResolvers<string>();
  const lines = createInterface({ input: child.stdout }).on('line', (line) => {
    const found: unknown = line.startsWith('{') && JSON.parse(line).url;
    if (typeof found !== 'string') return;
    url.resolve(found);
    // Its log must not cost this process anything.
    lines.close();
    child.stdout.resume();
  });
  child.once('exit', () => url.reject(new Error(`${args.join(' ')} did not start`)));
  return { url: await url.promise, child };
}

export async function killAll(servers: Server[]): Promise<void> {
  for (const { child } of servers) {
    child.removeAllListeners('exit');
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
}

/** A new folder with a config of these destinations, and one route that sends everything to all of them. */
export async function relayFolder(destinations: Record<string, object>, store = './relay.db'): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'relay-bench-'));
  // JSON is YAML.
  const config = {
    server: { host: '127.0.0.1', port: 0 },
    store,
    sources: { versive: { secret: SECRET } },
    destinations,
    routes: [{ name: 'everything', to: Object.keys(destinations) }],
  };
  await writeFile(path.join(folder, 'config.yaml'), JSON.stringify(config, undefined, 2));
  return folder;
}

export async function removeAll(folders: string[]): Promise<void> {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
}

/** Megabytes of memory that a process has resident. */
export function residentMB({ child }: Server): number {
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(child.pid)], { encoding: 'utf8' })) / 1024;
}
