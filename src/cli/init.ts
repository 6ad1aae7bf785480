import { constants } from 'node:fs';
import { access, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { styleText } from 'node:util';
import { Command } from 'commander';
import { type Choices, firstConfig } from '../config/first-config.ts';
import { loadConfig } from '../config/load.ts';
import { EXIT, type Finding, RelayError } from '../errors.ts';
import { printFindings } from './common.ts';
import { judgeKeyFile, judgeTimezone } from './init-answers.ts';
import { askChoices } from './init-questions.ts';
import { configOption } from './options.ts';

interface Options {
  config: string;
  slackChannel?: string;
  notionDataSource?: string;
  spreadsheet?: string;
  googleCredentials?: string;
  timezone?: string;
}

export function initCommand(): Command {
  return new Command('init')
    .description('write a first config, and a .env for its secrets; never over an existing one')
    .addOption(configOption())
    .option('--slack-channel <id>', 'send a summary to this channel: its id or address')
    .option('--notion-data-source <id>', 'keep a page in this data source: its id, or the address of its database')
    .option('--spreadsheet <id>', 'keep a row in this Google spreadsheet: its id or address')
    .option('--google-credentials <file>', 'the JSON key file of a service account, relative to the config')
    .option('--timezone <name>', 'of dates in messages, such as Europe/Berlin; the one of this machine by default')
    .addHelpText(
      'after',
      `
On a terminal it asks for what no flag says. Without any destination it writes events to a file.

Examples:
  $ versive-relay init
  $ versive-relay init --slack-channel C0123456789 --spreadsheet https://docs.google.com/spreadsheets/d/…`,
    )
    .action(init);
}

async function init(options: Options): Promise<void> {
  const file = path.resolve(options.config);
  if (await isThere(file)) {
    throw new RelayError('RELAY_USAGE', `${options.config} is there already, and init writes over nothing`, {
      fix: 'Name another file with --config, or edit this one; versive-relay check finds every mistake.',
    });
  }
  const folder = path.dirname(file);
  const dotEnv = path.join(folder, '.env');
  const hasEnv = await isThere(dotEnv);
  const named = options.slackChannel ?? options.notionDataSource ?? options.spreadsheet;
  const asks = named === undefined && process.stdin.isTTY && process.stdout.isTTY;
  if (asks) await beforeQuestions(options, folder);
  const choices = asks ? await askChoices({ choices: chosen(options), folder, hasEnv }) : chosen(options);
  if (!choices) {
    process.exitCode = EXIT.no;
    return;
  }
  const { config, env } = firstConfig(choices);
  const wrong = await prove(config, env, choices, folder);
  // What a person answered is kept, whatever is wrong with it: a flag is given again in a moment.
  if (wrong && !asks) {
    throw new RelayError('RELAY_USAGE', `${wrong.path}: ${wrong.message}`, {
      ...(wrong.fix !== undefined && { fix: wrong.fix }),
    });
  }

  await mkdir(folder, { recursive: true }).catch(refuse(folder));
  await writeFile(file, config, { flag: 'wx' }).catch(refuse(options.config));
  if (!hasEnv) await writeFile(dotEnv, env, { flag: 'wx', mode: 0o600 }).catch(refuse(dotEnv));
  const stream = process.stdout;
  const relative = path.relative('.', dotEnv);
  const names = [...env.matchAll(/^(\w+)=/gm)].map(([, name = '']) => name);
  const missing = names.filter((name) => choices.values[name] === undefined).join(', ');
  stream.write(`${styleText('green', `wrote ${options.config}`, { stream })}${hasEnv ? '' : ` and ${relative}`}\n`);
  if (wrong) {
    printFindings([{ ...wrong, file: options.config }], process.stderr);
    process.exitCode = EXIT.config;
  }
  if (hasEnv) stream.write(`${relative} was there and is as it was: see that it sets ${missing}\n`);
  else if (missing !== '') stream.write(`Put your secrets into ${relative}: ${missing}\n`);
  const flag = options.config === 'config.yaml' ? '' : ` --config ${options.config}`;
  stream.write(`Then: versive-relay check --live${flag}, and versive-relay serve${flag}\n`);
}

/** Finds before the first question what would make all answers useless. */
async function beforeQuestions({ timezone, googleCredentials }: Options, folder: string): Promise<void> {
  const flags: [string, true | string][] = [
    ['--timezone', timezone === undefined || judgeTimezone(timezone)],
    ['--google-credentials', googleCredentials === undefined || (await judgeKeyFile(googleCredentials, folder))],
  ];
  for (const [flag, verdict] of flags) {
    if (verdict !== true) throw new RelayError('RELAY_USAGE', `${flag}: ${verdict}`);
  }
  let existing = folder;
  while (!(await isThere(existing))) existing = path.dirname(existing);
  await access(existing, constants.W_OK).catch(refuse(folder));
}

async function isThere(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

function refuse(file: string): (error: NodeJS.ErrnoException) => never {
  return (error) => {
    throw new RelayError('RELAY_FILE', `${file} cannot be written (${error.code})`, { cause: error });
  };
}

function chosen(options: Options): Choices {
  return {
    timezone: options.timezone ?? Intl.DateTimeFormat().resolvedOptions().timeZone,
    slackChannel: options.slackChannel,
    notionDataSource: options.notionDataSource,
    spreadsheet: options.spreadsheet,
    googleCredentials: options.googleCredentials,
    values: {},
  };
}

/** Reads the config as it would be, elsewhere, before anything is written. Gives the first error. */
async function prove(config: string, env: string, choices: Choices, folder: string): Promise<Finding | undefined> {
  const trial = await mkdtemp(path.join(tmpdir(), 'versive-relay-init-'));
  try {
    const file = path.join(trial, 'config.yaml');
    const key = choices.googleCredentials;
    const absolute =
      key === undefined ? config : config.replace(`\${file:${key}}`, `\${file:${path.resolve(folder, key)}}`);
    await writeFile(file, absolute);
    await writeFile(path.join(trial, '.env'), env, { mode: 0o600 });
    const { findings } = await loadConfig(file, {});
    return findings.find(({ level }) => level === 'error');
  } finally {
    await rm(trial, { recursive: true, force: true });
  }
}
