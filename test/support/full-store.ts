import { DatabaseSync } from 'node:sqlite';
import { openStore } from '../../src/store/open.ts';
import type { Claim, Settlement, Store } from '../../src/store/store.ts';
import { newEvent } from '../contracts/store/under-test.ts';

export const TARGET = 'slack:C1';
/** Destinations that the store has deliveries of. */
export const DESTINATIONS = ['alpha', 'beta', 'crashing', 'new-name'];
/** Numbers of events that were there once, and are gone. */
const GONE = 7;

const HOUR = 3_600_000;
/** Milliseconds that a delivery may have to wait after crashes, and more. */
const WAITS = 60_000;
const DELIVERED = { state: 'delivered', receipt: { url: 'https://slack.test/p1', ts: '1.1' } } satisfies Settlement;
const UNKNOWN: Settlement = {
  state: 'pending',
  nextAttemptAt: 5_000,
  reason: 'timeout',
  detail: 'no answer',
  counted: true,
  doubt: 4_000,
};
const FAILED: Settlement = { state: 'failed', reason: 'invalid', detail: 'bad \0 words \ue000', fix: 'Mend it.' };

/** Makes a store that has something of everything, as a relay leaves it that was killed. */
export async function fillStore(file: string): Promise<void> {
  const store = await openStore(file);
  await acceptAll(store);
  // int_a: delivered whole, and again in a generation of its own; it is to be delivered once more, anew.
  await end(await claim(store, 'alpha', 'int_a'), store, DELIVERED);
  await store.replay(['d1'], { renew: true });
  await end(await claim(store, 'alpha', 'int_a'), store, {
    state: 'delivered',
    receipt: { ts: '2.2', words: 'a \0 in JSON' },
  });
  await store.replay(['d1'], { renew: true });
  // Its older event waits at another destination, in doubt.
  await end(await claim(store, 'beta', 'int_a'), store, UNKNOWN);
  await end(await claim(store, 'alpha', 'int_nul\0'), store, FAILED);
  await store.discard(['d4']);
  // Only a checkpoint, at a target of its own.
  const halfway = await claim(store, 'alpha', 'int_\ue0000', 'slack:C\0');
  await store.checkpoint(halfway.token, 'slack:C\0', { page: 'half' });
  await end(halfway, store, UNKNOWN, 'slack:C\0');
  await rename(store);
  await standStill(store);
  // One whose body is gone.
  await store.accept(newEvent({ subject: 'ancient', destinations: [], receivedAt: 10 }));
  await store.prune({ before: 11 });
  // Last, under way: at their first, second and third crash, and one that a person asked for meanwhile.
  for (const subjects of [['crash_3'], ['crash_3', 'crash_2'], ['crash_3', 'crash_2', 'crash_1', 'wished']]) {
    await store.release();
    for (const subject of subjects) await claim(store, 'crashing', subject);
  }
  await store.replay(['d11'], { renew: true });
  await store.close();
  const database = new DatabaseSync(file);
  database.exec(`UPDATE sqlite_sequence SET seq = seq + ${GONE}`);
  database.close();
}

async function acceptAll(store: Store): Promise<void> {
  const body = Buffer.from(JSON.stringify({ transcript: 'words of a participant '.repeat(500) }));
  const accept = (event: Parameters<typeof newEvent>[0]) => store.accept(newEvent({ body, ...event }));
  await accept({ subject: 'int_a', destinations: ['alpha', 'beta'], routes: ['One', 'Zwei "2" \0', ''] });
  await accept({ state: 'unrouted', routes: [], destinations: [], study: 'study_2' });
  await accept({
    state: 'quarantined',
    reason: 'not \0 JSON',
    subject: '',
    routes: [],
    destinations: [],
    eventType: '',
  });
  await accept({ subject: 'int_nul\0', destinations: ['alpha', 'beta'], svixId: 'msg \ue000\0' });
  await accept({ subject: 'int_\ue0000', destinations: ['alpha'], source: 'other' });
  await accept({ subject: 'old', destinations: ['old-name'], receivedAt: 2_000, body: Buffer.alloc(0) });
  // Newer than the one that waits in doubt.
  await accept({ subject: 'int_a', destinations: ['beta'], receivedAt: 3_000 });
  for (const subject of ['crash_1', 'crash_2', 'crash_3', 'wished'])
    await accept({ subject, destinations: ['crashing'] });
}

/** Claims the delivery of a subject, and of no other. */
async function claim(store: Store, destination: string, subject: string, target = TARGET): Promise<Claim> {
  const all = await store.deliveries({ destination }, { limit: 100 });
  const except = all.map((each) => each.subject).filter((each) => each !== subject);
  const [first] = await store.claim({ destination, target, now: Date.now() + WAITS, limit: 1, except });
  if (!first) throw new Error(`nothing of ${subject} is due at ${destination}`);
  return first;
}

async function end({ token }: Claim, store: Store, settlement: Settlement, target = TARGET): Promise<void> {
  if (!(await store.record(token, target, settlement))) throw new Error('the claim had ended');
}

/** A receipt under one name, which is another by now. */
async function rename(store: Store): Promise<void> {
  await end(await claim(store, 'old-name', 'old'), store, {
    ...DELIVERED,
    note: { detail: 'cut', fix: 'Ask for less.' },
  });
  await store.rename('old-name', 'new-name');
}

async function standStill(store: Store): Promise<void> {
  await store.setPaused('beta', true);
  await store.setHalt('alpha', { reason: 'auth', detail: 'no \0 token', fix: 'Renew it.', since: 77 });
  await store.setHalt('gone', { reason: 'not_found', detail: 'no channel', fix: 'Make it.', since: 78 });
  await store.setPaused('gone', true);
  await store.pauseKey('slack:T1', HOUR);
  await store.pauseKey('key \0', 2 * HOUR);
}
