import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';
import { SLACK_TOKEN } from '../../src/sandbox/slack.ts';
import { openStore } from '../../src/store/open.ts';
import { makeFolder } from '../support/config.ts';
import { makePayload } from '../support/item.ts';
import { configText, interview, post, startRelay } from '../support/relay.ts';
import { isTested, makeDatabase } from '../support/stores.ts';
import { runVerb } from '../support/verb.ts';

const CHANNEL = 'C0123456789';

function config({ apiUrl }: Sandbox, message = 'First {{ interview.id }}'): string {
  return configText(`destinations:
  slack: { connector: slack, token: ${SLACK_TOKEN}, channel: ${CHANNEL}, api_url: "${apiUrl.slack}", message: "${message}" }
routes:
  - { name: all, to: slack }
`);
}

/** A delivery that a relay had claimed a minute ago when it was killed, before it had sent anything. */
async function leaveUnderWay(file: string): Promise<void> {
  const database = new DatabaseSync(file);
  const target = String(database.prepare('SELECT target FROM ledger').get()?.target);
  database.close();
  const store = await openStore(file);
  const then = Date.now() - 60_000;
  await store.accept({
    source: 'versive',
    svixId: 'msg_crash',
    eventType: 'interview.completed',
    subject: 'int_crash',
    study: 'study_1',
    state: 'routed',
    receivedAt: then,
    routes: ['all'],
    destinations: ['slack'],
    body: Buffer.from(JSON.stringify(makePayload({ interview: { id: 'int_crash' } }))),
  });
  const claims = await store.claim({ destination: 'slack', target, now: then, limit: 1, except: [] });
  assert.equal(claims.length, 1);
  await store.close();
}

test('a relay goes on from the copy as it would have from the file', { skip: !isTested('postgres') }, async (t) => {
  const sandbox = await startSandbox();
  sandbox.slack.enforcePace = false;
  t.after(() => sandbox.close());
  const folder = await makeFolder(t, { 'config.yaml': config(sandbox) });
  const file = path.join(folder, 'file.db');
  const first = await startRelay(config(sandbox), { store: file });
  const { id } = await post(first, interview('int_1'));
  await first.log.step('delivery.attempted', ({ state }) => state === 'delivered');
  await first.stop();
  await leaveUnderWay(file);
  const before = sandbox.slack.messages(CHANNEL);
  assert.deepEqual(
    before.map(({ text }) => text),
    ['First int_1'],
  );

  const location = await makeDatabase('template0');
  await writeFile(path.join(folder, '.env'), `DATABASE_URL=${location}\n`);
  const copied = await runVerb(['store', 'copy', '--from', file, '--to', `\${DATABASE_URL}`], { cwd: folder });
  assert.equal(copied.code, 0, copied.err);

  const second = await startRelay(config(sandbox, 'Second {{ interview.id }}'), { store: location });
  t.after(() => second.stop());
  // In doubt since the crash: it looks, and does not send before a late call could no longer arrive.
  const attempt = await second.log.step('delivery.attempted', ({ subject }) => subject === 'int_crash');
  assert.deepEqual([attempt.outcome, attempt.in_doubt, attempt.earlier_try], ['waiting', true, 'absent']);
  assert.equal((await second.app.store.delivery('d2'))?.attempts, 1, 'a look costs none');
  assert.equal((await post(second, interview('int_2'))).body.event, 'e3');
  // Known, and so updated in place.
  assert.equal((await post(second, interview('int_1'), id)).status, 200);
  const replayed = await runVerb(['replay', 'e1', '--yes'], { cwd: second.folder });
  assert.equal(replayed.code, 0, replayed.err);
  await second.log.step('delivery.attempted', ({ subject, state }) => subject === 'int_1' && state === 'delivered');
  const messages = sandbox.slack.messages(CHANNEL).map(({ ts, text }) => [ts, text]);
  assert.deepEqual(messages[0], [before[0]?.ts, 'Second int_1']);
  assert.equal(messages.filter(([, text]) => text?.endsWith('int_1')).length, 1);
});
