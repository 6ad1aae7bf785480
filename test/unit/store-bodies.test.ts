import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { Bodies, type BodilessClaim } from '../../src/store/bodies.ts';
import { openSqlite } from '../../src/store/open-sqlite.ts';
import { packBody, unpackBody } from '../../src/store/packing.ts';
import type { ClaimRequest, Settlement } from '../../src/store/store.ts';
import { newEvent } from '../contracts/store/under-test.ts';
import { openFolder } from '../support/folder.ts';

const request: ClaimRequest = { destination: 'slack', target: 't', now: 1000, limit: 9, except: [] };

function claimOf(event: string, more: object = {}): BodilessClaim {
  return { token: `token of ${event}`, delivery: {}, event: { id: event }, ...more } as BodilessClaim;
}

/** Bodies of which each stored one is still wanted twice, and what was read of them. */
function scene(stored: Record<string, Uint8Array> = {}) {
  const reads: string[] = [];
  const recorded: [token: string, Settlement][] = [];
  const bodies = new Bodies(async (events) => {
    reads.push(...events);
    return new Map(events.map((id) => [id, { zstd: stored[id] ?? new Uint8Array(), size: 4, wanted: 2 }]));
  });
  const store = {
    record: async (token: string, _target: string, settlement: Settlement) => recorded.push([token, settlement]) > 0,
  };
  const fill = async (...claims: BodilessClaim[]) => {
    const filled = await bodies.fill(claims, request, store);
    return filled.map(({ body, damage }) => (damage === undefined ? body.toString() : 'damaged'));
  };
  return { bodies, reads, recorded, store, fill };
}

test('an accepted body is kept for its claims, and no longer', async () => {
  const { bodies, reads, fill } = scene();
  bodies.keep('e1', Buffer.from('body'), 2);
  assert.deepEqual([await fill(claimOf('e1')), await fill(claimOf('e1'))], [['body'], ['body']]);
  assert.deepEqual(reads, []);
  await fill(claimOf('e1'));
  assert.deepEqual(reads, ['e1']);
});

test('a body that was read is kept for the other deliveries of its event', async () => {
  const { reads, fill } = scene({ e1: packBody(Buffer.from('read')) });
  const three = [await fill(claimOf('e1'), claimOf('e1')), await fill(claimOf('e1'))];
  assert.deepEqual(three, [['read', 'read'], ['read']]);
  assert.deepEqual(reads, ['e1', 'e1']);
});

test('a body that came with its claim is not read, and kept for the others', async () => {
  const { reads, fill } = scene();
  const packed = { zstd: packBody(Buffer.from('sent')), size: 4, wanted: 2 };
  assert.deepEqual(
    [await fill(claimOf('e1', { packed })), await fill(claimOf('e1'), claimOf('e1'))],
    [['sent'], ['sent', 'sent']],
  );
  assert.deepEqual(reads, []);
});

test('the first claim of an event that nobody has brings its body; those of one that was just accepted do not', async (t) => {
  const { folder, remove } = await openFolder();
  t.after(remove);
  const file = path.join(folder, 'relay.db');
  const before = await openSqlite(file);
  const destinations = ['slack', 'notion'];
  await before.accept(newEvent({ destinations, body: Buffer.from('{"n":1}') }));
  await before.close();
  const store = await openSqlite(file);
  t.after(() => store.close());
  await store.acceptBodiless(newEvent({ destinations }), []);
  const brought = async (destination: string) =>
    (await store.claimBodiless({ ...request, destination })).map(
      ({ packed }) => packed && unpackBody(packed.zstd).body,
    );
  assert.deepEqual(await brought('slack'), [Buffer.from('{"n":1}'), undefined]);
  assert.deepEqual(await brought('notion'), [undefined, undefined]);
});

test('a body that the disk has changed is told as damaged, each time', async () => {
  const { reads, fill } = scene({ e1: Buffer.from('no zstd') });
  assert.deepEqual([await fill(claimOf('e1')), await fill(claimOf('e1'))], [['damaged'], ['damaged']]);
  assert.deepEqual(reads, ['e1', 'e1']);
});

test('memory is bounded: what came first is kept', async () => {
  const { bodies, reads, fill } = scene();
  for (const id of ['e1', 'e2', 'e3']) bodies.keep(id, Buffer.alloc(15_000_000), 1);
  await fill(claimOf('e1'), claimOf('e2'), claimOf('e3'));
  assert.deepEqual(reads, ['e3']);
});

test('a body that nobody wants after all is dropped within six seconds', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const { bodies, reads, fill } = scene();
  bodies.keep('e1', Buffer.from('body'), 2);
  t.mock.timers.tick(3_000);
  await fill(claimOf('e1'));
  assert.deepEqual(reads, []);
  t.mock.timers.tick(3_000);
  await fill(claimOf('e1'));
  assert.deepEqual(reads, ['e1']);
});

test('what a lane has not fetched for long makes room for new bodies', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const { bodies, reads, fill } = scene();
  for (const id of ['e1', 'e2']) bodies.keep(id, Buffer.alloc(15_000_000), 1);
  t.mock.timers.tick(3_000);
  bodies.keep('e3', Buffer.alloc(15_000_000), 1);
  await fill(claimOf('e2'), claimOf('e3'));
  assert.deepEqual(reads, []);
  await fill(claimOf('e1'));
  assert.deepEqual(reads, ['e1']);
});

test('claims whose bodies cannot be read are given back as they were', async () => {
  const { recorded, store } = scene();
  const bodies = new Bodies(async () => {
    throw new Error('the disk fails');
  });
  const delivery = { nextAttemptAt: 900, reason: 'server', detail: 'HTTP 500' };
  const claim = claimOf('e1', { delivery, doubt: { since: 700, newer: false } });
  await assert.rejects(bodies.fill([claim], request, store), { code: 'RELAY_STORE_BUSY' });
  const settlement = {
    state: 'pending',
    nextAttemptAt: 900,
    reason: 'server',
    detail: 'HTTP 500',
    counted: false,
    unsent: true,
    doubt: 700,
  };
  assert.deepEqual(recorded, [['token of e1', settlement]]);
});

test('claims that cannot be given back either are given back later', async () => {
  let fails = true;
  const bodies = new Bodies(async () => {
    throw new Error('the disk fails');
  });
  const recorded: string[] = [];
  const store = {
    record: async (token: string) => {
      if (fails) throw new Error('the disk fails');
      return recorded.push(token) > 0;
    },
  };
  const fill = (...claims: BodilessClaim[]) => bodies.fill(claims, request, store);
  await assert.rejects(fill(claimOf('e1'), claimOf('e2')), { code: 'RELAY_STORE_BUSY' });
  assert.deepEqual(await fill(), []);
  fails = false;
  assert.deepEqual([await fill(), await fill()], [[], []]);
  assert.deepEqual(recorded, ['token of e1', 'token of e2']);
});
