import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { makeFolder } from '../support/folder.ts';
import { migrateTo, withSession } from '../support/migrations.ts';
import { configText, interview, post, Sink, spawnRelay } from '../support/relay.ts';
import { isTested, makeDatabase, onServer } from '../support/stores.ts';
import { runVerb } from '../support/verb.ts';

/** Who post at a time, and how many answers each has before and after the schema is changed. */
const SENDERS = 4;
const AROUND = 20;

describe('a migration of PostgreSQL while relays of the version before serve', { skip: !isTested('postgres') }, () => {
  test('fails no request and loses nothing; they go on, and may even start again', async (t) => {
    const sink = await Sink.start();
    t.after(() => sink.close());
    const store = await makeDatabase();
    const folder = await makeFolder(t, {
      'config.yaml': configText(`destinations:
  hook: { connector: webhook, url: "${sink.url}", pace: { calls: 1000, per: 1s } }
routes:
  - { name: all, to: hook }
`),
      '.env': `RELAY_STORE=${store}\n`,
    });
    let relay = await spawnRelay(folder);
    t.after(() => relay.kill('SIGKILL'));
    const statuses: number[] = [];
    let isMigrated = false;
    const send = async (sender: number) => {
      for (let n = 0, after = 0; after < AROUND; n += 1) {
        statuses.push((await post(relay, interview(`int_${sender}_${n}`))).status);
        if (isMigrated) after += 1;
      }
    };
    const sending = Array.from({ length: SENDERS }, (_, sender) => send(sender));
    await sink.got(SENDERS * AROUND);
    await withSession(store, async (reader) => {
      // Somebody is just reading for long: the first tries come to nothing.
      await reader.query('BEGIN; SELECT count(*) FROM event; SELECT count(*) FROM delivery');
      const migrating = migrateTo(4, store, 500);
      await sink.got(statuses.length + AROUND);
      await reader.query('COMMIT');
      await migrating;
    });
    isMigrated = true;
    await Promise.all(sending);
    assert.deepEqual(new Set(statuses), new Set([202]));
    await sink.got(statuses.length);
    const [{ version } = {}] = await onServer(store, 'SELECT max(version) AS version FROM versive_relay.migration');
    assert.equal(version, 4);

    assert.equal(await relay.kill('SIGTERM'), 0);
    relay = await spawnRelay(folder);
    assert.equal((await post(relay, interview('int_later'))).status, 202);
    await sink.got(statuses.length + 1);
    assert.equal(sink.requests.length, statuses.length + 1, 'each once');
    const listed = await runVerb(['deliveries', '--state', 'delivered', '--limit', '1'], { cwd: folder });
    assert.equal(listed.code, 0, listed.err);
    assert.match((await runVerb(['migrate', '--check'], { cwd: folder })).out, /is at schema 4 already/);
  });
});
