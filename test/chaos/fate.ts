/**
 * Loaded into a relay before it starts: lets a test move its clock and fill its disk while it runs, by messages.
 * The disk is full in SQLite's own terms, since the real one is shared with everything else.
 */
import { syncBuiltinESMExports } from 'node:module';
import sqlite from 'node:sqlite';

/** What a test asks of it. */
export interface Fate {
  /** Milliseconds that the wall clock is ahead of the true one. */
  clock?: number;
  /** Whether the disk takes no more pages. */
  full?: boolean;
}

let ahead = Number(process.env.RELAY_TEST_CLOCK ?? 0);
const TrueDate = Date;
globalThis.Date = new Proxy(TrueDate, {
  construct: (target, args, self) =>
    Reflect.construct(target, args.length === 0 ? [TrueDate.now() + ahead] : args, self),
  get: (target, key) => (key === 'now' ? () => TrueDate.now() + ahead : Reflect.get(target, key)),
});

const databases = new Set<sqlite.DatabaseSync>();
sqlite.DatabaseSync = class extends sqlite.DatabaseSync {
  constructor(...args: ConstructorParameters<typeof sqlite.DatabaseSync>) {
    super(...args);
    if (!args[1]?.readOnly) databases.add(this);
  }
};
syncBuiltinESMExports();

process.on('message', (fate: Fate) => {
  apply(fate);
  threads.postMessage(fate);
});

// The store's thread loads this too, with a clock and databases of its own.
const threads = new BroadcastChannel('fate');
threads.onmessage = (event) => apply((event as { data: Fate }).data);
threads.unref();

function apply({ clock, full }: Fate): void {
  if (clock !== undefined) ahead = clock;
  if (full === undefined) return;
  for (const database of databases) {
    // SQLite takes the pages that there are for the least.
    if (database.isOpen) database.exec(`PRAGMA max_page_count = ${full ? 1 : 4_294_967_294}`);
  }
}
// Nobody's message keeps a relay from ending.
process.channel?.unref();
