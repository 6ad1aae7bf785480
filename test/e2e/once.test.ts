import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, test } from 'node:test';
import type { JsonObject } from '../../src/model.ts';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';
import { SHEETS_SPREADSHEET, SHEETS_TOKEN } from '../../src/sandbox/sheets.ts';
import { SLACK_TOKEN } from '../../src/sandbox/slack.ts';
import { openStore } from '../../src/store/open.ts';
import { makeFolder } from '../support/folder.ts';
import { makePayload } from '../support/item.ts';
import { configText, type LogLines, post, type RunningRelay, Sink, spawnRelay, startRelay } from '../support/relay.ts';
import { storeIn } from '../support/stores.ts';
import { runVerb } from '../support/verb.ts';

const TEST = 'C0123456789';
const LIVE = 'C0987654321';

let sandbox: Sandbox;
let relay: RunningRelay | undefined;

beforeEach(async () => {
  sandbox = await startSandbox();
  sandbox.slack.enforcePace = false;
  sandbox.sheets.perMinute = Number.POSITIVE_INFINITY;
});
afterEach(async () => {
  await relay?.stop();
  relay = undefined;
  await sandbox.close();
});

/** What no test waits for: the next try comes when a verb asks for it. */
const PATIENT = 'retry: [1h], timeout: 300ms, settles: 300ms, pace: { calls: 1000, per: 1s }';

function slack(name = 'alerts', channel = TEST, more = PATIENT): string {
  return `  ${name}: { connector: slack, token: ${SLACK_TOKEN}, channel: ${channel}, api_url: "${sandbox.apiUrl.slack}", ${more} }\n`;
}

const config = (destinations: string, to = 'alerts') =>
  configText(`destinations:\n${destinations}routes:\n  - { name: all, to: ${to} }\n`);

const said = (title: string, interview: JsonObject = {}) => makePayload({ study: { title }, interview });

/** The next end of an attempt at a destination. */
function attempted(log: LogLines, state: string, destination = 'alerts', fits: Record<string, unknown> = {}) {
  return log.step(
    'delivery.attempted',
    (line) =>
      line.destination === destination &&
      line.state === state &&
      Object.entries(fits).every(([key, value]) => line[key] === value),
  );
}

async function verb(...args: string[]): Promise<string> {
  const { code, out, err } = await runVerb(args, { cwd: relay?.folder ?? '' });
  assert.equal(code, 0, `${args.join(' ')}: ${out}${err}`);
  return out + err;
}

const words = (channel: string) => sandbox.slack.messages(channel).map(({ blocks }) => JSON.stringify(blocks));

test('a resend while the first is in doubt updates what the first had written after all', async () => {
  relay = await startRelay(config(slack()));
  sandbox.slack.faults.inject({ kind: 'reset-after-write', times: 1, path: 'chat.postMessage' });
  await post(relay, said('The first title'));
  await attempted(relay.log, 'pending', 'alerts', { in_doubt: true });
  const { body } = await post(relay, said('The second title'));
  await attempted(relay.log, 'delivered', 'alerts', { event: body.event, earlier_try: 'found' });
  const [message = '', ...more] = words(TEST);
  assert.deepEqual(more, []);
  assert.match(message, /The second title/);
});

test('a resend while nothing of the first is there waits until nothing can come any more, then posts once', async () => {
  relay = await startRelay(config(slack('alerts', TEST, PATIENT.replace('settles: 300ms', 'settles: 3s'))));
  sandbox.slack.faults.inject({ kind: 'reset', times: 1, path: 'chat.postMessage' });
  await post(relay, said('The first title'));
  await attempted(relay.log, 'pending', 'alerts', { in_doubt: true });
  const { body } = await post(relay, said('The second title'));
  await attempted(relay.log, 'pending', 'alerts', { event: body.event, outcome: 'waiting' });
  assert.deepEqual(words(TEST), []);
  await attempted(relay.log, 'delivered', 'alerts', { event: body.event, earlier_try: 'absent' });
  await verb('retry', 'd1');
  await relay.log.step('delivery.superseded');
  assert.equal(words(TEST).length, 1);
});

