import type { Context, Destination, Log } from '../connector.ts';
import { RelayError } from '../errors.ts';
import type { DestinationConfig } from './config.ts';

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
