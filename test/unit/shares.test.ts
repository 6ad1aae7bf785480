import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Member, Shares } from '../../src/deliver/shares.ts';
import type { Serving } from '../../src/store/store.ts';

/** What the processes of one store see of each other: who has which lock, and who lacks lanes. */
class Locks {
  readonly holders = new Map<string, Relay>();
  readonly relays: Relay[] = [];

  take(relay: Relay, locks: string[]): boolean {
    if (locks.some((lock) => (this.holders.get(lock) ?? relay) !== relay)) return false;
    for (const lock of locks) this.holders.set(lock, relay);
    return true;
  }

  free(relay: Relay, kept: string[]): void {
    for (const [lock, holder] of this.holders) if (holder === relay && !kept.includes(lock)) this.holders.delete(lock);
  }
}

/** A process, without its store. */
class Relay {
  readonly serves = new Set<string>();
  readonly warnings: object[] = [];
  /** What fails once, the next time. */
  fails: 'begin' | 'share' | 'take' | undefined;
  readonly shares: Shares;
  readonly #locks: Locks;
  readonly #taken = new Map<string, string[]>();
  #lacks = 0;
  #lost: (() => void)[] = [];

  constructor(locks: Locks, members: Member[]) {
    this.#locks = locks;
    locks.relays.push(this);
    const log = { debug: () => {}, info: () => {}, warn: (fields: object) => void this.warnings.push(fields) };
    this.shares = new Shares({
      serving: this.#serving() as Partial<Serving> as Serving,
      members: () => members,
      runs: (lane) => this.serves.has(lane),
      begin: async (lanes) => {
        this.hiccup('begin');
        for (const lane of lanes) this.serves.add(lane);
      },
      end: async (lanes) => {
        for (const lane of lanes) this.serves.delete(lane);
      },
      tidy: async () => {},
      log,
    });
  }

  hiccup(what: 'begin' | 'share' | 'take'): void {
    if (this.fails !== what) return;
    this.fails = undefined;
    throw new Error(`${what} failed`);
  }

