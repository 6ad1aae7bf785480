import { stat } from 'node:fs/promises';
import path from 'node:path';
import { RelayError } from '../errors.ts';
import { Connectors } from './destinations.ts';
import { judge } from './issues.ts';
import { type Located, plainValue } from './locate.ts';
import { findConnectors, loadConnector, packageModule } from './plugins.ts';
import { quoteOf, type Report } from './report.ts';
import { pluginsSchema } from './schema.ts';
import { reason } from './substitute.ts';

/** The connectors that come with the relay, and those that `plugins:` adds: of folders, and npm packages. */
export async function findAll(plugins: Located | undefined, folder: string, report: Report): Promise<Connectors> {
  const connectors = await Connectors.builtIn();
  if (!plugins) return connectors;
  report.options(plugins, judge(pluginsSchema, plainValue(plugins), quoteOf(plugins)).problems);
  for (const entry of plugins.items ?? []) {
    if (typeof entry.scalar !== 'string' || entry.scalar === '') continue;
    try {
      await addPlugin(entry.scalar, folder, connectors);
    } catch (error) {
      if (!(error instanceof RelayError)) throw error;
      report.at(entry, { code: error.code, message: error.message, fix: error.fix });
    }
  }
  return connectors;
}

async function addPlugin(plugin: string, folder: string, connectors: Connectors): Promise<void> {
  const place = path.resolve(folder, plugin);
  const isPath = /^\.{0,2}[/\\]/.test(plugin) || path.isAbsolute(plugin) || plugin === '.' || plugin === '..';
  if (isPath || (await isFolder(place))) {
    const found = await findIn(place, plugin);
    for (const [name, file] of found) connectors.add(name, file);
    return;
  }
  const connector = await loadConnector(packageModule(plugin, folder));
  connectors.add(connector.name, connector);
}

async function findIn(place: string, plugin: string): Promise<Map<string, string>> {
  let found: Map<string, string>;
  try {
    found = await findConnectors(place);
  } catch (error) {
    throw new RelayError('RELAY_CONFIG_CONNECTOR', `the folder ${plugin} cannot be read: ${reason(error)}`, {
      fix: 'Its path is relative to the config file.',
      cause: error,
    });
  }
  if (found.size > 0) return found;
  throw new RelayError('RELAY_CONFIG_CONNECTOR', `the folder ${plugin} has no connectors`, {
    fix: 'A connector is a file such as teams.ts or teams.js, named as the connector.',
  });
}

async function isFolder(place: string): Promise<boolean> {
  try {
    return (await stat(place)).isDirectory();
  } catch {
    return false;
  }
}
