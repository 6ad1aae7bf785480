/** What the benchmarks share: servers as processes of their own, and medians. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** Of the Standard Webhooks test vector. */
export const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

export interface Server {
  url: string;
  child: ChildProcess;
}

/** Starts a Node.js program that prints a line of JSON with its `url` once it listens. */
export async function startServer(args: string[], folder: string): Promise<Server> {
  const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
  const url = Promise.withResolvers<string>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    const found: unknown = line.startsWith('{') && JSON.parse(line).url;
    if (typeof found === 'string') url.resolve(found);
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

export function median(figures: number[]): number {
  return figures.toSorted((a, b) => a - b)[Math.floor(figures.length / 2)] ?? 0;
}
