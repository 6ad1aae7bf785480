import type { Choices } from '../config/first-config.ts';
import { type AskContext, ask } from './ask.ts';
import { judgeKeyFile, judgeOption, judgeSigningSecret, judgeToken } from './init-answers.ts';

/** What is known before the first question. */
export interface Asking {
  choices: Choices;
  /** Absolute folder of the config. */
  folder: string;
  /** There is a `.env` already, which keeps the secrets: none is asked for. */
  hasEnv: boolean;
}

/**
 * Asks on the terminal what no flag said, and takes no answer that `check` would refuse. A secret may be left out: its
 * placeholder is then replaced in the `.env`. Gives nothing, and says so, after Ctrl-C or at the end of the input.
 */
export function askChoices(asking: Asking): Promise<Choices | undefined> {
  return ask((context) => askAll(asking, context), 'nothing was written');
}

async function askAll({ choices, folder, hasEnv }: Asking, context: AskContext): Promise<Choices> {
  const { checkbox, input, password } = await import('@inquirer/prompts');
  const asked: Choices = { ...choices, values: { ...choices.values } };
  const secret = async (name: string, what: string, judge: (text: string) => true | string) => {
    if (hasEnv) return;
    const message = `${what} (Enter to put it into the .env later)`;
    const validate = (text: string) => text.trim() === '' || judge(text.trim());
    const text = await password({ message, mask: true, validate }, context);
    if (text.trim() !== '') asked.values[name] = text.trim();
  };
  const id = async (message: string, connector: string, option: string) => {
    const validate = (text: string) => judgeOption(connector, option, text.trim());
    return (await input({ message, required: true, validate }, context)).trim();
  };
  const whsec = "Versive: the webhook endpoint's signing secret, whsec_…";
  await secret('VERSIVE_WEBHOOK_SECRET', whsec, judgeSigningSecret);
  const places = await checkbox(
    {
      message: 'Where shall interviews go?',
      choices: [
        { value: 'slack', name: 'Slack: a summary in a channel' },
        { value: 'notion', name: 'Notion: a page in a database' },
        { value: 'sheets', name: 'Google Sheets: a row in a spreadsheet' },
      ],
    },
    context,
  );
  if (places.includes('slack')) {
    asked.slackChannel = await id("Slack: the channel's id or address", 'slack', 'channel');
    await secret('SLACK_BOT_TOKEN', "Slack: the app's bot token, xoxb-…", judgeToken);
  }
  if (places.includes('notion')) {
    const message = "Notion: the database's address from the browser";
    asked.notionDataSource = await id(message, 'notion', 'data_source');
    await secret('NOTION_TOKEN', "Notion: the connection's secret, ntn_…", judgeToken);
  }
  if (places.includes('sheets')) {
    const message = "Google Sheets: the spreadsheet's address from the browser";
    asked.spreadsheet = await id(message, 'google-sheets', 'spreadsheet');
    if (asked.googleCredentials === undefined) {
      const validate = (text: string) => text.trim() === '' || judgeKeyFile(text.trim(), folder);
      const key = "Google: path of the service account's key file (Enter to set it later)";
      asked.googleCredentials = (await input({ message: key, validate }, context)).trim() || undefined;
    }
  }
  return asked;
}
