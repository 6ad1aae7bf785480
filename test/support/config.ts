import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import type { Config } from '../../src/config/config.ts';
import { type Loaded, loadConfig } from '../../src/config/load.ts';
import type { Finding } from '../../src/errors.ts';

/** The secret of the Standard Webhooks test vector. */
export const SIGNING_SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

/** A temporary folder with these files, removed after the test. */
export async function makeFolder(test: TestContext, files: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'versive-relay-config-'));
  test.after(() => rm(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) await writeFile(path.join(folder, name), text);
  return folder;
}

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
