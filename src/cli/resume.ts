import { Command } from 'commander';
import type { Config } from '../config/config.ts';
import { type LaneView, onLane, waiting } from './lane-verb.ts';
import { configOption } from './options.ts';
import { plain } from './words.ts';

/** `resume <destination>`: takes away its pause and its halt, and makes what waits due at once. */
export function resumeCommand(): Command {
  return new Command('resume')
    .description('let the deliveries of a paused or halted destination flow, at once')
    .argument('<destination>', 'its name in the config')
    .addOption(configOption())
    .addHelpText(
      'after',
      `
Works with the relay running or stopped. What waits for its next attempt is due at once; what
failed for good is brought back by retry.

Example:
  $ versive-relay resume research-alerts`,
    )
    .action((destination: string, options: { config: string }) =>
      onLane(options.config, destination, async (view) => {
        const { store, lane } = view;
        await store.setHalt(destination, undefined);
        if (lane.paused) await store.setPaused(destination, false);
        for (const line of report(view)) process.stdout.write(`${plain(line)}\n`);
      }),
    );
}

function report(view: LaneView): string[] {
  const { config, destination, lane, pending } = view;
  const was = [lane.paused && 'paused', lane.halt && `halted (${lane.halt.reason}: ${lane.halt.detail})`];
  const before = was.filter((text) => typeof text === 'string').join(' and ');
  const still = config && stillHeld(config, destination);
  if (before === '') {
    const flows = `${destination} was neither paused nor halted${still === undefined ? ' and flows' : ''}`;
    return [`${flows}: ${waiting(pending)}.`, ...(still === undefined ? arrival(view) : [still])];
  }
  return [
    `${destination} was ${before}${still === undefined ? '; now it flows' : ''}: ${waiting(pending)}.`,
    ...(lane.halt ? [`Unless this was put right, it halts again: ${lane.halt.fix}`] : []),
    ...(still === undefined ? arrival(view) : [still]),
  ];
}

/** Why its deliveries stay held, whatever `resume` did. */
function stillHeld(config: Config, destination: string): string | undefined {
  const entry = config.destinations.get(destination);
  if (entry === undefined) return 'The config has no such destination, so its deliveries stay held.';
  return entry.enabled ? undefined : 'The config has `enabled: false` for it, so its deliveries stay held.';
}

/** When what waits is delivered. */
function arrival({ config, served, pending }: LaneView): string[] {
  if (pending === 0) return [];
  if (!served) return ['No relay is running; the next one to start delivers.'];
  return [
    `The running relay delivers to it within a second, or when its service lets it${config ? '' : ', if its own config lets it'}.`,
  ];
}
