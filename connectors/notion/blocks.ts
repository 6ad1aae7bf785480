import type { BlockObjectRequest, BlockObjectResponse, Client } from '@notionhq/client';
import { call, Ended } from './errors.ts';

/** What a transcript is called that stays only because someone has written into it. */
export const KEPT = 'Earlier transcript, kept for the notes in it';

/** A block that is there. */
export interface Listed {
  id: string;
  type: string;
  /** Of {@link signature}. */
  signature: string;
  /** The user, person or connection, who made it. */
  author: string | undefined;
  hasChildren: boolean;
}

/** All blocks directly inside a page or block, in their order. */
export async function listBlocks(client: Client, parent: string): Promise<Listed[]> {
  const found: Listed[] = [];
  let cursor: string | undefined;
  do {
    const start = cursor === undefined ? {} : { start_cursor: cursor };
    const list = () => client.blocks.children.list({ block_id: parent, page_size: 100, ...start });
    const page = await call('read', list);
    found.push(...page.results.map(listed));
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined);
  return found;
}

/**
 * Writes blocks in one call, at the end or after a block.
 * @returns their ids, in their order
 */
export async function appendBlocks(
  client: Client,
  parent: string,
  children: BlockObjectRequest[],
  after?: string,
): Promise<string[]> {
  const position =
    after === undefined ? {} : { position: { type: 'after_block' as const, after_block: { id: after } } };
  const append = () => client.blocks.children.append({ block_id: parent, children, ...position });
  const answer = await call('write', append).catch((error: unknown) => {
    // A 503 can follow a saved write; Notion then names the blocks that it has made.
    const ids = error instanceof Ended ? error.answer?.data.committed_child_ids : undefined;
    if (!Array.isArray(ids) || ids.length !== children.length) throw error;
    return { results: ids.map((id) => ({ id: String(id) })) };
  });
  return answer.results.map(({ id }) => id);
}

/** The blocks that were written by one of these users, but for a transcript that is kept for the notes in it. */
export function blocksBy(authors: ReadonlySet<string>, blocks: Listed[]): Listed[] {
  const kept = signature({ type: 'heading_2', heading_2: { rich_text: [{ text: { content: KEPT } }] } });
  return blocks.filter((block) => block.author !== undefined && authors.has(block.author) && block.signature !== kept);
}

/** Whether the blocks are the first of those that are expected, all of them and nothing else. */
export function isBeginning(there: Listed[], expected: BlockObjectRequest[]): boolean {
  return there.every((block, index) => {
    const next = expected[index];
    return next !== undefined && block.signature === signature(next);
  });
}

function listed(block: { id: string }): Listed {
  const { type = '', created_by, has_children } = block as Partial<BlockObjectResponse>;
  const base = { id: block.id, type, signature: signature(block) };
  return { ...base, author: created_by?.id, hasChildren: has_children === true };
}

/** A rich text item, as far as a signature needs it: as it is sent, or as Notion gives it back. */
interface TextItem {
  plain_text?: string;
  href?: string | null;
  text?: { content?: string; link?: { url?: string } | null };
}

/**
 * A block's words and where they lead, without spaces and whatever Notion may write in another way: enough to know again
 * a block that was written before.
 * @param block as it is sent, or as Notion gives it back
 */
function signature(block: object): string {
  const { type = '' } = block as { type?: string };
  const { rich_text: items = [] } = (block as Record<string, { rich_text?: TextItem[] } | undefined>)[type] ?? {};
  const words = items.map((item) => item.plain_text ?? item.text?.content ?? '').join('');
  const links = items.map(({ href, text }) => href ?? text?.link?.url ?? '').filter(Boolean);
  return [type, bare(words), ...links.map((link) => URL.parse(link)?.href ?? link)].join(' ');
}

/** A text without what a service may change of it: spaces, characters that are not seen, and forms of one character. */
export function bare(text: string): string {
  return text.normalize('NFKC').replace(/[\s\p{C}]+/gu, '');
}
