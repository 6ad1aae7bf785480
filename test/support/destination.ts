import { tmpdir } from 'node:os';
import { parseOptions } from '../../src/config/plugins.ts';
import type { Connector, Context, Destination, Log } from '../../src/connector.ts';
import type { JsonObject } from '../../src/model.ts';

const silent: Log = { debug() {}, info() {}, warn() {} };

/**
 * Opens a destination as the relay does: its options are judged by the connector's schema and its templates compiled.
 * @param options as a config has them, substituted
 * @param context what differs from a plain `fetch`, a silent log, UTC, and the name `test-destination`
 * @throws when an option is wrong, with every problem in the message
 */
export function openDestination(
  connector: Connector,
  options: JsonObject,
  context: Partial<Context> = {},
): Destination {
  const timezone = context.timezone ?? 'UTC';
  const parsed = parseOptions(connector, options, { timezone });
  if (parsed.problems.length > 0) {
    const lines = parsed.problems.map(({ path, message }) => `${path.join('.')}: ${message}`);
    throw new Error(`the options of ${connector.name} are wrong:\n${lines.join('\n')}`);
  }
  return connector.open(parsed.options, {
    destination: 'test-destination',
    folder: tmpdir(),
    log: silent,
    fetch,
    ...context,
    timezone,
  });
}
