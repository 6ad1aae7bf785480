import { clip } from 'versive-relay/connector';

/** Slack's limits (https://docs.slack.dev/reference/block-kit/blocks), in characters where it is text. */
export const LIMIT = {
  blocks: 50,
  header: 150,
  section: 3000,
  field: 2000,
  fields: 10,
  contextElements: 10,
  actions: 25,
  button: 75,
  title: 2000,
  url: 3000,
  markdown: 12_000,
  /** Recommended by chat.postMessage; chat.update has refused longer ones. */
  text: 4000,
  /** JSON of all blocks; `msg_blocks_too_long` was seen near 13,200 (slackapi/bolt-js#2509). */
  total: 12_000,
} as const;

/** Slack's three escapes: with them no text can mention, link or open markup of its own. */
export function escapeMarkup(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Markup cut to a limit: neither an escape such as `&amp;` nor a `<link|of ours>` is left in halves. */
export function clipMarkup(markup: string, limit: number): string {
  const cut = clip(markup, limit);
  return cut === markup ? markup : cut.replace(/<[^<>]*…$/, '…').replace(/&[a-z]{0,3}…$/, '…');
}

/** Where Slack reads no markup, the escapes would be seen. */
export function unescapeMarkup(text: string): string {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}
