import { type Client, isFullPage, type PageObjectResponse, type PartialPageObjectResponse } from '@notionhq/client';
import type { Receipt } from 'versive-relay/connector';
import { type Body, withTurns } from './body.ts';
import { call, Ended, isGone } from './errors.ts';
import type { Properties } from './properties.ts';
import { bytesOf, fitting, LIMITS } from './rich-text.ts';

/**
 * What is kept of a page: enough to go on where an attempt stopped, and to replace only what the relay wrote. It is saved
 * before and after every append, so that of a body that is not `done` at most one append is unaccounted for: the next one.
 */
export interface PageReceipt extends Receipt {
  page: string;
  url: string;
  /** Hash of the body that is, or is being, written; absent without one. */
  body?: string;
  /** Ids of the body's blocks on the page itself: all of them, or none while they are not known. */
  blocks: string[];
  /** How many blocks of the transcript surely are there. */
  turns: number;
  /** The body is whole. */
  done: boolean;
  /** Ids of an earlier body's blocks that are still to be deleted. */
  old?: string[];
}

/** A page that is there. */
export interface Page {
  id: string;
  url: string;
  /** The user, person or connection, who made it. */
  creator: string | undefined;
}

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
  const { id, url } = await call('write', create).then(pageOf, committedPage);
  return { page: id, url, ...begun(body), turns: sent };
}

/** A 503 can follow a saved write; Notion then names the page that it has created. */
function committedPage(error: unknown): Page {
  const id = error instanceof Ended ? error.answer?.data.committed_resource_id : undefined;
  if (typeof id !== 'string') throw error;
  return pageOf({ object: 'page', id });
}

/**
 * Sets the properties of a page.
 * @returns undefined when it was deleted
 */
export function updatePage(client: Client, id: string, properties: Properties): Promise<Page | undefined> {
  return unlessGone(() => call('repeatable', () => client.pages.update({ page_id: id, properties })));
}

/** @returns undefined when it was deleted */
export function readPage(client: Client, id: string): Promise<Page | undefined> {
  return unlessGone(() => call('read', () => client.pages.retrieve({ page_id: id })));
}

async function unlessGone(
  ask: () => Promise<PageObjectResponse | PartialPageObjectResponse>,
): Promise<Page | undefined> {
  try {
    const page = await ask();
    return isFullPage(page) && page.in_trash ? undefined : pageOf(page);
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

export function pageOf(page: PageObjectResponse | PartialPageObjectResponse): Page {
  if (isFullPage(page)) return { id: page.id, url: page.url, creator: page.created_by.id };
  // Notion opens a page by its id alone.
  return { id: page.id, url: `https://www.notion.so/${page.id.replaceAll('-', '')}`, creator: undefined };
}

/** Of a body of which nothing is there yet, or nothing is known. */
export function begun(body: Body | undefined): Pick<PageReceipt, 'body' | 'blocks' | 'turns' | 'done'> {
  return { ...(body && { body: body.hash }), blocks: [], turns: 0, done: body === undefined };
}
