import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Destination, Item } from '../../src/connector.ts';
import { attempt } from '../../src/deliver/attempt.ts';
import { Doubts } from '../../src/deliver/doubts.ts';
import {
  absent,
  blind,
  delivered,
  found,
  type Outcome,
  reject,
  retry,
  type Sighting,
  unknown,
} from '../../src/outcome.ts';
import type { Claim, Store } from '../../src/store/store.ts';
import { makePayload } from '../support/item.ts';

describe('how long absence proves nothing', () => {
  test('from its start on a lane waits for what an earlier process began', () => {
    const doubts = new Doubts({ timeout: 1_000, settles: 2_000 }, 10_000);
    assert.equal(doubts.unsettled('x', 10_000), 3_000);
    assert.equal(doubts.unsettled('x', 13_000), 0);
  });

  test('after a write of its own of unknown end it waits from then on, for that subject alone', () => {
    const doubts = new Doubts({ timeout: 1_000, settles: 2_000 }, 0);
    doubts.left('x', 50_000);
    assert.equal(doubts.unsettled('x', 51_000), 2_000);
    assert.ok(doubts.unsettled('y', 51_000) <= 0);
    doubts.left('y', 60_000);
    assert.ok(doubts.unsettled('x', 60_000) <= 0, 'what is over is forgotten');
  });

  test('where nothing outlives the call there is nothing to wait for, and 10 s are waited where nobody says', () => {
    assert.equal(new Doubts({ timeout: 15_000, settles: 0 }, 5).unsettled('x', 5), 0);
    assert.equal(new Doubts({ timeout: 15_000, settles: undefined }, 5).unsettled('x', 5), 25_000);
  });
});

