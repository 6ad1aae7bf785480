import { setTimeout as sleep } from 'node:timers/promises';
import { openStore } from '../../src/store/open.ts';
import { runVerb } from '../support/verb.ts';

/** Milliseconds in which something must arrive at the end. */
const STUCK = 60_000;
/** Milliseconds between two looks at what is left. */
const LOOK_AGAIN = 250;

/**
 * Waits until nothing is pending any more.
 *
 * @param folder where its config is, for the verb `retry`
 * @returns how many deliveries had to be brought back with it
 */
export async function drain(location: string, folder: string, progress: (line: string) => void): Promise<number> {
  const store = await openStore(location);
  let struck = 0;
  let least = { left: Number.POSITIVE_INFINITY, at: performance.now() };
  try {
    for (;;) {
      const failed = await store.deliveries({ state: 'failed' }, { limit: 1000 });
      const other = failed.find(({ reason }) => reason !== 'bug');
      if (other) throw new Error(`a delivery failed for another reason than kills: ${JSON.stringify(other)}`);
      const left = (await store.backlog()).reduce((sum, { pending }) => sum + pending, 0);
      if (failed.length > 0) {
        struck += failed.length;
        await runVerb(['retry', '--yes'], { cwd: folder });
      } else if (left === 0) return struck;
      if (left < least.left || failed.length > 0) least = { left, at: performance.now() };
      if (performance.now() - least.at > STUCK) {
        const some = JSON.stringify(await store.deliveries({ state: 'pending' }, { limit: 3 }));
        throw new Error(`${left} deliveries are stuck, ${some} among them`);
      }
      progress(`${left} deliveries are left`);
      await sleep(LOOK_AGAIN);
    }
  } finally {
    await store.close();
  }
}
