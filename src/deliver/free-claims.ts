import type { Log } from '../connector.ts';
import type { News } from '../news.ts';
import type { Store } from '../store/store.ts';

/**
 * Frees what a process that died left under way, and tells of the deliveries that were given up for it.
 *
 * @param lanes whose claims to free; absent for those of lanes that nobody serves
 */
export async function freeClaims(
  { store, log, report }: { store: Store; log: Log; report: (news: News) => void },
  lanes?: readonly string[],
): Promise<void> {
  const { freed, failed } = await store.release(lanes);
  if (freed > 0) log.info({ step: 'store.released', deliveries: freed }, 'what was left under way is due again');
  for (const id of failed) {
    const delivery = await store.delivery(id);
    if (!delivery) continue;
    const { destination, subject, detail = '', fix = '' } = delivery;
    log.warn({ step: 'delivery.struck', delivery: id, destination, subject, detail, fix }, 'delivery given up');
    report({ kind: 'failed', destination, delivery: id, subject, detail, fix });
  }
}
