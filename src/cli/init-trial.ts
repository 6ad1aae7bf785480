/** Tries a first config before it is written: as `check` reads it, and at the services themselves. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseEnv, styleText } from 'node:util';
import type { Config } from '../config/config.ts';
import { type Choices, firstConfig } from '../config/first-config.ts';
import { loadConfig } from '../config/load.ts';
import { scrubber } from '../config/secrets.ts';
import type { CheckFinding } from '../connector.ts';
import type { Finding } from '../errors.ts';
import { askService } from './live.ts';

/** Milliseconds that all services have to answer in: nobody waits longer for a first config. */
const PATIENCE = 5_000;

/** Reads the config as it would be, elsewhere. Gives it, or its first error. */
export async function tryFirst(
  choices: Choices,
  folder: string,
): Promise<{ config: Config | undefined; wrong: Finding | undefined }> {
  const trial = await mkdtemp(path.join(tmpdir(), 'versive-relay-init-'));
  try {
    const { config, env } = firstConfig(choices);
    const file = path.join(trial, 'config.yaml');
    const key = choices.googleCredentials;
    const absolute =
      key === undefined ? config : config.replace(`\${file:${key}}`, `\${file:${path.resolve(folder, key)}}`);
    await writeFile(file, absolute);
    // Secrets stay in memory.
    const loaded = await loadConfig(file, parseEnv(env));
    return { config: loaded.config, wrong: loaded.findings.find(({ level }) => level === 'error') };
  } finally {
    await rm(trial, { recursive: true, force: true });
  }
}

/** What the services say of a first config: names of its destinations, and what is to be told of them. */
export interface Answers {
  /** Everything is in order there. */
  well: string[];
  /** The service did not answer. */
  silent: string[];
  findings: ({ destination: string } & CheckFinding)[];
}

/**
 * Asks the service of each destination whose secrets are known: from the answers, or from the environment and a `.env` that
 * is there. Sends nothing.
 */
export async function askServices(choices: Choices, folder: string): Promise<Answers> {
  const values = { ...(await knownValues(folder)), ...choices.values };
  const { needs } = firstConfig(choices);
  const ready = [...needs].filter(([, variables]) => variables.every((name) => values[name])).map(([name]) => name);
  const answers: Answers = { well: [], silent: [], findings: [] };
  const { config } = ready.length === 0 ? {} : await tryFirst({ ...choices, values }, folder);
  if (!config) return answers;
  const scrub = scrubber(config.secrets);
  const signal = AbortSignal.timeout(PATIENCE);
  await Promise.all(
    [...config.destinations.values()].map(async (destination) => {
      const { name } = destination;
      if (!ready.includes(name)) return;
      const { findings, answered } = await askService(destination, config, { signal });
      if (!answered) answers.silent.push(name);
      else if (findings.length === 0) answers.well.push(name);
      else {
        const told = findings.map(({ level, message, fix }) => ({ level, message: scrub(message), fix: scrub(fix) }));
        answers.findings.push(...told.map((finding) => ({ destination: name, ...finding })));
      }
    }),
  );
  return answers;
}

/** Prints what the services say, a line each. */
export function printAnswers({ well, silent, findings }: Answers, stream: NodeJS.WriteStream): void {
  for (const name of well)
    stream.write(`${styleText('green', `${name}: its service says that all is well`, { stream })}\n`);
  for (const { destination, level, message, fix } of findings) {
    const color = level === 'error' ? 'red' : 'yellow';
    stream.write(`${styleText(color, `${destination}:`, { stream })} ${message.replace(/[.]?$/, '.')} ${fix}\n`);
  }
  for (const name of silent) {
    stream.write(
      `${name} could not be checked: its service did not answer. Is there a way to the internet from here?\n`,
    );
  }
}

/** Values of variables; the environment outranks the `.env`, as it does for the config. */
async function knownValues(folder: string): Promise<Record<string, string>> {
  const text = await readFile(path.join(folder, '.env'), 'utf8').catch(() => '');
  const found = Object.entries({ ...parseEnv(text), ...process.env });
  return Object.fromEntries(found.filter((entry): entry is [string, string] => Boolean(entry[1])));
}
