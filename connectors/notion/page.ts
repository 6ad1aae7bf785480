import type { BlockObjectRequest, BlockObjectResponse, Client } from '@notionhq/client';
import { type Receipt, retry } from 'versive-relay/connector';
import { type Body, signature, withTurns } from './body.ts';
import { call, Ended, isGone } from './errors.ts';
import type { Properties } from './properties.ts';
import { bold, bytesOf, fitting, LIMITS } from './rich-text.ts';

/** What is kept of a page: enough to go on where an attempt stopped, and to replace only what the relay wrote. */
export interface PageReceipt extends Receipt {
  page: string;
  url: string;
  /** Of the body that is, or is being, written; absent without one. */
  body?: string;
  /** Ids of the body's blocks on the page itself, as far as they are known. */
  blocks: string[];
  /** How many blocks of the transcript surely are there. */
  turns: number;
  /** The body is whole. */
  done: boolean;
  /** Ids of an earlier body's blocks that are still to be deleted. */
  old?: string[];
}

type Save = (receipt: PageReceipt) => Promise<void>;

/** Creates the page with as much of its body as fits. */
export async function createPage(
  client: Client,
  dataSource: string,
  properties: Properties,
  body: Body | undefined,
): Promise<PageReceipt> {
  const free = LIMITS.bytes - bytesOf(properties) - bytesOf(body?.top ?? []);
  const sent = body ? fitting(body.turns, 0, free) : 0;
  const children = body ? withTurns(body, sent) : [];
  const create = () =>
    client.pages.create({
      parent: { type: 'data_source_id', data_source_id: dataSource },
      properties,
      ...(children.length > 0 && { children }),
    });
  const { id, url } = await call('write', create).then((page) => ({ id: page.id, url: urlOf(page) }), committedPage);
  return { page: id, url: url ?? addressOf(id), ...begun(body), turns: sent };
}

/** A 503 can follow a saved write; Notion then names the page that it has created. */
function committedPage(error: unknown): { id: string; url: string | undefined } {
  const id = error instanceof Ended ? error.answer?.data.committed_resource_id : undefined;
  if (typeof id !== 'string') throw error;
  return { id, url: undefined };
}

/**
 * Sets the properties of the page that a receipt names.
 * @returns its receipt, or undefined when the page was deleted
 */
