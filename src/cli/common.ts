import { styleText } from 'node:util';
import type { Config } from '../config/config.ts';
import { loadConfig } from '../config/load.ts';
import { type Finding, RelayError } from '../errors.ts';

/**
 * Reads the config, and prints what is wrong or suspicious about it to standard error.
 *
 * @throws RelayError RELAY_CONFIG_… when it has errors
 */
export async function readConfig(file: string): Promise<Config> {
  const { config, findings } = await loadConfig(file);
  printFindings(findings, process.stderr);
  if (config) return config;
  const errors = findings.filter((finding) => finding.level === 'error').length;
  throw new RelayError(
    findings[0]?.code ?? 'RELAY_CONFIG_INVALID',
    `${file} has ${errors === 1 ? 'an error' : `${errors} errors`}; nothing was started or changed`,
  );
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

/** The one line (and its fix) that a person reads when a verb could not do its work. */
export function printError(error: RelayError): void {
  const stream = process.stderr;
  stream.write(
    `${styleText('red', 'error', { stream })} ${error.message} ${styleText('dim', `(${error.code})`, { stream })}\n`,
  );
  if (error.fix !== undefined) stream.write(`${styleText('cyan', '  fix', { stream })} ${error.fix}\n`);
}
