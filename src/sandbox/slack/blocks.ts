import { z } from 'zod';

/** Blocks of a message (https://docs.slack.dev/reference/block-kit/blocks). */
const MOST_BLOCKS = 50;
/** Where `msg_blocks_too_long` was seen (slackapi/bolt-js#2509); Slack does not document the number. */
const MOST_CHARACTERS = 13_200;
/** Of all markdown blocks of a message together. */
const MOST_MARKDOWN = 12_000;

/** What Slack answers to blocks that it refuses. */
export interface BlocksRefusal {
  error: 'invalid_blocks' | 'invalid_blocks_format' | 'msg_blocks_too_long';
  messages: string[];
}

const text = (most: number) => z.string().min(1).max(most);
const plain = (most: number) =>
  z.strictObject({ type: z.literal('plain_text'), text: text(most), emoji: z.boolean().optional() });
const mrkdwn = (most: number) =>
  z.strictObject({ type: z.literal('mrkdwn'), text: text(most), verbatim: z.boolean().optional() });
const either = (most: number) => z.discriminatedUnion('type', [plain(most), mrkdwn(most)]);

const address = z
  .string()
  .max(3000)
  .refine((url) => URL.canParse(url) && /^(https?|mailto|slack|tel):/.test(url), 'invalid url');

const imageElement = z.strictObject({ type: z.literal('image'), image_url: address, alt_text: text(2000) });
const button = z.strictObject({
  type: z.literal('button'),
  text: plain(75),
  action_id: z.string().max(255).optional(),
  url: address.optional(),
  value: z.string().max(2000).optional(),
  style: z.enum(['primary', 'danger']).optional(),
  accessibility_label: z.string().max(75).optional(),
});

const style = z
  .strictObject({ bold: z.boolean(), italic: z.boolean(), strike: z.boolean(), code: z.boolean() })
  .partial()
  .optional();
const inline = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('text'), text: z.string().min(1), style }),
  z.strictObject({ type: z.literal('link'), url: address, text: z.string().min(1).optional(), style }),
  z.strictObject({ type: z.literal('emoji'), name: z.string().min(1) }),
  z.strictObject({ type: z.literal('user'), user_id: z.string().min(1), style }),
  z.strictObject({ type: z.literal('usergroup'), usergroup_id: z.string().min(1), style }),
  z.strictObject({ type: z.literal('channel'), channel_id: z.string().min(1), style }),
  z.strictObject({ type: z.literal('broadcast'), range: z.enum(['here', 'channel', 'everyone']), style }),
]);
const border = z.union([z.literal(0), z.literal(1)]).optional();
const richSection = z.strictObject({ type: z.literal('rich_text_section'), elements: z.array(inline) });
const richElement = z.discriminatedUnion('type', [
  richSection,
  z.strictObject({ type: z.literal('rich_text_quote'), elements: z.array(inline), border }),
  z.strictObject({ type: z.literal('rich_text_preformatted'), elements: z.array(inline), border }),
  z.strictObject({
    type: z.literal('rich_text_list'),
    style: z.enum(['bullet', 'ordered']),
    elements: z.array(richSection),
    indent: z.int().min(0).optional(),
    offset: z.int().min(0).optional(),
    border,
  }),
]);

const block_id = z.string().max(255).optional();
const block = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('header'), block_id, text: plain(150) }),
  z.strictObject({ type: z.literal('divider'), block_id }),
  z
    .strictObject({
      type: z.literal('section'),
      block_id,
      text: either(3000).optional(),
      fields: z.array(either(2000)).min(1).max(10).optional(),
      accessory: z.discriminatedUnion('type', [button, imageElement]).optional(),
      expand: z.boolean().optional(),
    })
    .refine((section) => section.text || section.fields, 'must define either `text` or `fields`'),
  z.strictObject({
    type: z.literal('context'),
    block_id,
    elements: z
      .array(z.discriminatedUnion('type', [plain(3000), mrkdwn(3000), imageElement]))
      .min(1)
      .max(10),
  }),
  z.strictObject({ type: z.literal('actions'), block_id, elements: z.array(button).min(1).max(25) }),
  z.strictObject({
    type: z.literal('image'),
    block_id,
    image_url: address,
    alt_text: text(2000),
    title: plain(2000).optional(),
  }),
  z.strictObject({ type: z.literal('rich_text'), block_id, elements: z.array(richElement).min(1) }),
  z.strictObject({ type: z.literal('markdown'), block_id, text: text(MOST_MARKDOWN) }),
]);
const blockList = z.array(block).max(MOST_BLOCKS);
export type Block = z.infer<typeof block>;