  #serving(): Omit<Serving, 'store' | 'close' | 'replicas' | 'announce'> {
    return {
      take: async (lane, keys) => {
        if (this.#taken.size > 0) this.hiccup('take');
        const locks = [`lane ${lane}`, ...keys];
        if (!this.#locks.take(this, locks)) return false;
        this.#taken.set(lane, locks);
        return true;
      },
      give: async (lane) => {
        this.#taken.delete(lane);
        this.#locks.free(this, [...this.#taken.values()].flat());
      },
      share: async (lacks) => {
        if (this.#taken.size > 0) this.hiccup('share');
        this.#lacks = lacks;
        const { relays } = this.#locks;
        const lacking = relays.some((relay) => relay !== this && relay.#lacks > 0);
        return { processes: relays.length, place: relays.indexOf(this), lacking };
      },
      isSure: true,
      lost: (told) => this.#lost.push(told),
    };
  }

  /** Its connection breaks. */
  async lose(): Promise<void> {
    this.#taken.clear();
    this.#locks.free(this, []);
    for (const told of this.#lost) told();
  }

  async die(): Promise<void> {
    await this.shares.close();
    this.#locks.relays.splice(this.#locks.relays.indexOf(this), 1);
    this.#locks.free(this, []);
    this.serves.clear();
  }
}

/** As many looks as it may take. */
async function settle({ relays }: Locks): Promise<void> {
  for (let round = 0; round < 6; round += 1) for (const { shares } of relays) await shares.look();
}

function lanes(count: number, key = (n: number) => `limit:${n}`): Member[] {
  return Array.from({ length: count }, (_, n) => ({ name: `lane-${n}`, keys: [key(n)] }));
}

const sizes = ({ relays }: Locks) => relays.map(({ serves }) => serves.size);

test('lanes are spread evenly as relays come and go, and each is served once', async () => {
  const locks = new Locks();
  const members = lanes(7);
  const first = new Relay(locks, members);
  await settle(locks);
  assert.deepEqual(sizes(locks), [7]);
  new Relay(locks, members);
  await settle(locks);
  assert.deepEqual(sizes(locks), [4, 3]);
  new Relay(locks, members);
  await settle(locks);
  assert.deepEqual(sizes(locks), [3, 2, 2]);
  assert.equal(new Set(locks.relays.flatMap(({ serves }) => [...serves])).size, 7);
  await first.die();
  await settle(locks);
  assert.deepEqual(sizes(locks), [4, 3]);
});

test('lanes that share a key, also by way of another lane, stay with one relay', async () => {
  const locks = new Locks();
  const members = [
    { name: 'slack-1', keys: ['limit:token'] },
    { name: 'sheet-1', keys: ['limit:google-1', 'serial:sheet'] },
    { name: 'slack-2', keys: ['limit:token'] },
    { name: 'sheet-2', keys: ['limit:google-2', 'serial:sheet'] },
  ];
  const [one, two] = [new Relay(locks, members), new Relay(locks, members)];
  await settle(locks);
  assert.deepEqual([...one.serves].sort(), ['slack-1', 'slack-2']);
  assert.deepEqual([...two.serves].sort(), ['sheet-1', 'sheet-2']);
});

test('while a token is rotated, each lane is served by one relay, by either token', async () => {
  const locks = new Locks();
  new Relay(
    locks,
    lanes(2, () => 'limit:old'),
  );
  new Relay(
    locks,
    lanes(2, () => 'limit:new'),
  );
  await settle(locks);
  const served = locks.relays.flatMap(({ serves }) => [...serves]);
  assert.deepEqual(served.sort(), ['lane-0', 'lane-1']);
});

test('a relay whose connection broke serves nothing until it has taken lanes again', async () => {
  const locks = new Locks();
  const relay = new Relay(locks, lanes(3));
  await settle(locks);
  await relay.lose();
  assert.equal(relay.shares.has('lane-0'), false);
  await settle(locks);
  assert.deepEqual(sizes(locks), [3]);
});

for (const fails of ['begin', 'share', 'take'] as const) {
  test(`what is ours runs in the end, also when ${fails} failed in between`, async () => {
    const locks = new Locks();
    const relay = new Relay(locks, lanes(3));
    const other = new Relay(locks, lanes(3));
    relay.fails = fails;
    await settle(locks);
    assert.equal(relay.warnings.length, 1);
    assert.deepEqual(other.warnings, []);
    assert.deepEqual(sizes(locks), [2, 1]);
  });
}

test('what goes on failing is told once, and again when it fails after it went well', async () => {
  const relay = new Relay(new Locks(), lanes(1));
  const look = async (fails?: 'share') => {
    relay.fails = fails;
    await relay.shares.look();
    return relay.warnings.length;
  };
  assert.equal(await look(), 0);
  assert.equal(await look('share'), 1);
  assert.equal(await look('share'), 1);
  assert.equal(await look(), 1);
  assert.equal(await look('share'), 2);
});

test('a connection that breaks while lanes are looked for leaves none that is ours and does not run', async () => {
  const locks = new Locks();
  const relay = new Relay(locks, lanes(3));
  await settle(locks);
  const looking = relay.shares.look();
  await relay.lose();
  await looking;
  await settle(locks);
  assert.deepEqual(sizes(locks), [3]);
});

test('a change waits for the look before it, and what it left runs with the next', async () => {
  const relay = new Relay(new Locks(), lanes(2));
  const seen: number[] = [];
  const first = relay.shares.look();
  const change = relay.shares.alone(async () => {
    seen.push(relay.serves.size);
    relay.serves.clear();
    await relay.shares.give(['lane-0', 'lane-1']);
    await new Promise(setImmediate);
    seen.push(relay.serves.size);
  });
  await Promise.all([first, change]);
  await relay.shares.look();
  assert.deepEqual(seen, [2, 0]);
  assert.equal(relay.serves.size, 2);
});

test('relays whose configs differ leave no lane to nobody', async () => {
  const locks = new Locks();
  const older = lanes(4);
  const newer = older.slice(0, 3);
  new Relay(locks, older);
  new Relay(locks, newer);
  await settle(locks);
  assert.equal(new Set(locks.relays.flatMap(({ serves }) => [...serves])).size, 4);
});

for (const place of [0, 1]) {
  test(`a renamed lane goes by its new name to a relay that is to have it, and never by both: place ${place}`, async () => {
    const locks = new Locks();
    const older = new Relay(locks, [{ name: 'before', keys: ['lane:before', 'limit:token'] }]);
    await settle(locks);
    const newer = new Relay(locks, [{ name: 'after', keys: ['lane:after', 'limit:token', 'lane:before'] }]);
    if (place === 0) locks.relays.reverse();
    await settle(locks);
    assert.deepEqual([...older.serves, ...newer.serves], [place === 0 ? 'after' : 'before']);
  });
}