test('a write that lands after its call was given up is found, not repeated', async () => {
  const more = PATIENT.replace('1h', '10ms, 10ms').replace('settles: 300ms', 'settles: 4s');
  relay = await startRelay(config(slack('alerts', TEST, more)));
  sandbox.slack.faults.inject({ kind: 'slow', times: 1, ms: 600_000, path: 'chat.postMessage' });
  await post(relay, said('A slow one'));
  await attempted(relay.log, 'pending', 'alerts', { outcome: 'unknown' });
  await attempted(relay.log, 'pending', 'alerts', { outcome: 'waiting' });
  sandbox.slack.faults.hurry();
  await attempted(relay.log, 'delivered', 'alerts', { earlier_try: 'found' });
  assert.equal(words(TEST).length, 1);
});

test('a write that lands after the process was killed is found by the next one', async (t) => {
  const more = 'timeout: 1s, settles: 3s';
  const folder = await makeFolder(t, { 'config.yaml': config(slack('alerts', TEST, more)) });
  const first = await spawnRelay(folder);
  sandbox.slack.faults.inject({ kind: 'slow', times: 1, ms: 600_000, path: 'chat.postMessage' });
  const met = once(sandbox.slack.faults, 'change');
  await post(first, said('Written by the dead'));
  await met;
  await first.kill('SIGKILL');
  assert.deepEqual(words(TEST), []);
  const second = await spawnRelay(folder);
  t.after(() => second.kill('SIGKILL'));
  await attempted(second.log, 'pending', 'alerts', { outcome: 'waiting' });
  sandbox.slack.faults.hurry();
  await attempted(second.log, 'delivered', 'alerts', { earlier_try: 'found' });
  assert.equal(words(TEST).length, 1);
});

test('a replay while an attempt is under way waits for its end, and then updates', async () => {
  relay = await startRelay(config(slack('alerts', TEST, 'timeout: 10s')));
  sandbox.slack.faults.inject({ kind: 'slow', times: 1, ms: 600_000, path: 'chat.postMessage' });
  const met = once(sandbox.slack.faults, 'change');
  await post(relay, said('Once'));
  await met;
  await verb('replay', 'e1', '--yes');
  sandbox.slack.faults.hurry();
  while (relay.log.count('delivery.attempted') < 2) await once(relay.log, 'line');
  const [message, ...more] = sandbox.slack.messages(TEST);
  assert.deepEqual(more, []);
  assert.ok(message?.edited, 'it was updated');
});

test('a channel that is repointed from test to live gets each message once, and the test channel keeps its own', async () => {
  relay = await startRelay(config(slack()));
  await post(relay, said('First in test'));
  await attempted(relay.log, 'delivered');
  await writeFile(relay.file, config(slack('alerts', LIVE)));
  assert.equal(await relay.app.reload(), true);
  for (let replays = 1; replays <= 2; replays += 1) {
    await verb('replay', 'e1', '--yes');
    while (relay.log.count('delivery.attempted') < 1 + replays) await once(relay.log, 'line');
  }
  assert.deepEqual([words(TEST).length, words(LIVE).length], [1, 1]);
});

test('a destination that is renamed while in doubt is known by its old name at the services', async () => {
  const sink = await Sink.start();
  try {
    const hook = (name: string) => `  ${name}: { connector: webhook, url: "${sink.url}", ${PATIENT} }\n`;
    relay = await startRelay(config(slack() + hook('hook'), '[alerts, hook]'));
    sandbox.slack.faults.inject({ kind: 'reset-after-write', times: 1, path: 'chat.postMessage' });
    sink.answer = (_request, response) => response.destroy();
    await post(relay, said('Renamed'));
    await attempted(relay.log, 'pending');
    await attempted(relay.log, 'pending', 'hook');
    sink.answer = (_request, response) => response.writeHead(204).end();
    const renamed = (slack('news') + hook('crm'))
      .replace('news: {', 'news: { renamed_from: alerts,')
      .replace('crm: {', 'crm: { renamed_from: hook,');
    await writeFile(relay.file, config(renamed, '[news, crm]'));
    assert.equal(await relay.app.reload(), true);
    await verb('retry', 'd1', 'd2');
    await attempted(relay.log, 'delivered', 'news', { earlier_try: 'found' });
    await attempted(relay.log, 'delivered', 'crm');
    assert.equal(words(TEST).length, 1);
    assert.equal(new Set(sink.requests.map(({ headers }) => headers['webhook-id'])).size, 1);
    // And so it stays, whatever else is sent again.
    await verb('replay', 'e1', '--yes');
    while (relay.log.count('delivery.attempted') < 6) await once(relay.log, 'line');
    assert.equal(words(TEST).length, 1);
    assert.equal(new Set(sink.requests.map(({ headers }) => headers['webhook-id'])).size, 1);
  } finally {
    await sink.close();
  }
});

