import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { after } from 'node:test';

/** How a verb ended. */
export interface Ran {
  code: number | null;
  out: string;
  err: string;
}

/** What the shell is asked. */
export interface Asked {
  args: string[];
  cwd: string | undefined;
}

export const BIN = path.resolve(import.meta.dirname, '../../src/bin.js');

/** What a verb is told of the environment; nothing of the tester's own. */
const env = { PATH: process.env.PATH, NO_COLOR: '1' };

let shell: ChildProcess | undefined;
let asked: PromiseWithResolvers<Ran> | undefined;
let last: Promise<unknown> = Promise.resolve();

/**
 * Runs a verb to its end, after those that were asked for before. One process runs them all, each by main.ts: to start a
 * process for each would take the tests most of their time.
 */
export function runVerb(args: string[], { cwd }: { cwd?: string } = {}): Promise<Ran> {
  const ran = last.then(() => ask({ args, cwd }));
  last = Promise.allSettled([ran]);
  return ran;
}

function ask(question: Asked): Promise<Ran> {
  shell ??= startShell();
  asked = Promise.withResolvers();
  shell.send(question);
  return asked.promise;
}

function startShell(): ChildProcess {
  const child = fork(path.join(import.meta.dirname, 'shell.ts'), {
    env,
    execArgv: [],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  child.on('message', (ran) => asked?.resolve(ran as Ran));
  child.on('exit', (code) => {
    shell = undefined;
    asked?.reject(new Error(`the shell ended, with ${code}`));
  });
  return child;
}

after(async () => {
  if (!shell) return;
  const gone = once(shell, 'exit');
  // Whoever asked has been answered, or does not wait any more.
  asked?.resolve({ code: null, out: '', err: '' });
  shell.disconnect();
  await gone;
});

/** Runs a verb to its end in a process of its own: where it matters how that starts, ends, or is signalled. */
export async function spawnVerb(args: string[], { cwd }: { cwd?: string } = {}): Promise<Ran> {
  const child = spawn(process.execPath, [BIN, ...args], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    err += chunk;
  });
  await once(child, 'close');
  return { code: child.exitCode, out, err };
}
