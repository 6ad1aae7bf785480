import { styleText } from 'node:util';
import { Command, Option } from 'commander';
import type { Config } from '../config/config.ts';
import { loadConfig } from '../config/load.ts';
import { EXIT, type Finding } from '../errors.ts';
import { printAnnotations } from './annotations.ts';
import { printFindings } from './common.ts';
import { checkLive, liveNotes } from './live.ts';
import { configOption, jsonOption } from './options.ts';
import { sampleEvents } from './sample-events.ts';
import { printNotes } from './table.ts';
import { count } from './words.ts';

interface Options {
  config: string;
  live?: true;
  json?: true;
  format?: 'text' | 'github';
  denyWarnings?: true;
}

export function checkCommand(): Command {
  return new Command('check')
    .description('find every problem of the config, each with its line')
    .addOption(configOption())
    .option('--live', 'also ask the services whether deliveries would work; sends nothing')
    .option('--deny-warnings', 'exit 1 when there are warnings')
    .addOption(jsonOption())
    .addOption(
      new Option('--format <format>', 'of the findings; github shows each beside its line in a pull request')
        .choices(['text', 'github'])
        .conflicts('json'),
    )
    .addHelpText(
      'after',
      `
Exit codes: 0 fine, 1 --live found an error or --deny-warnings a warning, 78 the config has errors.

Examples:
  $ versive-relay check
  $ versive-relay check --live --config /etc/versive-relay/config.yaml
  $ versive-relay check --format github --deny-warnings      in GitHub Actions`,
    )
    .action(async (options: Options) => {
      process.exitCode = await check(options);
    });
}

async function check({ config: file, live, json, format = 'text', denyWarnings }: Options): Promise<number> {
  const loaded = await loadConfig(file, process.env, { samples: sampleEvents() });
  const { config } = loaded;
  const asked = live && config ? await checkLive(config, loaded.placeOf) : undefined;
  const findings = inOrder([...loaded.findings, ...(asked?.findings ?? [])], file);
  if (json) for (const finding of findings) process.stdout.write(`${JSON.stringify(finding)}\n`);
  else {
    if (format === 'github') printAnnotations(findings, process.stdout);
    else printFindings(findings, process.stdout);
    process.stdout.write(`${summary(file, config, findings)}\n`);
  }
  if (asked) printNotes(liveNotes(asked), json ? process.stderr : process.stdout);
  if (!config) return EXIT.config;
  const denied = findings.some(({ level }) => level === 'error' || denyWarnings === true);
  return denied ? EXIT.no : EXIT.ok;
}

/** The main file's findings, then those of each other file, in the order of its text. */
function inOrder(findings: Finding[], main: string): Finding[] {
  const files = [...new Set([main, ...findings.map(({ file }) => file)])];
  return findings.sort(
    (a, b) => files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line || a.column - b.column,
  );
}

function summary(file: string, config: Config | undefined, findings: Finding[]): string {
  const errors = findings.filter(({ level }) => level === 'error').length;
  const warnings = findings.length - errors;
  const counts = [errors > 0 ? count(errors, 'error') : '', warnings > 0 ? count(warnings, 'warning') : ''].filter(
    Boolean,
  );
  const stream = process.stdout;
  if (!config || errors > 0) return styleText('red', counts.join(', '), { stream });
  const { destinations, table, include } = config;
  const files = include.patterns.length > 0 ? `, in ${count(1 + new Set(include.matched).size, 'file')}` : '';
  const size = `${count(destinations.size, 'destination')}, ${count(table.routes.length, 'route')}${files}`;
  if (warnings > 0) return styleText('yellow', `${file} can be served, with ${counts[0]}: ${size}`, { stream });
  return styleText('green', `${file} is fine: ${size}`, { stream });
}
