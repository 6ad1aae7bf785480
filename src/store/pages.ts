import { RelayError } from '../errors.ts';
import { numberOf } from './rows.ts';
import type { PageRequest } from './store.ts';

/** The most rows of one page, so that no list stalls what else the process does. */
const PAGE = 1000;

/** A list of the store page by page, newest first, to its end or to the limit. No page is empty. */
export async function* pages<T extends { id: string }>(
  list: (page: PageRequest) => Promise<T[]>,
  limit = Number.POSITIVE_INFINITY,
): AsyncGenerator<T[]> {
  let before: string | undefined;
  for (let left = limit; left > 0; left -= PAGE) {
    const size = Math.min(left, PAGE);
    const page = await list({ limit: size, ...(before !== undefined && { before }) });
    if (page.length > 0) yield page;
    if (page.length < size) return;
    before = page.at(-1)?.id;
  }
}

/** How many rows a page has at most. */
export function pageSize(page: PageRequest): number {
  return Math.max(1, Math.min(PAGE, Math.floor(page.limit)));
}

/**
 * The number of the row before which a page begins: an event's, or a delivery's. Undefined for the first page.
 *
 * @throws RelayError RELAY_NOT_FOUND
 */
export function pageBefore({ before }: PageRequest, letter: 'e' | 'd'): number | undefined {
  if (before === undefined) return undefined;
  const number = numberOf(before, letter);
  if (number === undefined) throw new RelayError('RELAY_NOT_FOUND', `there is no page before "${before}"`);
  return number;
}