test('what was deleted at the service in the meantime is made anew, once; --new posts anew what is there', async () => {
  relay = await startRelay(config(slack()));
  await post(relay, said('Deleted'));
  await attempted(relay.log, 'delivered');
  sandbox.slack.deleteMessage(TEST, sandbox.slack.messages(TEST)[0]?.ts ?? '');
  const replayed = async (...more: string[]) => {
    const before = relay?.log.count('delivery.attempted') ?? 0;
    await verb('replay', 'e1', '--yes', ...more);
    while ((relay?.log.count('delivery.attempted') ?? 0) === before) await once(relay?.log as LogLines, 'line');
    return words(TEST).length;
  };
  assert.deepEqual([await replayed(), await replayed()], [1, 1]);
  assert.deepEqual([await replayed('--new'), await replayed()], [2, 2]);
});

test('a token that cannot look posts again, and the delivery says so with its fix', async () => {
  relay = await startRelay(config(slack('alerts', TEST, PATIENT.replace('1h', '10ms'))));
  sandbox.slack.tokens.get(SLACK_TOKEN)?.scopes.delete('channels:history');
  sandbox.slack.faults.inject({ kind: 'reset-after-write', times: 1, path: 'chat.postMessage' });
  await post(relay, said('Perhaps twice'));
  await attempted(relay.log, 'delivered', 'alerts', { earlier_try: 'unseen' });
  assert.equal(words(TEST).length, 2);
  const shown = await verb('deliveries', 'd1');
  assert.match(shown, /twice/);
  assert.match(shown, /channels:history/);
});

test('an interview that nobody could deliver is given up, and its doubt waits for the next one', async () => {
  relay = await startRelay(config(slack('alerts', TEST, PATIENT.replace('[1h]', '[]'))));
  sandbox.slack.faults.inject({ kind: 'reset-after-write', times: 1, path: 'chat.postMessage' });
  await post(relay, said('The first title'));
  await attempted(relay.log, 'failed');
  await verb('discard', 'd1');
  await verb('replay', 'e1', '--yes');
  await attempted(relay.log, 'delivered', 'alerts', { earlier_try: 'found' });
  assert.equal(words(TEST).length, 1);
});

test('a batch of rows of which some landed writes only the rest, also after a crash', async (t) => {
  const tracker = `  tracker: { connector: google-sheets, access_token: ${SHEETS_TOKEN}, spreadsheet: ${SHEETS_SPREADSHEET}, api_url: "${sandbox.apiUrl.sheets}", timeout: 1s, settles: 1s, pace: { calls: 1000, per: 1s } }\n`;
  const folder = await makeFolder(t, { 'config.yaml': config(tracker, 'tracker') });
  const first = await spawnRelay(folder);
  await post(first, said('Before', { id: 'int_before' }));
  await attempted(first.log, 'delivered', 'tracker');
  sandbox.sheets.faults.inject({ kind: 'slow', times: 1, ms: 600_000, path: ':append' });
  const met = once(sandbox.sheets.faults, 'change');
  const ids = Array.from({ length: 20 }, (_, n) => `int_${n}`);
  await Promise.all(ids.map((id) => post(first, said('A batch', { id }))));
  await met;
  await first.kill('SIGKILL');
  sandbox.sheets.faults.hurry();
  const second = await spawnRelay(folder);
  t.after(() => second.kill('SIGKILL'));
  await Promise.all(ids.map((id) => attempted(second.log, 'delivered', 'tracker', { subject: id })));
  const [header = [], ...rows] = sandbox.sheets.tab('Interviews')?.rows() ?? [];
  const keys = rows.map((row) => row[header.indexOf('Interview ID')]);
  assert.deepEqual(keys.toSorted(), ['int_before', ...ids].toSorted());
});

