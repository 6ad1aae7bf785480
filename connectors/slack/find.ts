import type { WebClient } from '@slack/web-api';
import { absent, blind, found, type Item, type Receipt, repeatable, type Sighting } from 'versive-relay/connector';
import { INVITE, missedHistoryScope, scopeFix, slackCode, slackOutcome } from './errors.ts';
import { isMetadataOf, type Posted, postedOf } from './posted.ts';

/** Messages of one call: as many as Slack advises at most; it takes up to 999 (conversations.history). */
const PAGE = 200;
/** Calls of one scan: 8,000 messages, and at a call a second 40 s. Few channels have so many in the hours that are read. */
const MOST_PAGES = 40;
/** Seconds about a try in which its message nearly always is. */
const NEAR = 600;
/** Seconds by which Slack's clock and the relay's may differ at most: no message of a try is that much older. */
const SKEW = 2 * 3600;

const UNSEEN = 'whether an earlier try of unknown end posted the message could not be seen';
const IF_TWICE = 'Should the interview be in Slack twice, delete one of the two messages.';
/** Of a channel that is given as a person. */
export const PERSON_FIX =
  "Put the id of the direct message (D…, in the browser's address when the app's messages are open) in place of the person's (U…) into `channel:`.";
const ADMIN_FIX = 'Ask an admin of the Slack workspace to let the app read the channel.';

/**
 * Looks for the messages of earlier tries by their metadata: where a receipt says, and else in the channel, about the
 * time of the tries first. That nothing is there is said only of the hours about them, for Slack's clock may differ.
 *
 * @param channel of the config
 * @param receiptOf what `deliver` would have given for a message
 * @returns the sightings in the items' order
 */
export async function findMessages(
  slack: WebClient,
  channel: string,
  items: Item[],
  receiptOf: (posted: Posted) => Promise<Receipt>,
): Promise<Sighting[]> {
  const seen = new Map<Item, Sighting>();
  const place = placeOf(items) ?? channel;
  let others = absent();
  try {
    for (const item of items) {
      if (item.receipt && (await isStillThere(slack, item))) seen.set(item, found(item.receipt));
    }
    const wanted = new Set(items.filter((item) => !seen.has(item)));
    if (wanted.size > 0) {
      others = await lookThrough(slack, place, wanted, async (item, posted) => {
        seen.set(item, found(await receiptOf(posted)));
      });
    }
  } catch (error) {
    others = unseen(error, place);
  }
  return items.map((item) => seen.get(item) ?? others);
}

/** Where the messages are: a direct message that the config knows by the person has an id that only receipts tell. */
function placeOf(items: Item[]): string | undefined {
  const receipts = items.flatMap(({ receipt, earlier }) => [receipt, ...earlier]);
  return receipts.map((receipt) => postedOf(receipt)?.channel).find((channel) => channel !== undefined);
}

/** Whether the very message that the receipt names is there, and is the item's. */
async function isStillThere(slack: WebClient, item: Item): Promise<boolean> {
  const posted = postedOf(item.receipt);
  if (!posted) return false;
  const { channel, ts } = posted;
  const { messages } = await read(slack, { channel, latest: ts, oldest: ts, inclusive: true, limit: 1 });
  return messages.some((message) => message.ts === ts && isOf(message, item));
}

type Saw = (item: Item, posted: Posted) => Promise<void>;

/**
 * One look for all items.
 * @param wanted loses those that are found
 * @returns what is to be said of those that are not
 */
async function lookThrough(slack: WebClient, channel: string, wanted: Set<Item>, saw: Saw): Promise<Sighting> {
  if (channel.startsWith('U')) {
    return blind(`${UNSEEN}: no direct message can be read by the id of a person`, fixOf(PERSON_FIX));
  }
  let looked = 0;
  for (const { proves, ...range } of rangesOf(wanted)) {
    const seen = await scan(slack, { channel, ...range }, wanted, saw);
    looked += seen.looked;
    if (wanted.size === 0 || (seen.whole && proves)) return absent();
  }
  return tooFar(looked);
}