export async function updatePage(
  client: Client,
  receipt: PageReceipt,
  properties: Properties,
): Promise<PageReceipt | undefined> {
  try {
    const page = await call('repeatable', () => client.pages.update({ page_id: receipt.page, properties }));
    if ('in_trash' in page && page.in_trash) return undefined;
    return { ...receipt, url: urlOf(page) ?? receipt.url };
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/**
 * Brings the body of a page to what it should be, from wherever an earlier attempt left it. Blocks that the relay did not
 * write stay where they are.
 * @param options.fresh whether this attempt created the page with the first of the body: then all that is there is known
 */
export async function writeBody(
  client: Client,
  receipt: PageReceipt,
  body: Body,
  options: { fresh: boolean; save: Save },
): Promise<PageReceipt> {
  if (receipt.body === body.hash && receipt.done) return receipt;
  try {
    return await new Writing(client, body, options.save).from(receipt, options.fresh);
  } catch (error) {
    // Whoever deleted it while it was being written: the next attempt finds that out by its first call.
    if (isGone(error)) throw new Ended(retry('not_found', 'the page changed while it was being written'));
    throw error;
  }
}

class Writing {
  readonly #client: Client;
  readonly #body: Body;
  readonly #save: Save;

  constructor(client: Client, body: Body, save: Save) {
    this.#client = client;
    this.#body = body;
    this.#save = save;
  }

  async from(receipt: PageReceipt, fresh: boolean): Promise<PageReceipt> {
    let at = receipt;
    if (at.body !== this.#body.hash) {
      const old = [...(at.old ?? []), ...at.blocks];
      at = { page: at.page, url: at.url, ...begun(this.#body), ...(old.length > 0 && { old }) };
      await this.#save(at);
    }
    let certain = fresh;
    if (at.blocks.length < this.#body.top.length) {
      const { blocks, turns } = await this.#ensureTop(at, fresh);
      certain ||= turns !== undefined;
      at = { ...at, blocks, turns: turns ?? at.turns };
      await this.#save(at);
    }
    if (at.old) {
      await this.#deleteOld(at.page, at.old);
      at = { ...at };
      delete at.old;
      await this.#save(at);
    }
    return { ...(await this.#ensureTurns(at, certain)), done: true };
  }

  /**
   * Finds the body's blocks on the page, and writes those that are not there: after what they replace, or at the end.
   * @returns their ids, and how many turns were sent along with them, if they were
   */
  async #ensureTop({ page, old = [] }: PageReceipt, fresh: boolean): Promise<{ blocks: string[]; turns?: number }> {
    const { top } = this.#body;
    const listed = await this.#children(page);
    const newer = listed.filter(({ id }) => !old.includes(id));
    const found = fresh && newer.length === top.length ? newer.map(({ id }) => id) : match(top, newer);
    if (found.length === top.length) return { blocks: found };
    const turns = found.length === 0 ? fitting(this.#body.turns, 0, LIMITS.bytes - bytesOf(top)) : 0;
    const after = listed.findLast(({ id }) => old.includes(id) || found.includes(id));
    const added = await this.#append(page, withTurns(this.#body, turns).slice(found.length), after?.id);
    return { blocks: [...found, ...added], turns };
  }

  /** A block in which someone else has written stays, with all that it holds. */
  async #deleteOld(page: string, old: string[]): Promise<void> {
    for (const block of await this.#children(page)) {
      if (!old.includes(block.id)) continue;
      const inside = block.hasChildren ? await this.#children(block.id) : [];
      if (inside.every(({ author }) => author === block.author)) {
        await call('repeatable', () => this.#client.blocks.delete({ block_id: block.id }));
      } else if (block.type === 'heading_2') {
        const heading_2 = { rich_text: [bold('Earlier transcript, kept for the notes in it')] };
        await call('repeatable', () => this.#client.blocks.update({ block_id: block.id, heading_2 }));
      }
    }
  }

  /** Appends what is missing of the transcript, saving after every call. */
  async #ensureTurns(receipt: PageReceipt, certain: boolean): Promise<PageReceipt> {
    const { turns } = this.#body;
    const toggle = receipt.blocks.at(-1);
    if (turns.length === 0 || toggle === undefined) return receipt;
    let at = receipt;
    try {
      if (!certain) {
        // The last append of an earlier attempt may have arrived without an answer.
        const unsure = (await this.#children(toggle)).slice(at.turns);
        at = { ...at, turns: at.turns + match(turns.slice(at.turns), unsure).length };
      }
      while (at.turns < turns.length) {
        const count = fitting(turns, at.turns);
        await this.#append(toggle, turns.slice(at.turns, at.turns + count));
        at = { ...at, turns: at.turns + count };
        await this.#save(at);
      }
    } catch (error) {
      // Someone has deleted the toggle: the next attempt looks at the page anew, and writes what is not there.
      if (isGone(error)) await this.#save({ ...at, blocks: [], turns: 0 });
      throw error;
    }
    return at;
  }

  async #append(parent: string, children: BlockObjectRequest[], after?: string): Promise<string[]> {
    const position =
      after === undefined ? {} : { position: { type: 'after_block' as const, after_block: { id: after } } };
    const append = () => this.#client.blocks.children.append({ block_id: parent, children, ...position });
    const answer = await call('write', append).catch((error: unknown) => {
      const ids = error instanceof Ended ? error.answer?.data.committed_child_ids : undefined;
      if (!Array.isArray(ids) || ids.length !== children.length) throw error;
      return { results: ids.map((id) => ({ id: String(id) })) };
    });
    return answer.results.map(({ id }) => id);
  }

  async #children(parent: string): Promise<Listed[]> {
    const found: Listed[] = [];
    let cursor: string | undefined;
    do {
      const start = cursor === undefined ? {} : { start_cursor: cursor };
      const list = () => this.#client.blocks.children.list({ block_id: parent, page_size: 100, ...start });
      const page = await call('read', list);
      found.push(...page.results.map(listed));
      cursor = page.next_cursor ?? undefined;
    } while (cursor !== undefined);
    return found;
  }
}

/** A block that is there. */
interface Listed {
  id: string;
  type: string;
  signature: string;
  author: string | undefined;
  hasChildren: boolean;
}

function listed(block: { id: string }): Listed {
  const { type = '', created_by, has_children } = block as Partial<BlockObjectResponse>;
  const base = { id: block.id, type, signature: signature(block) };
  return { ...base, author: created_by?.id, hasChildren: has_children === true };
}

function begun(body: Body | undefined): Pick<PageReceipt, 'body' | 'blocks' | 'turns' | 'done'> {
  return { ...(body && { body: body.hash }), blocks: [], turns: 0, done: body === undefined };
}

/** Ids of the longest beginning of what is expected that is there in that order, whatever stands in between. */
function match(expected: BlockObjectRequest[], there: Listed[]): string[] {
  const ids: string[] = [];
  for (const { id, signature: seen } of there) {
    const next = expected[ids.length];
    if (next && seen === signature(next)) ids.push(id);
  }
  return ids;
}

function urlOf(page: { id: string } | { url: string }): string | undefined {
  return 'url' in page ? page.url : undefined;
}

/** Notion opens a page by its id alone. */
function addressOf(page: string): string {
  return `https://www.notion.so/${page.replaceAll('-', '')}`;
}