/**
 * Judges the blocks of a message as Slack does; where Slack's own rule is not known, more strictly.
 * @returns the blocks, or what Slack would answer
 */
export function judgeBlocks(json: unknown): Block[] | BlocksRefusal {
  if (!Array.isArray(json) || json.some((entry) => typeof entry !== 'object' || entry === null)) {
    return { error: 'invalid_blocks_format', messages: [] };
  }
  const judged = blockList.safeParse(json);
  if (!judged.success) return { error: 'invalid_blocks', messages: judged.error.issues.map(messageOf) };
  const messages = [...repeats(judged.data), ...markdownExcess(judged.data)];
  if (messages.length > 0) return { error: 'invalid_blocks', messages };
  if (JSON.stringify(json).length > MOST_CHARACTERS) return { error: 'msg_blocks_too_long', messages: [] };
  return judged.data;
}

/** In Slack's words: `[ERROR] must be less than 151 characters [json-pointer:/blocks/0/text/text]`. */
function messageOf(issue: z.core.$ZodIssue): string {
  const pointer = `[json-pointer:/${['blocks', ...issue.path].join('/')}]`;
  const things = (origin: string) => (origin === 'array' ? 'items' : 'characters');
  if (issue.code === 'too_big') {
    return `[ERROR] must be less than ${Number(issue.maximum) + 1} ${things(issue.origin)} ${pointer}`;
  }
  if (issue.code === 'too_small') {
    return `[ERROR] must be more than ${Number(issue.minimum) - 1} ${things(issue.origin)} ${pointer}`;
  }
  if (issue.code === 'unrecognized_keys') return `[ERROR] invalid additional property: ${issue.keys[0]} ${pointer}`;
  if (issue.code === 'invalid_union') return `[ERROR] unsupported type ${pointer}`;
  return `[ERROR] ${issue.message} ${pointer}`;
}

function repeats(blocks: Block[]): string[] {
  const found: string[] = [];
  const ids = blocks.map((entry) => entry.block_id).filter((id) => id !== undefined);
  if (new Set(ids).size < ids.length) found.push('[ERROR] block_id already exists [json-pointer:/blocks]');
  blocks.forEach((entry, i) => {
    if (entry.type !== 'actions') return;
    const actions = entry.elements.map((element) => element.action_id).filter((id) => id !== undefined);
    if (new Set(actions).size < actions.length) {
      found.push(`[ERROR] action_id already exists [json-pointer:/blocks/${i}/elements]`);
    }
  });
  return found;
}

function markdownExcess(blocks: Block[]): string[] {
  const length = blocks.reduce((sum, entry) => sum + (entry.type === 'markdown' ? entry.text.length : 0), 0);
  return length > MOST_MARKDOWN ? [`[ERROR] must be less than ${MOST_MARKDOWN + 1} characters`] : [];
}

/** Whom a message would notify: `<!channel>`, `<@U…>`, `<!subteam^…>` in its markup, and the mentions of rich text. */
export function mentionsOf(message: { text: string; blocks: Block[] }): string[] {
  const found = [...inMarkup(message.text)];
  const walk = (value: unknown): void => {
    if (Array.isArray(value)) for (const entry of value) walk(entry);
    else if (typeof value === 'object' && value !== null) {
      const { type, text: words } = value as { type?: unknown; text?: unknown };
      if ((type === 'mrkdwn' || type === 'markdown') && typeof words === 'string') found.push(...inMarkup(words));
      else if (type === 'user' || type === 'usergroup' || type === 'broadcast') found.push(JSON.stringify(value));
      else for (const entry of Object.values(value)) walk(entry);
    }
  };
  walk(message.blocks);
  return found;
}

function inMarkup(markup: string): string[] {
  return markup.match(/<(?:!(?:channel|here|everyone|subteam\^[^>]*)|@[^>]*)(?:\|[^>]*)?>/g) ?? [];
}
