import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { styleText } from 'node:util';
import { Command } from 'commander';
import { type Choices, firstConfig } from '../config/first-config.ts';
import { loadConfig } from '../config/load.ts';
import { EXIT, RelayError } from '../errors.ts';
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
  const named = options.slackChannel ?? options.notionDataSource ?? options.spreadsheet;
  const asks = named === undefined && process.stdin.isTTY && process.stdout.isTTY;
  const choices = asks ? await ask(options) : chosen(options);
  if (!choices) {
    process.stderr.write('nothing was written\n');
    process.exitCode = EXIT.no;
    return;
  }
  const { config, env } = firstConfig(choices);
  await prove(config, env, choices, path.dirname(file));

  await writeFile(file, config, { flag: 'wx' }).catch(refuse(options.config));
  const dotEnv = path.join(path.dirname(file), '.env');
  const hasEnv = await isThere(dotEnv);
  if (!hasEnv) await writeFile(dotEnv, env, { flag: 'wx', mode: 0o600 }).catch(refuse(dotEnv));
  const stream = process.stdout;
  const relative = path.relative('.', dotEnv);
  const missing = [...env.matchAll(/^(\w+)=/gm)].map(([, name]) => name).join(', ');
  stream.write(`${styleText('green', `wrote ${options.config}`, { stream })}${hasEnv ? '' : ` and ${relative}`}\n`);
  stream.write(
    hasEnv
      ? `${relative} was there and is as it was: see that it sets ${missing}\n`
      : `Put your secrets into ${relative}: ${missing}\n`,
  );
  const flag = options.config === 'config.yaml' ? '' : ` --config ${options.config}`;
  stream.write(`Then: versive-relay check --live${flag}, and versive-relay serve${flag}\n`);
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

function chosen(options: Options, values: Record<string, string> = {}): Choices {
  return {
    timezone: options.timezone ?? Intl.DateTimeFormat().resolvedOptions().timeZone,
    slackChannel: options.slackChannel,
    notionDataSource: options.notionDataSource,
    spreadsheet: options.spreadsheet,
    googleCredentials: options.googleCredentials,
    values,
  };
}

/** Asks on the terminal. A secret may be left out: its placeholder is then replaced in the `.env`. Gives nothing after Ctrl-C. */
async function ask(options: Options): Promise<Choices | undefined> {
  const { checkbox, input, password } = await import('@inquirer/prompts');
  const values: Record<string, string> = {};
  const secret = async (name: string, message: string) => {
    const text = await password({ message: `${message} (Enter to put it into the .env later)`, mask: true });
    if (text.trim() !== '') values[name] = text.trim();
  };
  const id = (message: string) => input({ message, required: true });
  try {
    await secret('VERSIVE_WEBHOOK_SECRET', "Versive: the webhook endpoint's signing secret, whsec_…");
    const places = await checkbox({
      message: 'Where shall interviews go?',
      choices: [
        { value: 'slack', name: 'Slack: a summary in a channel' },
        { value: 'notion', name: 'Notion: a page in a database' },
        { value: 'sheets', name: 'Google Sheets: a row in a spreadsheet' },
      ],
    });
    const asked: Options = { ...options };
    if (places.includes('slack')) {
      asked.slackChannel = await id("Slack: the channel's id or address");
      await secret('SLACK_BOT_TOKEN', "Slack: the app's bot token, xoxb-…");
    }
    if (places.includes('notion')) {
      asked.notionDataSource = await id("Notion: the database's address from the browser");
      await secret('NOTION_TOKEN', "Notion: the connection's secret, ntn_…");
    }
    if (places.includes('sheets')) {
      asked.spreadsheet = await id("Google Sheets: the spreadsheet's address from the browser");
      const key = await input({ message: "Google: path of the service account's key file (Enter to set it later)" });
      if (key.trim() !== '') asked.googleCredentials = key.trim();
    }
    return chosen(asked, values);
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'ExitPromptError') throw error;
    return undefined;
  }
}

/** Reads the config as it would be, elsewhere, before anything is written. */
async function prove(config: string, env: string, choices: Choices, folder: string): Promise<void> {
  const trial = await mkdtemp(path.join(tmpdir(), 'versive-relay-init-'));
  try {
    const file = path.join(trial, 'config.yaml');
    const key = choices.googleCredentials;
    const absolute =
      key === undefined ? config : config.replace(`\${file:${key}}`, `\${file:${path.resolve(folder, key)}}`);
    await writeFile(file, absolute);
    await writeFile(path.join(trial, '.env'), env, { mode: 0o600 });
    const { findings } = await loadConfig(file, {});
    const wrong = findings.find(({ level }) => level === 'error');
    if (!wrong) return;
    throw new RelayError('RELAY_USAGE', `${wrong.path}: ${wrong.message}`, {
      ...(wrong.fix !== undefined && { fix: wrong.fix }),
    });
  } finally {
    await rm(trial, { recursive: true, force: true });
  }
}