describe('an attempt at a subject in doubt', () => {
  const since = 1_000;

  function claimOf(subject: string, doubt: Claim['doubt']): Claim {
    const payload = makePayload({ interview: { id: subject } });
    const event = { id: 'e1', eventType: 'interview.completed', source: 'versive', svixId: 'm', receivedAt: 1 };
    return {
      token: subject,
      delivery: { id: 'd1', event: 'e1', subject, destination: 'here', attempts: 1 },
      event,
      body: Buffer.from(JSON.stringify(payload)),
      identity: { destination: 'here', subject, generation: 1 },
      receipt: undefined,
      earlier: [],
      superseded: false,
      doubt,
    } as unknown as Claim;
  }

  /** What is sent, and how the attempt ends, when the connector sees and answers so. */
  async function tried(
    sighting: (item: Item) => Sighting | Error,
    outcome: Outcome | ((abort: AbortController) => Outcome),
    { doubt = { since, newer: false } as Claim['doubt'], settled = true, subjects = ['x'], elsewhere = false } = {},
  ) {
    const abort = new AbortController();
    const told = () => (typeof outcome === 'function' ? outcome(abort) : outcome);
    const sent: Item[] = [];
    const checkpoints: unknown[][] = [];
    const destination: Destination = {
      target: 'here',
      limits: { key: 'here', calls: 1, per: 1 },
      async deliver(item) {
        sent.push(item);
        return told();
      },
      async deliverMany(items) {
        sent.push(...items);
        return items.map(told);
      },
      async find(items) {
        return items.map((item) => {
          const seen = sighting(item);
          if (seen instanceof Error) throw seen;
          return seen;
        });
      },
    };
    const { signal } = abort;
    const ends = await attempt(
      subjects.map((subject) => ({ ...claimOf(subject, subject === 'sure' ? undefined : doubt), elsewhere })),
      destination,
      {
        store: { checkpoint: async (...kept: unknown[]) => checkpoints.push(kept) > 0 } as unknown as Store,
        timezone: 'UTC',
        signal,
        giveUp: signal,
        scrub: (text) => text,
        doubts: new Doubts({ timeout: 1_000, settles: settled ? 0 : 2_000 }),
      },
    );
    return { sent, ends, checkpoints };
  }

  test('what is found goes on as an update, and that is the end of the doubt', async () => {
    const { sent, ends } = await tried(() => found({ ts: '1' }), delivered({ ts: '1' }));
    assert.deepEqual(
      sent.map(({ receipt }) => receipt),
      [{ ts: '1' }],
    );
    assert.deepEqual(ends, [{ outcome: delivered({ ts: '1' }), doubt: undefined, saw: 'found' }]);
    const failed = await tried(() => found({ ts: '1' }), retry('rate_limited', '429', 5));
    assert.equal(failed.ends[0]?.doubt, undefined);
    assert.deepEqual(failed.checkpoints, [['x', 'here', { ts: '1' }]], 'the next try knows it, too');
  });

  test('absence is not believed while something may still land: nothing is sent, and the doubt stays', async () => {
    const { sent, ends } = await tried(() => absent(), delivered({}), { settled: false });
    assert.deepEqual(sent, []);
    const [end] = ends;
    assert.ok(end?.outcome.kind === 'waiting' && end.outcome.afterMs > 0 && end.outcome.afterMs <= 3_000);
    assert.equal(end.doubt, since);
  });

  test('absence that is believed ends the doubt, and a new unknown end begins another', async () => {
    const { sent, ends } = await tried(() => absent(), retry('rate_limited', '429', 5));
    assert.equal(sent.length, 1);
    assert.equal(ends[0]?.doubt, undefined);
    const unclear = await tried(() => absent(), unknown('timeout', 'no answer'));
    assert.ok((unclear.ends[0]?.doubt ?? 0) > since);
  });

  test('a look that fails sends nothing and changes nothing', async () => {
    const fetchFailed = Object.assign(new Error('gone'), { name: 'TypeError' });
    for (const seen of [retry('rate_limited', '429', 7_000), fetchFailed]) {
      const { sent, ends } = await tried(() => seen, delivered({}));
      assert.deepEqual(sent, []);
      assert.equal(ends[0]?.doubt, since);
      assert.notEqual(ends[0]?.outcome.kind, 'delivered');
    }
  });

  test('who cannot look sends again; only an arrival ends the doubt, and it says what it means', async () => {
    const cannot = blind('it may be there twice', 'Give it the scope.');
    const arrived = await tried(() => cannot, delivered({}));
    assert.deepEqual(arrived.ends[0]?.note, { detail: 'it may be there twice', fix: 'Give it the scope.' });
    assert.equal(arrived.ends[0]?.doubt, undefined);
    const refused = await tried(() => cannot, reject('invalid', 'no', 'Mend it.'));
    assert.equal(refused.ends[0]?.doubt, since);
  });

  test('what a newer event may have written is not written over', async () => {
    const { sent, ends } = await tried(() => found({ ts: '1' }), delivered({}), { doubt: { since, newer: true } });
    assert.deepEqual(sent, []);
    assert.deepEqual(ends[0]?.outcome, delivered({ ts: '1' }));
  });

  test('in a batch, each goes its own way: only those that are surely absent, or never in doubt, are sent', async () => {
    const sightings: Record<string, Sighting> = {
      there: found({ row: 7 }),
      away: retry('server', '500'),
      gone: absent(),
    };
    const { sent, ends } = await tried((item) => sightings[item.identity.subject] as Sighting, delivered({ row: 8 }), {
      subjects: ['there', 'sure', 'away', 'gone'],
    });
    assert.deepEqual(
      sent.map(({ identity, receipt }) => [identity.subject, receipt]),
      [
        ['there', { row: 7 }],
        ['sure', undefined],
        ['gone', undefined],
      ],
    );
    assert.deepEqual(
      ends.map(({ outcome, saw, doubt }) => [outcome.kind, saw, doubt]),
      [
        ['delivered', 'found', undefined],
        ['delivered', undefined, undefined],
        ['retry', 'nothing', since],
        ['delivered', 'absent', undefined],
      ],
    );
  });

  test('a stop during the second try of a blip takes that try at its word, and not the one before', async () => {
    for (const last of [unknown('timeout', 'the call was cut off'), delivered({ ts: '1' })]) {
      let tries = 0;
      const { ends } = await tried(
        () => absent(),
        (abort) => {
          tries += 1;
          if (tries === 1) return retry('server', '503');
          abort.abort();
          return last;
        },
        { subjects: ['sure'] },
      );
      assert.deepEqual(ends[0]?.outcome, last);
      assert.equal(ends[0]?.doubt !== undefined, last.kind === 'unknown');
    }
  });

  test('a place that the config calls by another name is looked at too, and what is not there is posted at once', async () => {
    const known = await tried(() => found({ ts: '1' }), delivered({ ts: '1' }), {
      subjects: ['sure'],
      elsewhere: true,
    });
    assert.deepEqual(
      known.sent.map(({ receipt }) => receipt),
      [{ ts: '1' }],
    );
    const options = { subjects: ['sure'], elsewhere: true, settled: false };
    const other = await tried(() => absent(), delivered({ ts: '2' }), options);
    assert.deepEqual(
      other.sent.map(({ receipt }) => receipt),
      [undefined],
    );
    const unseen = await tried(() => blind('it may be there twice', 'Look.'), delivered({ ts: '2' }), options);
    assert.equal(unseen.ends[0]?.note, undefined, 'no earlier try is in doubt');
  });
});