test('lines of a file are neither lost nor doubled when the relay is killed again and again', async (t) => {
  const archive = '  archive: { connector: file, path: ./archive.jsonl }\n';
  const folder = await makeFolder(t, { 'config.yaml': config(archive, 'archive') });
  const ids = Array.from({ length: 60 }, (_, n) => `int_${n}`);
  let last = await spawnRelay(folder);
  t.after(() => last.kill('SIGKILL'));
  for (let from = 0; from < ids.length; from += 20) {
    const posts = ids.slice(from, from + 20).map((id) => post(last, said('A line', { id }), `msg_${id}`));
    await Promise.allSettled(posts);
    await last.kill('SIGKILL');
    last = await spawnRelay(folder);
  }
  const store = await openStore(await storeIn(folder));
  t.after(() => store.close());
  while ((await store.backlog()).length > 0) await once(last.log, 'line');
  const lines = (await readFile(`${folder}/archive.jsonl`, 'utf8')).trim().split('\n');
  // A line that was cut short was ended before another interview's, and is there whole as well.
  const isTorn = (line: string, next = '') =>
    !next.startsWith(line) && lines.some((other) => other !== line && other.startsWith(line));
  const found = lines.flatMap((line, index) =>
    isTorn(line, lines[index + 1]) ? [] : JSON.parse(line).event.interview.id,
  );
  assert.deepEqual(found.toSorted(), ids.toSorted());
});

test('a webhook is told of every event, also of an older one that comes after a newer one', async () => {
  const sink = await Sink.start();
  try {
    relay = await startRelay(config(`  hook: { connector: webhook, url: "${sink.url}", ${PATIENT} }\n`, 'hook'));
    sink.answer = (_request, response) => response.writeHead(500).end();
    await post(relay, said('The older one'));
    await attempted(relay.log, 'pending', 'hook');
    sink.answer = (_request, response) => response.writeHead(204).end();
    const { body } = await post(relay, said('The newer one'));
    await attempted(relay.log, 'delivered', 'hook', { event: body.event });
    await verb('retry', 'd1');
    await attempted(relay.log, 'delivered', 'hook', { delivery: 'd1' });
    assert.deepEqual(
      sink.requests.map(({ body: told }) => JSON.parse(told).study.title),
      ['The older one', 'The newer one', 'The older one'],
    );
  } finally {
    await sink.close();
  }
});

test('a place that the config names otherwise is the same place: what stands there is updated', async () => {
  const at = (place: string, tab: string) =>
    `  library: { connector: notion, token: ntn_once, ${place}, api_url: "${sandbox.apiUrl.notion}", ${PATIENT} }
  tracker: { connector: google-sheets, access_token: ${SHEETS_TOKEN}, spreadsheet: ${SHEETS_SPREADSHEET}, tab: ${tab}, api_url: "${sandbox.apiUrl.sheets}", ${PATIENT} }
`;
  const { database, dataSource } = sandbox.notion;
  relay = await startRelay(config(at(`database: ${database}`, 'Interviews'), '[library, tracker]'));
  await post(relay, said('Named twice'));
  await Promise.all(['library', 'tracker'].map((name) => attempted(relay?.log as LogLines, 'delivered', name)));
  await writeFile(relay.file, config(at(`data_source: ${dataSource}`, 'INTERVIEWS'), '[library, tracker]'));
  assert.equal(await relay.app.reload(), true);
  await verb('replay', 'e1', '--yes');
  while (relay.log.count('delivery.attempted') < 4) await once(relay.log, 'line');
  assert.equal(sandbox.notion.pages().length, 1);
  assert.equal(sandbox.sheets.tab('Interviews')?.rows().length, 2);
});

test('a service that has asked to be left alone is not asked by check --live either', async () => {
  relay = await startRelay(config(slack()));
  let early = 0;
  sandbox.slack.faults.on('early', () => {
    early += 1;
  });
  sandbox.slack.faults.inject({ kind: '429', times: 1, retryAfter: 600, path: 'chat.postMessage' });
  await post(relay, said('Too many'));
  await attempted(relay.log, 'pending', 'alerts', { reason: 'rate_limited' });
  assert.match(await verb('check', '--live'), /alerts: its service has asked to be left alone for another \d+ s/);
  assert.equal(early, 0);
});
