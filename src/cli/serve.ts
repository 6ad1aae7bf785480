import { flushCompileCache } from 'node:module';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Command, Option } from 'commander';
import { type App, startApp } from '../app.ts';
import { readConfig } from './common.ts';
import { configOption } from './options.ts';

/** Milliseconds after which a second signal, or a stop that hangs, ends the process anyway. */
const LAST_RESORT = 30_000;

/** pino's. */
const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'];

export function serveCommand(): Command {
  return new Command('serve')
    .description('receive events and deliver them, until SIGTERM or Ctrl-C')
    .addOption(configOption())
    .addOption(new Option('--log-level <level>', 'how much to log').choices(LEVELS).default('info'))
    .addHelpText(
      'after',
      `
Signals: SIGTERM and SIGINT stop it when what is under way has ended (10 s at most); SIGHUP reads the config again.
It also reads the config again by itself when the file changes.

Examples:
  $ versive-relay serve
  $ versive-relay serve --config /etc/versive-relay/config.yaml`,
    )
    .action(async ({ config: file, logLevel }: { config: string; logLevel: string }) => {
      const config = await readConfig(file);
      collectGarbage();
      const stopped = Promise.withResolvers<void>();
      let stopping = false;
      const stop = () => {
        if (stopping) process.exit(1);
        stopping = true;
        stopped.resolve();
      };
      let app: App | undefined;
      // A hangup while it starts needs no reload: the config was read just now.
      process
        .on('SIGTERM', stop)
        .on('SIGINT', stop)
        .on('SIGHUP', () => void app?.reload());
      const logStream = process.stdout.isTTY ? await prettyLines() : process.stdout;
      app = (await Promise.race([startApp(config, { logLevel, logStream }), stopped.promise])) ?? undefined;
      // Node does so at its end; a relay that is killed has none.
      flushCompileCache();
      await stopped.promise;
      // Stopped before it had started: there is nothing under way that could be lost.
      if (!app) process.exit(0);
      setTimeout(() => process.exit(1), LAST_RESORT).unref();
      await app.stop();
    });
}

/** For eyes: a person at a terminal is told what happened, a pipe gets JSON. */
async function prettyLines(): Promise<NodeJS.WritableStream> {
  const { default: pretty } = await import('pino-pretty');
  return pretty({ ignore: 'step', translateTime: 'SYS:HH:MM:ss', singleLine: true });
}

/**
 * Collects what loading has left. V8 has by then made 16 MB of room for young objects, and gives none of it back as long as
 * little happens, as in a relay most of the time. It takes some 40 ms, before anything could wait for it. In a flood of
 * events the room comes back in one step: what they need dies young, and would else be taken for old and marked.
 */
function collectGarbage(): void {
  // Contexts that are made under this flag have `gc`. Node.js has no other way to ask.
  setFlagsFromString('--expose-gc');
  const gc: (options: object) => void = runInNewContext('gc');
  setFlagsFromString('--no-expose-gc');
  // Only as a last resort does V8 give room back.
  gc({ type: 'major', flavor: 'last-resort' });
  setFlagsFromString('--semi-space-growth-factor=16');
}