interface Range {
  /** As Slack writes times: seconds, as text. */
  oldest?: string;
  latest?: string;
  /** Whether a message that is not in it is not there at all. */
  proves: boolean;
}

/** What of the channel to read, one after the other: right about the tries, all since, and the hours about them. */
function rangesOf(wanted: Set<Item>): Range[] {
  const times = [...wanted].flatMap(({ doubt }) => doubt?.getTime() ?? []).map((time) => time / 1000);
  if (times.length < wanted.size) return [{ proves: true }];
  const [first, last] = [Math.min(...times), Math.max(...times)];
  const oldest = String(first - SKEW);
  return [
    { oldest: String(first - NEAR), latest: String(last + NEAR), proves: false },
    { oldest, proves: true },
    // A later try of the same doubt may have written later.
    { oldest, latest: String(last + SKEW), proves: false },
  ];
}

function tooFar(looked: number): Sighting {
  return blind(`${UNSEEN}: it is not among ${looked} messages of the channel, and no more are read`, IF_TWICE);
}

/** @returns how many messages were read, and whether they were all that there are */
async function scan(
  slack: WebClient,
  where: { channel: string; oldest?: string; latest?: string },
  wanted: Set<Item>,
  saw: Saw,
): Promise<{ looked: number; whole: boolean }> {
  let looked = 0;
  let cursor: string | undefined;
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const answer = await read(slack, { ...where, limit: PAGE, ...(cursor && { cursor }) });
    looked += answer.messages.length;
    for (const item of wanted) {
      const ts = answer.messages.find((message) => isOf(message, item))?.ts;
      if (ts === undefined) continue;
      wanted.delete(item);
      await saw(item, { channel: where.channel, ts });
    }
    if (!answer.more || wanted.size === 0) return { looked, whole: true };
    cursor = answer.cursor;
    if (cursor === undefined) break;
  }
  return { looked, whole: false };
}

interface Message {
  ts?: string;
  metadata?: unknown;
}

function isOf({ ts, metadata }: Message, item: Item): boolean {
  return isMetadataOf(metadata, item) && item.earlier.every((earlier) => earlier.ts !== ts);
}

/** One page of a channel's messages, the newest first. */
async function read(
  slack: WebClient,
  where: NonNullable<Parameters<WebClient['conversations']['history']>[0]>,
): Promise<{ messages: Message[]; more: boolean; cursor: string | undefined }> {
  const answer = await slack.conversations.history({ ...where, include_all_metadata: true });
  // Nothing that is no list of messages may be taken for an empty one.
  if (!Array.isArray(answer.messages)) throw new TypeError('an answer without messages');
  const cursor = answer.response_metadata?.next_cursor || undefined;
  return { messages: answer.messages, more: answer.has_more === true || cursor !== undefined, cursor };
}

/** What a failed call of a look means. Reading does no harm: it is made again when its end is unclear. */
function unseen(error: unknown, channel: string): Sighting {
  const failure = repeatable(slackOutcome(error));
  const code = slackCode(error);
  // What is wrong with the token, the channel or a proxy stops posting too; what forbids only reading does not.
  const isOfReading = failure.kind === 'reject' || (failure.kind === 'halt' && failure.reason === 'forbidden');
  if (code === undefined || !isOfReading) return failure;
  const detail = `${UNSEEN}: ${failure.detail}`;
  if (code === 'missing_scope') return blind(detail, fixOf(scopeFix(missedHistoryScope(error, channel))));
  if (code === 'not_in_channel') return blind(detail, fixOf(INVITE));
  return blind(detail, failure.kind === 'halt' ? fixOf(ADMIN_FIX) : IF_TWICE);
}

function fixOf(remedy: string): string {
  return `${IF_TWICE} So that the relay can look by itself: ${remedy}`;
}
