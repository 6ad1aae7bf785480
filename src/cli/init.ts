import { constants } from 'node:fs';
import { access, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { styleText } from 'node:util';
import { Command } from 'commander';
import { type Choices, firstConfig } from '../config/first-config.ts';
import { EXIT, type Finding, RelayError } from '../errors.ts';
import { printFindings, unwritable } from './common.ts';
import { judgeKeyFile, judgeTimezone } from './init-answers.ts';
import { type Asking, askAgain, askChoices } from './init-questions.ts';
import { askServices, printAnswers, tryFirst } from './init-trial.ts';
import { configOption } from './options.ts';

interface Options {
  config: string;
  slackChannel?: string;
  notionDataSource?: string;
  spreadsheet?: string;
  googleCredentials?: string;
  timezone?: string;
  check: boolean;
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
    .option('--no-check', 'do not ask Slack, Notion and Google whether it would work')
    .addHelpText(
      'after',
      `
On a terminal it asks for what no flag says. Without any destination it writes events to a file. Where the secrets are
known (from the answers, the environment or a .env that is there) it asks the services whether the config would work, and
sends nothing.

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
  const hasEnv = await isThere(path.join(folder, '.env'));
  const made = await choose(options, { choices: chosen(options), folder, hasEnv });
  if (made) await write(options, made, { file, hasEnv });
  else process.exitCode = EXIT.no;
}

/** A first config, before it is written. */
interface Made {
  choices: Choices;
  /** What `check` would say of it. */
  wrong: Finding | undefined;
  /** Do the services say that all is well? */
  ready: boolean;
}

/**
 * Asks, on a terminal, for what no flag says; then the services.
 *
 * @returns undefined when the person stopped it
 * @throws RelayError when a flag is wrong
 */
async function choose(options: Options, asking: Asking): Promise<Made | undefined> {
  const named = options.slackChannel ?? options.notionDataSource ?? options.spreadsheet;
  const asks = named === undefined && process.stdin.isTTY && process.stdout.isTTY;
  if (asks) await beforeQuestions(options, asking.folder);
  const choices = asks ? await askChoices(asking) : asking.choices;
  if (!choices) return undefined;
  const { wrong } = await tryFirst(choices, asking.folder);
  if (!wrong) return options.check ? await correct({ ...asking, choices }, asks) : { choices, wrong, ready: false };
  // What a person answered is kept, whatever is wrong with it: a flag is given again in a moment.
  if (asks) return { choices, wrong, ready: false };
  throw new RelayError('RELAY_USAGE', `${wrong.path}: ${wrong.message}`, {
    ...(wrong.fix !== undefined && { fix: wrong.fix }),
  });
}

/** Writes the files, and says what to do next. */
async function write(
  options: Options,
  { choices, wrong, ready }: Made,
  { file, hasEnv }: { file: string; hasEnv: boolean },
): Promise<void> {
  const { config, env } = firstConfig(choices);
  const dotEnv = path.join(path.dirname(file), '.env');
  await mkdir(path.dirname(file), { recursive: true }).catch(refuse(path.dirname(file)));
  await writeFile(file, config, { flag: 'wx' }).catch(refuse(options.config));
  if (!hasEnv) await writeFile(dotEnv, env, { flag: 'wx', mode: 0o600 }).catch(refuse(dotEnv));
  const stream = process.stdout;
  const relative = path.relative('.', dotEnv);
  const names = [...env.matchAll(/^(\w+)=/gm)].map(([, name = '']) => name);
  const open = names.filter((name) => choices.values[name] === undefined);
  const given = open.filter((name) => process.env[name]);
  const missing = open.filter((name) => !given.includes(name)).join(', ');
  stream.write(`${styleText('green', `wrote ${options.config}`, { stream })}${hasEnv ? '' : ` and ${relative}`}\n`);
  if (wrong) {
    printFindings([{ ...wrong, file: options.config }], process.stderr);
    process.exitCode = EXIT.config;
  }
  if (given.length > 0) stream.write(`From the environment, which outranks ${relative}: ${given.join(', ')}\n`);
  if (hasEnv) {
    stream.write(`${relative} was there and is as it was${missing === '' ? '' : `: see that it sets ${missing}`}\n`);
  } else if (missing !== '') stream.write(`Put your secrets into ${relative}: ${missing}\n`);
  const flag = options.config === 'config.yaml' ? '' : ` --config ${options.config}`;
  const isReady = ready && missing === '';
  stream.write(`${isReady ? 'Next:' : `Then: versive-relay check --live${flag}, and`} versive-relay serve${flag}\n`);
}

/** Tells what the services say, and lets a person correct the answers. */
async function correct(asking: Asking, asks: boolean): Promise<Made | undefined> {
  let { choices } = asking;
  for (;;) {
    const answers = await askServices(choices, asking.folder);
    printAnswers(answers, process.stdout);
    const errors = answers.findings.filter(({ level }) => level === 'error').map(({ destination }) => destination);
    const ready = [...firstConfig(choices).needs.keys()].every((name) => answers.well.includes(name));
    if (!asks || errors.length === 0) return { choices, wrong: undefined, ready };
    const again = await askAgain({ ...asking, choices }, errors);
    if (again === undefined) return undefined;
    if (again === false) return { choices, wrong: undefined, ready: false };
    choices = again;
  }
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
    throw unwritable(file, error);
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
