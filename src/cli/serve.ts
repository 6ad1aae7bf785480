import { flushCompileCache } from 'node:module';
import { Command, Option } from 'commander';
import { type App, startApp } from '../app.ts';
import { readConfig } from './common.ts';
import { boundYoungObjects, collectGarbage, markLate } from './heap.ts';
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
      // After it: what Node.js keeps is of use only to a V8 with the same flags.
      boundYoungObjects();
      markLate();
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
