import { type FetchFunction, type Logger, LogLevel, WebClient } from '@slack/web-api';
import {
  type CheckFinding,
  type Context,
  type Destination,
  type Drawn,
  defineConnector,
  delivered,
  type Item,
  type JsonObject,
  type JsonValue,
  type Limits,
  type Notice,
  type Outcome,
  reject,
  repeatable,
  type Sighting,
  secret,
  structure,
  template,
} from 'versive-relay/connector';
import { z } from 'zod';
import { checkSlack } from './slack/check.ts';
import { drawMessage } from './slack/draw.ts';
import { slackCode, slackOutcome } from './slack/errors.ts';
import { findMessages } from './slack/find.ts';
import { blocksOf, fitBlocks, fitMessage } from './slack/fit.ts';
import { escapeMarkup } from './slack/markup.ts';
import { metadataOf, type Posted, postedIn, postedOf, receiptOf } from './slack/posted.ts';
import { summary } from './slack/summary.ts';

/** Of a channel, a direct message or a person: `C0123456789`, alone or in an address of Slack. */
const ID = /(?:^|[/=])([CGDU][A-Z0-9]{8,})(?=$|[/?&#])/;

const options = z.strictObject({
  token: secret().describe(
    'The bot token of your Slack app (`xoxb-…`), with the scopes `chat:write`, `channels:history` and `channels:read` (`groups:…` for a private channel).',
  ),
  channel: z
    .string()
    .regex(
      ID,
      'expected the id of a channel, such as C0123456789 (at the foot of its details in Slack), or its address',
    )
    .transform((text) => ID.exec(text)?.[1] ?? text)
    .describe('The channel: its id, or its address from the browser.'),
  message: template({ escape: escapeMarkup })
    .optional()
    .describe(
      "The message, in place of the summary, in Slack's mrkdwn. Beside `blocks:` it is the notification's text.",
    ),
  blocks: structure({ escape: escapeMarkup })
    .refine((blocks) => blocksOf(blocks.source).length > 0, 'expected a list of Block Kit blocks')
    .optional()
    .describe('Block Kit blocks whose strings are templates, in place of the summary.'),
  api_url: z
    .url({ protocol: /^https?$/ })
    .default('https://slack.com/api/')
    .describe("The root of Slack's Web API, for a proxy or a stand-in."),
});

/** Slack. An earlier try is known again by its message's metadata; docs/connectors.md says what can still double. */
export default defineConnector({
  name: 'slack',
  description: 'Posts a summary of each interview to a Slack channel.',
  options,
  open: (parsed, context) => new SlackDestination(parsed, context),
});

class SlackDestination implements Destination {
  readonly target: string;
  readonly limits: Limits;
  readonly #options: z.output<typeof options>;
  readonly #context: Context;
  readonly #slack: WebClient;
  /** `https://team.slack.com/`, the start of every link to a message; asked once. */
  #team: string | undefined;

  constructor(parsed: z.output<typeof options>, context: Context) {
    this.#options = parsed;
    this.#context = context;
    this.target = `slack:${parsed.channel}`;
    // A message a second in a channel (https://docs.slack.dev/apis/web-api/rate-limits); Slack counts by app.
    this.limits = { key: `slack:${parsed.token.fingerprint()}`, calls: 1, per: 1000 };
    this.#slack = new WebClient(parsed.token.reveal(), {
      slackApiUrl: parsed.api_url,
      allowAbsoluteUrls: false,
      fetch: context.fetch as FetchFunction,
      logger: silent,
      retryConfig: { retries: 0 },
      rejectRateLimitedCalls: true,
    });
  }

  async deliver(item: Item): Promise<Outcome> {
    const message = messageOf(item, this.#options);
    if ('kind' in message) return message;
    const team = await this.#teamUrl();
    const before = postedOf(item.receipt);
    const updated = before && (await this.#update(before, message));
    if (updated && 'kind' in updated) return updated;
    try {
      return delivered(receiptOf(updated ?? (await this.#post(message)), team));
    } catch (error) {
      return slackOutcome(error);
    }
  }

  find(items: Item[]): Promise<Sighting[]> {
    const receipt = async (posted: Posted) => receiptOf(posted, await this.#teamUrl());
    return findMessages(this.#slack, this.#options.channel, items, receipt);
  }

  preview(item: Item): JsonValue {
    const message = messageOf(item, this.#options);
    if ('kind' in message) return JSON.parse(JSON.stringify(message));
    const before = postedOf(item.receipt);
    return before
      ? { method: 'chat.update', ...updateOf(before, message) }
      : { method: 'chat.postMessage', ...postOf(this.#options.channel, message) };
  }

  draw(item: Item): Drawn[][] {
    const message = messageOf(item, this.#options);
    if (!('kind' in message)) return drawMessage(message);
    return [[{ bold: 'It would be rejected: ' }, 'detail' in message ? message.detail : message.kind]];
  }

  async notify(notice: Notice): Promise<Outcome> {
    const text = [`*${escapeMarkup(notice.title)}*`, ...notice.lines.map((line) => `• ${escapeMarkup(line)}`)].join(
      '\n',
    );
    try {
      const { channel, ts } = await this.#post({ text: fitMessage(text), blocks: [] });
      return delivered({ channel, ts });
    } catch (error) {
      return slackOutcome(error);
    }
  }

  check(): Promise<CheckFinding[]> {
    return checkSlack(this.#slack, this.#options.channel);
  }

  async #post(message: Message): Promise<Posted> {
    const { channel } = this.#options;
    return postedIn(await this.#slack.apiCall('chat.postMessage', postOf(channel, message)), channel);
  }

  /** Undefined when the message is no longer there. An update may be made again: its unclear end is a retry. */
  async #update(before: Posted, message: Message): Promise<Posted | Outcome | undefined> {
    try {
      return postedIn(await this.#slack.apiCall('chat.update', updateOf(before, message)), before.channel);
    } catch (error) {
      return slackCode(error) === 'message_not_found' ? undefined : repeatable(slackOutcome(error));
    }
  }

  /** A link is a comfort: no delivery waits for another try of it, or fails without it. */
  async #teamUrl(): Promise<string | undefined> {
    if (this.#team !== undefined) return this.#team;
    try {
      this.#team = (await this.#slack.auth.test()).url;
    } catch (error) {
      const { kind } = slackOutcome(error);
      this.#context.log.debug({ kind, code: slackCode(error) }, 'slack.team_unknown');
    }
    return this.#team;
  }
}

interface Message {
  text: string;
  blocks: JsonObject[];
  metadata?: JsonObject;
}

function messageOf(item: Item, { message, blocks }: z.output<typeof options>): Message | Outcome {
  const usual = summary(item.view);
  const text = message ? fitMessage(message(item)) : usual.text;
  const body = blocks ? fitBlocks(blocks(item)) : message ? [] : usual.blocks;
  if (text.trim() === '' && body.length === 0) {
    const fix = 'Give `message:` words of its own beside its `{{ … }}`; the event is kept.';
    return reject('invalid', 'the message came out empty', fix);
  }
  return { text, blocks: body, metadata: metadataOf(item) };
}

/** Nothing in a text is turned into a mention, a channel or a preview of a page. */
const PLAIN = { parse: 'none', link_names: false };

function postOf(channel: string, message: Message): JsonObject {
  const { blocks, ...rest } = message;
  return { channel, ...rest, ...(blocks.length > 0 && { blocks }), ...PLAIN, unfurl_links: false, unfurl_media: false };
}

/** With `blocks` in any case: left out, those of before could stay. */
function updateOf(before: Posted, message: Message): JsonObject {
  return { ...before, ...message, ...PLAIN };
}

/** The SDK's log holds whole messages, participants' words among them: outcomes say what matters. */
const silent: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  setLevel() {},
  setName() {},
  getLevel: () => LogLevel.ERROR,
};
