import { SlackRefusal } from './errors.ts';

/** Messages of one page (conversations.history): at most, and when nothing is asked for. */
const LIMIT = { most: 999, usual: 100 };

/** A message's `ts`, or a time in seconds. */
const TIME = /^\d{1,12}(\.\d{1,6})?$/;

/**
 * The page of a channel that conversations.history answers: the newest messages first, those of threads left out. A cursor
 * names the next message, so that neither a new message nor a deleted one moves the pages.
 *
 * @param messages oldest first
 */
export function pageOf<Message extends { ts: string; threadTs: string | undefined }>(
  messages: Message[],
  args: Record<string, unknown>,
): { page: Message[]; next: string } {
  const oldest = timeOf(args.oldest, 0, 'invalid_ts_oldest');
  const latest = timeOf(args.latest, Number.POSITIVE_INFINITY, 'invalid_ts_latest');
  const from = cursorTime(args.cursor);
  const limit = args.limit === undefined ? LIMIT.usual : Number(args.limit);
  if (!Number.isInteger(limit) || limit < 1 || limit > LIMIT.most) throw new SlackRefusal('invalid_limit');
  const inclusive = isTrue(args.inclusive);
  const wanted = messages
    .filter(({ ts, threadTs }) => {
      const time = Number(ts);
      const within = (time > oldest && time < latest) || (inclusive && (time === oldest || time === latest));
      return within && time <= from && (threadTs === undefined || threadTs === ts);
    })
    .reverse();
  const after = wanted[limit];
  return { page: wanted.slice(0, limit), next: after ? cursorAt(after.ts) : '' };
}

function timeOf(argument: unknown, otherwise: number, error: string): number {
  if (argument === undefined || argument === '') return otherwise;
  if (!TIME.test(String(argument))) throw new SlackRefusal(error);
  return Number(argument);
}

/** As Slack's are: `next_ts:` and the time, in base64. */
function cursorAt(ts: string): string {
  return Buffer.from(`next_ts:${ts}`).toString('base64');
}

function cursorTime(argument: unknown): number {
  if (argument === undefined || argument === '') return Number.POSITIVE_INFINITY;
  const [, time = ''] = /^next_ts:(.*)$/.exec(Buffer.from(String(argument), 'base64').toString()) ?? [];
  return timeOf(time || 'none', 0, 'invalid_cursor');
}

/** A true in a form. */
export function isTrue(argument: unknown): boolean {
  return argument === true || argument === 'true' || argument === '1';
}
