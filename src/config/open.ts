import type { Context, Destination, Log } from '../connector.ts';
import type { DestinationConfig } from './config.ts';

const silent: Log = { debug() {}, info() {}, warn() {} };

/**
 * Opens a destination outside its lane, to look at it; whoever does closes it again. Its connector logs nothing.
 *
 * @param request what its calls go through; by default each is refused
 */
export function openDestination(
  { name, connector, options }: DestinationConfig,
  { folder, timezone }: Pick<Context, 'folder' | 'timezone'>,
  request: typeof fetch = noCalls,
): Destination {
  return connector.open(options, { destination: name, folder, timezone, log: silent, fetch: request });
}

async function noCalls(): Promise<never> {
  throw new Error('no call is made while a destination is only looked at');
}
