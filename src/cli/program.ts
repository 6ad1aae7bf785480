import { Command } from 'commander';
import { EXIT } from '../errors.ts';

/** Each verb's module is loaded when it is called: `check` in CI waits for no web server. */
const VERBS: Record<string, () => Promise<Command>> = {
  init: async () => (await import('./init.ts')).initCommand(),
  serve: async () => (await import('./serve.ts')).serveCommand(),
  check: async () => (await import('./check.ts')).checkCommand(),
  test: async () => (await import('./test.ts')).testCommand(),
  explain: async () => (await import('./explain.ts')).explainCommand(),
  preview: async () => (await import('./preview.ts')).previewCommand(),
  plan: async () => (await import('./plan.ts')).planCommand(),
  send: async () => (await import('./send.ts')).sendCommand(),
  events: async () => (await import('./events.ts')).eventsCommand(),
  deliveries: async () => (await import('./deliveries.ts')).deliveriesCommand(),
  retry: async () => (await import('./retry.ts')).retryCommand(),
  discard: async () => (await import('./discard.ts')).discardCommand(),
  pause: async () => (await import('./pause.ts')).pauseCommand(),
  resume: async () => (await import('./resume.ts')).resumeCommand(),
  replay: async () => (await import('./replay.ts')).replayCommand(),
  prune: async () => (await import('./prune.ts')).pruneCommand(),
  migrate: async () => (await import('./migrate.ts')).migrateCommand(),
  store: async () => (await import('./store.ts')).storeCommand(),
  replicas: async () => (await import('./replicas.ts')).replicasCommand(),
  schema: async () => (await import('./schema.ts')).schemaCommand(),
  sandbox: async () => (await import('./sandbox.ts')).sandboxCommand(),
  demo: async () => (await import('./demo.ts')).demoCommand(),
};

/** The command line, with the verb that was asked for, or with all of them when none was (as for `--help`). */
export async function program(argv: string[], version: string): Promise<Command> {
  const root = new Command('versive-relay')
    .description('Receives Versive interview webhooks and delivers them, by your routing table, to where teams work.')
    .version(version)
    .showHelpAfterError('(add --help for usage)')
    .showSuggestionAfterError()
    .addHelpText(
      'after',
      `
First steps:
  $ versive-relay demo                   see it work, without any account
  $ versive-relay init                   write a first config.yaml
  $ versive-relay check --live           is everything set up at Slack, Notion, Google?
  $ versive-relay serve                  receive and deliver
  $ versive-relay plan new.yaml          what would a changed config do with the last events?

Exit codes: 0 fine, 1 the answer is no, 2 wrong usage, 78 the config has errors.`,
    );
  const [verb = ''] = argv;
  const asked = Object.hasOwn(VERBS, verb) ? VERBS[verb] : undefined;
  const verbs = asked ? [asked] : ['-V', '--version'].includes(verb) ? [] : Object.values(VERBS);
  for (const load of verbs) root.addCommand(await load());
  overrideExit(root);
  return root;
}

function overrideExit(command: Command): void {
  command.exitOverride((error) => {
    // Commander has printed its message already; help and version end well, everything else is wrong usage.
    process.exit(error.exitCode === 0 ? EXIT.ok : EXIT.usage);
  });
  command.commands.forEach(overrideExit);
}
