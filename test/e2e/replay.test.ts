import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, test } from 'node:test';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';
import { SHEETS_SPREADSHEET, SHEETS_TOKEN } from '../../src/sandbox/sheets.ts';
import { SLACK_TOKEN } from '../../src/sandbox/slack.ts';
import { configText, interview, post, type RunningRelay, Sink, startRelay } from '../support/relay.ts';
import { isAgain } from '../support/stores.ts';
import { runVerb } from '../support/verb.ts';

const EVENTS = isAgain() ? 300 : 1000;
const CHANNEL = 'C0123456789';

let sandbox: Sandbox;
let sink: Sink;
let relay: RunningRelay;

beforeEach(async () => {
  sandbox = await startSandbox();
  // A thousand messages a second each would take a quarter of an hour.
  sandbox.slack.enforcePace = false;
  sandbox.sheets.perMinute = Number.POSITIVE_INFINITY;
  sandbox.notion.callsPerMinute = Number.POSITIVE_INFINITY;
  sink = await Sink.start();
});
afterEach(async () => {
  await relay.stop();
  await sink.close();
  await sandbox.close();
});

function config(message = ''): string {
  const { slack, notion, sheets } = sandbox.apiUrl;
  const fast = 'pace: { calls: 10000, per: 1s }';
  return configText(`destinations:
  slack: { connector: slack, token: ${SLACK_TOKEN}, channel: ${CHANNEL}, api_url: "${slack}", ${fast}${message} }
  notion: { connector: notion, token: ntn_replay, data_source: "${sandbox.notion.dataSource}", api_url: "${notion}", ${fast} }
  sheets: { connector: google-sheets, access_token: ${SHEETS_TOKEN}, spreadsheet: ${SHEETS_SPREADSHEET}, api_url: "${sheets}", ${fast} }
  hook: { connector: webhook, url: "${sink.url}", ${fast} }
  archive: { connector: file, path: ./archive.jsonl }
routes:
  - { name: everywhere, to: [slack, notion, sheets, hook, archive] }
`);
}

async function settled(): Promise<void> {
  const { app, log } = relay;
  while ((await app.store.backlog()).length > 0) await once(log, 'line');
  assert.deepEqual(await app.store.deliveries({ state: 'failed' }, { limit: 1 }), []);
}

/** All that the services hold, without the times of edits. */
async function world() {
  const { slack, notion, sheets } = sandbox;
  return {
    slack: slack.messages(CHANNEL).map(({ ts, text, blocks, metadata }) => ({ ts, text, blocks, metadata })),
    notion: notion.pages().map(({ id, values, children }) => ({ id, values: [...values], children })),
    sheets: sheets.tab('Interviews')?.rows(),
    hook: [...new Set(sink.requests.map(({ headers }) => headers['webhook-id']))],
    archive: await readFile(`${relay.folder}/archive.jsonl`, 'utf8'),
  };
}

async function replayAll(): Promise<void> {
  const { code, out, err } = await runVerb(['replay', '--since', '1d', '--yes'], { cwd: relay.folder });
  assert.equal(code, 0, err);
  assert.match(out, new RegExp(`${5 * EVENTS} deliveries of ${EVENTS} events`));
  await settled();
}

test(`a replay of ${EVENTS} events changes nothing but what a new template changes`, async () => {
  relay = await startRelay(config());
  for (let from = 0; from < EVENTS; from += 50) {
    await Promise.all(Array.from({ length: 50 }, (_, n) => post(relay, interview(`int_${from + n}`))));
  }
  await settled();
  const before = await world();
  assert.equal(before.slack.length, EVENTS);
  assert.equal(before.notion.length, EVENTS);
  assert.equal(before.sheets?.length, EVENTS + 1);
  assert.equal(before.hook.length, EVENTS);

  await replayAll();
  assert.deepEqual(await world(), before);
  assert.equal(sink.requests.length, 2 * EVENTS, 'the webhook was told again, by the same ids');

  await writeFile(relay.file, config(', message: "Now {{ interview.id }}"'));
  assert.equal(await relay.app.reload(), true);
  await replayAll();
  const after = await world();
  assert.deepEqual(
    after.slack.map(({ text }) => text).toSorted(),
    before.slack.map(({ metadata }) => `Now ${metadata?.event_payload.subject}`).toSorted(),
  );
  assert.deepEqual(
    after.slack.map(({ ts }) => ts),
    before.slack.map(({ ts }) => ts),
  );
  assert.deepEqual({ ...after, slack: [] }, { ...before, slack: [] });
});
