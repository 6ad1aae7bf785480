import type { Context, Destination, Log } from '../connector.ts';
import { RelayError } from '../errors.ts';
import type { DestinationConfig } from './config.ts';
import type { Located } from './locate.ts';
import type { Report } from './report.ts';

const silent: Log = { debug() {}, info() {}, warn() {} };

/**
 * Opens a destination outside its lane, to look at it; whoever does closes it again. Its connector logs nothing.
 *
 * @param request what its calls go through; by default each is refused
 * @throws RelayError RELAY_CONFIG_CONNECTOR when its connector refuses to be opened
 */
export function openDestination(
  destination: DestinationConfig,
  { folder, timezone }: Pick<Context, 'folder' | 'timezone'>,
  request: typeof fetch = noCalls,
): Destination {
  return openWith(destination, { destination: destination.name, folder, timezone, log: silent, fetch: request });
}

/**
 * Looks at a destination, and closes it again.
 *
 * @param written where it stands: what is wrong when it cannot be opened is told there
 * @returns undefined when it cannot
 */
export async function lookAt<T>(
  destination: DestinationConfig,
  place: Pick<Context, 'folder' | 'timezone'>,
  written: { located: Located; report: Report },
  look: (opened: Destination) => T,
): Promise<T | undefined> {
  try {
    const opened = openDestination(destination, place);
    try {
      return look(opened);
    } finally {
      await opened.close?.();
    }
  } catch (error) {
    const ends = `the connector ${destination.connector.name} ends in an unexpected ${error instanceof Error ? error.name : typeof error}`;
    const { message, fix } = error instanceof RelayError ? error : { message: ends, fix: undefined };
    written.report.at(written.located, { code: 'RELAY_CONFIG_CONNECTOR', message, fix });
    return undefined;
  }
}

/** @throws RelayError RELAY_CONFIG_CONNECTOR when its connector refuses to be opened */
export function openWith({ name, connector, options }: DestinationConfig, context: Context): Destination {
  try {
    return connector.open(options, context);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new RelayError('RELAY_CONFIG_CONNECTOR', `destinations.${name} cannot be opened: ${why}`, {
      fix: `Look at the options of ${name}; ${connector.name} refuses them.`,
      cause: error,
    });
  }
}

async function noCalls(): Promise<never> {
  throw new Error('no call is made while a destination is only looked at');
}
