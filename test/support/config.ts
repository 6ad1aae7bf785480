import path from 'node:path';
import type { TestContext } from 'node:test';
import type { Config } from '../../src/config/config.ts';
import { type Loaded, loadConfig } from '../../src/config/load.ts';
import type { Finding } from '../../src/errors.ts';
import { makeFolder } from './folder.ts';

export { makeFolder } from './folder.ts';
export { SIGNING_SECRET } from './signing.ts';

/** Reads a config of this text, with these files beside it. */
export async function readText(
  test: TestContext,
  text: string,
  { env = {}, files = {} }: { env?: NodeJS.ProcessEnv; files?: Record<string, string> } = {},
): Promise<Loaded> {
  const folder = await makeFolder(test, { ...files, 'config.yaml': text });
  return loadConfig(path.join(folder, 'config.yaml'), env);
}

/** The config of a text that must be right. */
export async function readGood(...given: Parameters<typeof readText>): Promise<Config> {
  const { config, findings } = await readText(...given);
  if (!config) throw new Error(findings.map(printFinding).join('\n'));
  return config;
}

/** `14:9 routes[2].to: no destination "slak". Did you mean "slack"?` */
export function printFinding({ line, column, level, path: at, message, fix }: Finding): string {
  const told = fix === undefined ? message : `${message} ${fix}`;
  return `${line}:${column} ${level === 'warning' ? 'warning ' : ''}${at === '' ? '' : `${at}: `}${told}`;
}
