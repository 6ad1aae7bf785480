import type { Choices } from '../config/first-config.ts';
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
export async function askChoices({ choices, folder, hasEnv }: Asking): Promise<Choices | undefined> {
  const { checkbox, input, password } = await import('@inquirer/prompts');
  const ending = new AbortController();
  const context = { signal: ending.signal };
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
  // A prompt whose input ends never settles: the process would run out of things to do instead.
  const end = () => ending.abort();
  process.once('beforeExit', end);
  try {
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
  } catch (error) {
    const name = error instanceof Error ? error.name : '';
    if (name !== 'ExitPromptError' && name !== 'AbortPromptError') throw error;
    const why = name === 'AbortPromptError' ? 'the input ended before the last answer: ' : '';
    process.stderr.write(`${why}nothing was written\n`);
    return undefined;
  } finally {
    process.off('beforeExit', end);
  }
}
