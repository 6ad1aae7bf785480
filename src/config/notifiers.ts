import type { Context } from '../connector.ts';
import type { DestinationConfig } from './config.ts';
import type { Located } from './locate.ts';
import type { Report } from './report.ts';

const silent = { debug() {}, info() {}, warn() {} };

/** Destinations of `on_failure:` must be able to tell people: only opening them (which makes no call) shows it. */
export async function checkNotifiers(
  onFailure: Located | undefined,
  destinations: Map<string, DestinationConfig>,
  { folder, timezone, report }: Pick<Context, 'folder' | 'timezone'> & { report: Report },
): Promise<void> {
  for (const located of onFailure?.items ?? (onFailure ? [onFailure] : [])) {
    const destination = destinations.get(String(located.scalar));
    if (!destination) continue;
    const { name, connector, options } = destination;
    const context: Context = { destination: name, folder, timezone, log: silent, fetch: noCalls };
    const opened = connector.open(options, context);
    const able = opened.notify !== undefined;
    await opened.close?.();
    if (able) continue;
    report.at(located, {
      code: 'RELAY_CONFIG_INVALID',
      message: `"${name}" cannot tell people of failures: its connector ${connector.name} is not made for it`,
      fix: 'Name a destination such as one of slack.',
    });
  }
}

async function noCalls(): Promise<never> {
  throw new Error('no call is made while the config is read');
}
