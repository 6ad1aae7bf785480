import type { Client } from '@notionhq/client';
import { retry } from 'versive-relay/connector';
import { appendBlocks, blocksBy, isBeginning, KEPT, type Listed, listBlocks } from './blocks.ts';
import { type Body, withTurns } from './body.ts';
import { call, Ended, isGone } from './errors.ts';
import { begun, type PageReceipt } from './page.ts';
import { bold, bytesOf, fitting, LIMITS } from './rich-text.ts';

interface WritingOptions {
  /** Whether this attempt created the page with the first of the body: then all that is there is known. */
  fresh: boolean;
  /** Who wrote what the relay wrote into the page. */
  authors: () => Promise<ReadonlySet<string>>;
  save: (receipt: PageReceipt) => Promise<void>;
}

/**
 * Brings the body of a page to what it should be, from wherever an earlier attempt left it: one whole body, and what
 * people wrote stays where it is.
 */
export async function writeBody(
  client: Client,
  receipt: PageReceipt,
  body: Body,
  options: WritingOptions,
): Promise<PageReceipt> {
  if (receipt.body === body.hash && receipt.done) return receipt;
  try {
    return await new Writing(client, body, options).from(receipt);
  } catch (error) {
    // Whoever deleted it while it was being written: the next attempt finds that out by its first call.
    if (isGone(error)) throw new Ended(retry('not_found', 'the page changed while it was being written'));
    throw error;
  }
}

class Writing {
  readonly #client: Client;
  readonly #body: Body;
  readonly #options: WritingOptions;

  constructor(client: Client, body: Body, options: WritingOptions) {
    this.#client = client;
    this.#body = body;
    this.#options = options;
  }

  async from(receipt: PageReceipt): Promise<PageReceipt> {
    // While an append has no known end, blocks that no receipt names may be there.
    const known = receipt.done || receipt.blocks.length > 0;
    let at = receipt.body === this.#body.hash ? receipt : await this.#anew(receipt);
    let certain = this.#options.fresh;
    if (at.blocks.length === 0) ({ at, certain } = await this.#ensureTop(at, known));
    if (!certain) {
      const turns = await this.#turnsThere(at);
      at = turns === undefined ? (await this.#ensureTop(await this.#anew(at), true)).at : { ...at, turns };
    }
    at = await this.#deleteOld(at);
    return { ...(await this.#appendTurns(at)), done: true };
  }

  async #save(receipt: PageReceipt): Promise<PageReceipt> {
    await this.#options.save(receipt);
    return receipt;
  }

  /** Begins the body, in place of the one whose blocks the receipt knows. */
  #anew({ page, url, old = [], blocks }: PageReceipt): Promise<PageReceipt> {
    const all = [...old, ...blocks];
    return this.#save({ page, url, ...begun(this.#body), ...(all.length > 0 && { old: all }) });
  }

  /**
   * Finds the body's blocks on the page, or writes them: after what they replace, or at the end. They go in one call, so
   * they are all there, or none. Whatever else the relay may have written there is of an earlier body, and old.
   * @param known whether no block can be there that the receipt does not name
   * @returns `certain` when all turns that can be there are counted
   */
  async #ensureTop(receipt: PageReceipt, known: boolean): Promise<{ at: PageReceipt; certain: boolean }> {
    const { top, turns } = this.#body;
    const { fresh } = this.#options;
    let at = receipt;
    const listed = await listBlocks(this.#client, at.page);
    const newer = listed.filter(({ id }) => !at.old?.includes(id));
    const sure = fresh && newer.length === top.length;
    const ours = sure ? newer : known ? [] : await this.#ours(newer);
    if (sure || (ours.length === top.length && isBeginning(ours, top))) {
      return { at: await this.#save({ ...at, blocks: idsOf(ours) }), certain: fresh };
    }
    if (ours.length > 0) at = await this.#save({ ...at, turns: 0, old: [...(at.old ?? []), ...idsOf(ours)] });
    const sent = fitting(turns, 0, LIMITS.bytes - bytesOf(top));
    const after = listed.findLast(({ id }) => at.old?.includes(id));
    const blocks = await appendBlocks(this.#client, at.page, withTurns(this.#body, sent), after?.id);
    return { at: await this.#save({ ...at, blocks, turns: sent }), certain: true };
  }

  /**
   * How many turns are there, when the last append of an earlier attempt may have arrived without an answer.
   * @returns undefined when what is there is not the beginning of the transcript
   */
  async #turnsThere({ blocks, turns: counted }: PageReceipt): Promise<number | undefined> {
    const { turns } = this.#body;
    const toggle = blocks.at(-1);
    if (turns.length === 0 || toggle === undefined) return 0;
    try {
      const unsure = (await this.#ours(await listBlocks(this.#client, toggle))).slice(counted);
      return isBeginning(unsure, turns.slice(counted)) ? counted + unsure.length : undefined;
    } catch (error) {
      if (isGone(error)) return undefined;
      throw error;
    }
  }

  /** A block in which someone else has written stays, with all that it holds. */
  async #deleteOld({ old, ...at }: PageReceipt): Promise<PageReceipt> {
    if (!old) return at;
    for (const block of await listBlocks(this.#client, at.page)) {
      if (!old.includes(block.id)) continue;
      const inside = block.hasChildren ? await listBlocks(this.#client, block.id) : [];
      if ((await this.#ours(inside)).length === inside.length) {
        await call('repeatable', () => this.#client.blocks.delete({ block_id: block.id }));
      } else if (block.type === 'heading_2') {
        const heading_2 = { rich_text: [bold(KEPT)] };
        await call('repeatable', () => this.#client.blocks.update({ block_id: block.id, heading_2 }));
      }
    }
    return this.#save(at);
  }

  /** Appends what is missing of the transcript, saving after every call. */
  async #appendTurns(receipt: PageReceipt): Promise<PageReceipt> {
    const { turns } = this.#body;
    const toggle = receipt.blocks.at(-1);
    let at = receipt;
    while (toggle !== undefined && at.turns < turns.length) {
      const sent = at.turns + fitting(turns, at.turns);
      try {
        await appendBlocks(this.#client, toggle, turns.slice(at.turns, sent));
      } catch (error) {
        // Someone has deleted the toggle: the next attempt writes the body anew.
        if (isGone(error)) await this.#anew(at);
        throw error;
      }
      at = await this.#save({ ...at, turns: sent, done: sent === turns.length });
    }
    return at;
  }

  async #ours(blocks: Listed[]): Promise<Listed[]> {
    return blocks.length === 0 ? [] : blocksBy(await this.#options.authors(), blocks);
  }
}

function idsOf(blocks: Listed[]): string[] {
  return blocks.map(({ id }) => id);
}
