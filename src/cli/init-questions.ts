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
  return ask(async (context) => {
    const questions = new Questions(asking, context);
    const whsec = "Versive: the webhook endpoint's signing secret, whsec_…";
    await questions.secret('VERSIVE_WEBHOOK_SECRET', whsec, judgeSigningSecret);
    const { checkbox } = await import('@inquirer/prompts');
    const places = await checkbox(
      {
        message: 'Where shall interviews go?',
        choices: [
          { value: 'research-alerts', name: 'Slack: a summary in a channel' },
          { value: 'interview-library', name: 'Notion: a page in a database' },
          { value: 'tracker', name: 'Google Sheets: a row in a spreadsheet' },
        ],
      },
      context,
    );
    return questions.about(places);
  }, 'nothing was written');
}

/**
 * Asks what to do about what the services said.
 *
 * @param destinations those with an error, whose questions are asked again if so
 * @returns the choices as they are then; false to go on with those that were made
 */
export function askAgain(asking: Asking, destinations: string[]): Promise<Choices | false | undefined> {
  return ask(async (context) => {
    const { confirm } = await import('@inquirer/prompts');
    const message = 'Correct these answers? (No writes the config as it is)';
    if (!(await confirm({ message, default: true }, context))) return false;
    return new Questions(asking, context).about(destinations);
  }, 'nothing was written');
}

/** The questions, with what was answered so far. */
class Questions {
  readonly #choices: Choices;
  readonly #asking: Asking;
  readonly #context: AskContext;

  constructor(asking: Asking, context: AskContext) {
    this.#choices = { ...asking.choices, values: { ...asking.choices.values } };
    this.#asking = asking;
    this.#context = context;
  }

  /** All questions about destinations of a first config, by their names. */
  async about(destinations: string[]): Promise<Choices> {
    const choices = this.#choices;
    if (destinations.includes('research-alerts')) {
      const message = "Slack: the channel's id or address";
      choices.slackChannel = await this.#id(message, 'slack', 'channel', choices.slackChannel);
      await this.secret('SLACK_BOT_TOKEN', "Slack: the app's bot token, xoxb-…", judgeToken);
    }
    if (destinations.includes('interview-library')) {
      const message = "Notion: the database's address from the browser";
      choices.notionDataSource = await this.#id(message, 'notion', 'data_source', choices.notionDataSource);
      await this.secret('NOTION_TOKEN', "Notion: the connection's secret, ntn_…", judgeToken);
    }
    if (destinations.includes('tracker')) {
      const message = "Google Sheets: the spreadsheet's address from the browser";
      choices.spreadsheet = await this.#id(message, 'google-sheets', 'spreadsheet', choices.spreadsheet);
      await this.#keyFile();
    }
    return choices;
  }

  async secret(name: string, what: string, judge: (text: string) => true | string): Promise<void> {
    if (this.#asking.hasEnv) return;
    const { password } = await import('@inquirer/prompts');
    const otherwise = this.#choices.values[name] === undefined ? 'put it into the .env later' : 'keep it';
    const message = `${what} (Enter to ${otherwise})`;
    const validate = (text: string) => text.trim() === '' || judge(text.trim());
    const text = await password({ message, mask: true, validate }, this.#context);
    if (text.trim() !== '') this.#choices.values[name] = text.trim();
  }

  async #id(message: string, connector: string, option: string, before: string | undefined): Promise<string> {
    const { input } = await import('@inquirer/prompts');
    const validate = (text: string) => judgeOption(connector, option, text.trim());
    const config = { message, required: true, validate, ...(before !== undefined && { default: before }) };
    return (await input(config, this.#context)).trim();
  }

  async #keyFile(): Promise<void> {
    if (this.#choices.googleCredentials !== undefined) return;
    const { input } = await import('@inquirer/prompts');
    const validate = (text: string) => text.trim() === '' || judgeKeyFile(text.trim(), this.#asking.folder);
    const message = "Google: path of the service account's key file (Enter to set it later)";
    const answer = (await input({ message, validate }, this.#context)).trim();
    this.#choices.googleCredentials = answer || undefined;
  }
}
