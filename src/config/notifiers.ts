import type { Context } from '../connector.ts';
import type { DestinationConfig } from './config.ts';
import type { Located } from './locate.ts';
import { lookAt } from './open.ts';
import type { Report } from './report.ts';

interface Place {
  report: Report;
  /** Where the destinations stand. */
  destinationsAt: Located | undefined;
}

/** Destinations of `on_failure:` must be able to tell people: only opening them (which makes no call) shows it. */
export async function checkNotifiers(
  onFailure: Located | undefined,
  destinations: Map<string, DestinationConfig>,
  { folder, timezone, report, destinationsAt }: Pick<Context, 'folder' | 'timezone'> & Place,
): Promise<void> {
  for (const located of onFailure?.items ?? (onFailure ? [onFailure] : [])) {
    const destination = destinations.get(String(located.scalar));
    if (!destination) continue;
    const written = { located: destinationsAt?.entries?.get(destination.name) ?? located, report };
    const able = await lookAt(destination, { folder, timezone }, written, ({ notify }) => notify !== undefined);
    if (able !== false) continue;
    report.at(located, {
      code: 'RELAY_CONFIG_INVALID',
      message: `"${destination.name}" cannot tell people of failures: its connector ${destination.connector.name} is not made for it`,
      fix: 'Name a destination such as one of slack.',
    });
  }
}
