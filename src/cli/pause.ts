import { Command } from 'commander';
import { onLane, waiting } from './lane-verb.ts';
import { configOption } from './options.ts';

/** `pause <destination>`: its events are received and kept, and its deliveries held. */
export function pauseCommand(): Command {
  return new Command('pause')
    .description('hold the deliveries of a destination; events are received and kept')
    .argument('<destination>', 'its name in the config')
    .addOption(configOption())
    .addHelpText(
      'after',
      `
Works with the relay running or stopped, and lasts until resume.

Example:
  $ versive-relay pause research-alerts`,
    )
    .action((destination: string, options: { config: string }) =>
      onLane(options.config, destination, async ({ store, lane, served, pending }) => {
        await store.setPaused(destination, true);
        const now = lane.paused ? 'was paused already' : 'is paused';
        const then = lane.paused ? '' : ` ${untilHeld(served, pending)}`;
        process.stdout.write(`${destination} ${now}: ${waiting(pending)}.${then}\n`);
        process.stdout.write(`Let it flow again with: versive-relay resume ${destination}\n`);
      }),
    );
}

function untilHeld(served: boolean, pending: number): string {
  if (!served) return 'No relay is running; the next one to start holds it.';
  if (pending === 0) return 'The running relay holds what comes, from within a second on.';
  return 'The running relay stops delivering to it within a second; an attempt that is under way then still ends.';
}
