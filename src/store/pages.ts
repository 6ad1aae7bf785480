import type { PageRequest } from './store.ts';

/** The most rows of one page. */
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
