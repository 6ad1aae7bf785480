import { styleText } from 'node:util';
import { shownStore } from '../address.ts';
import type { Config } from '../config/config.ts';
import { loadConfig } from '../config/load.ts';
import { type Finding, RelayError } from '../errors.ts';

/**
 * Reads the config, and prints what is wrong or suspicious about it to standard error.
 * `tests:` is left unread: only `check` and `test` need it.
 *
 * @throws RelayError RELAY_CONFIG_… when it has errors
 */
export async function readConfig(file: string): Promise<Config> {
  const { config, findings } = await loadConfig(file, process.env, { tests: false });
  printFindings(findings, process.stderr);
  if (config) return config;
  throw refusal(file, findings);
}

/** What a verb on stored data needs of the config. */
export interface Basics {
  /** Absolute path of the store. */
  store: string;
  /** IANA name. */
  timezone: string;
  /** The whole of it; undefined while it has errors: the destinations, routes and sources are then unknown. */
  config: Config | undefined;
}

/**
 * Reads of the config what a verb on stored data needs, and prints what is wrong about it to standard error. A relay
 * goes on with the config before while the one on disk is bad: it must be possible to look at it, and to pause it.
 *
 * @throws RelayError RELAY_CONFIG_… when the store cannot be told
 */
export async function readBasics(file: string): Promise<Basics> {
  const { config, basics, findings } = await loadConfig(file, process.env, { tests: false });
  printFindings(findings, process.stderr);
  if (config) return { store: config.store, timezone: config.timezone, config };
  if (!basics) throw refusal(file, findings);
  const { store, timezone } = basics;
  process.stderr.write(
    `${file} has ${errors(findings)}: going on with the store ${shownStore(store)}, in ${timezone} time\n`,
  );
  return { store, timezone, config: undefined };
}

/** That a config has errors, which were printed already. */
export function refusal(file: string, findings: Finding[]): RelayError {
  const message = `${file} has ${errors(findings)}; nothing was started or changed`;
  return new RelayError(findings.find(isError)?.code ?? 'RELAY_CONFIG_INVALID', message);
}

function errors(findings: Finding[]): string {
  const number = findings.filter(isError).length;
  return number === 1 ? 'an error' : `${number} errors`;
}

export function isError({ level }: Finding): boolean {
  return level === 'error';
}

/** `config.yaml:14:9 routes[2].to: no destination "slak". Did you mean "slack"?`, a line each. */
export function printFindings(findings: Finding[], stream: NodeJS.WriteStream): void {
  for (const finding of findings) {
    const place = styleText('dim', `${finding.file}:${finding.line}:${finding.column}`, { stream });
    const isError = finding.level === 'error';
    const level = isError ? '' : `${styleText('yellow', 'warning', { stream })} `;
    const path =
      finding.path === '' ? '' : `${styleText(['bold', isError ? 'red' : 'yellow'], `${finding.path}:`, { stream })} `;
    const fix = finding.fix === undefined ? '' : ` ${finding.fix}`;
    stream.write(`${place} ${level}${path}${finding.message}${fix}\n`);
  }
}

/** A finding as a line of plain text. */
export function findingText({ file, line, column, level, path, message, fix }: Finding): string {
  const kind = level === 'error' ? '' : 'warning ';
  const told = fix === undefined ? message : `${message} ${fix}`;
  return `${file}:${line}:${column} ${kind}${path === '' ? '' : `${path}: `}${told}`;
}

/** That a file cannot be written, and why. */
export function unwritable(file: string, error: unknown): RelayError {
  const { code, message } = error as NodeJS.ErrnoException;
  return new RelayError('RELAY_FILE', `${file} cannot be written (${code ?? message})`, {
    fix: 'Name a file in a folder that you may write to.',
    cause: error,
  });
}

/** The one line (and its fix) that a person reads when a verb could not do its work. */
export function printError(error: RelayError): void {
  const stream = process.stderr;
  stream.write(
    `${styleText('red', 'error', { stream })} ${error.message} ${styleText('dim', `(${error.code})`, { stream })}\n`,
  );
  if (error.fix !== undefined) stream.write(`${styleText('cyan', '  fix', { stream })} ${error.fix}\n`);
}
