import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import type { Payload } from '../../src/model.ts';
import { sampleInterview } from '../../src/sandbox/samples.ts';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';
import { SHEETS_SPREADSHEET, SHEETS_TOKEN } from '../../src/sandbox/sheets.ts';
import { SLACK_TOKEN } from '../../src/sandbox/slack.ts';
import { configText, post, type RunningRelay, startRelay } from '../support/relay.ts';
import { SIGNING_SECRET } from '../support/signing.ts';
import { runVerb } from '../support/verb.ts';

const NOTION_TOKEN = 'ntn_for_this_test_alone';

let sandbox: Sandbox;
let relay: RunningRelay;

beforeEach(async () => {
  sandbox = await startSandbox();
});
afterEach(async () => {
  await relay.stop();
  await sandbox.close();
});

function everywhere(more = ''): string {
  const { slack, notion, sheets } = sandbox.apiUrl;
  return configText(`destinations:
  alerts: { connector: slack, token: ${SLACK_TOKEN}, channel: C0123456789, api_url: "${slack}", retry: [100ms, 100ms] }
  ops: { connector: slack, token: ${SLACK_TOKEN}, channel: C0987654321, api_url: "${slack}" }
  library: { connector: notion, token: ${NOTION_TOKEN}, data_source: "${sandbox.notion.dataSource}", api_url: "${notion}", retry: [100ms, 100ms] }
  tracker: { connector: google-sheets, access_token: ${SHEETS_TOKEN}, spreadsheet: ${SHEETS_SPREADSHEET}, api_url: "${sheets}", retry: [100ms, 100ms] }
routes:
  - { name: everywhere, to: [alerts, library, tracker] }
${more}`);
}

const delivered = (destination: string, event: string | undefined) =>
  relay.log.step(
    'delivery.attempted',
    (line) => line.destination === destination && line.event === event && line.state === 'delivered',
  );

async function deliveredEverywhere(payload: Payload): Promise<void> {
  const { body } = await post(relay, payload);
  await Promise.all(['alerts', 'library', 'tracker'].map((destination) => delivered(destination, body.event)));
}

const rows = () => sandbox.sheets.tab('Interviews')?.rows() ?? [];

test('a signed interview arrives as a Slack message, a Notion page and a Sheets row', async () => {
  relay = await startRelay(everywhere());
  const payload = sampleInterview(1);
  await deliveredEverywhere(payload);

  const [message] = sandbox.slack.messages('C0123456789');
  assert.ok(JSON.stringify(message?.blocks).includes(String(payload.study.title)));
  const [page] = sandbox.notion.pages();
  assert.ok(page);
  const turns = payload.interview.parsed_conversation_json as { content: string }[];
  for (const { content } of turns)
    assert.ok(sandbox.notion.text(page).includes(content.slice(0, 40)), 'the transcript is whole');
  assert.equal(rows().length, 2, 'a header and a row');
  assert.ok(rows()[1]?.includes(payload.interview.id));
});

test('an interview that Versive sends again updates what is there', async () => {
  relay = await startRelay(everywhere());
  const payload = sampleInterview(1);
  await deliveredEverywhere(payload);
  await deliveredEverywhere({ ...payload, study: { ...payload.study, title: 'A study renamed' } });

  assert.equal(sandbox.slack.messages('C0123456789').length, 1);
  assert.ok(JSON.stringify(sandbox.slack.messages('C0123456789')).includes('A study renamed'));
  assert.equal(sandbox.notion.pages().length, 1);
  assert.equal(rows().length, 2);
  assert.ok(rows()[1]?.includes('A study renamed'));
});

test('an older event that is tried again after a newer one does not bring its words back', async () => {
  relay = await startRelay(everywhere().replaceAll('[100ms, 100ms]', '[1h]'));
  const payload = sampleInterview(1);
  // The first event fails and waits for an hour; the second passes it by.
  sandbox.slack.faults.inject({ kind: '500', times: 1, path: 'chat.postMessage' });
  const { body: old } = await post(relay, payload);
  await relay.log.step(
    'delivery.attempted',
    ({ destination, state }) => destination === 'alerts' && state === 'pending',
  );
  const { body: newer } = await post(relay, { ...payload, study: { ...payload.study, title: 'The newer title' } });
  await delivered('alerts', newer.event);
  assert.equal(relay.log.count('delivery.superseded'), 0);
  const resumed = await runVerb(['resume', 'alerts'], { cwd: relay.folder });
  assert.equal(resumed.code, 0, resumed.err);
  await relay.log.step('delivery.superseded', ({ event }) => event === old.event);
  const messages = JSON.stringify(sandbox.slack.messages('C0123456789'));
  assert.ok(messages.includes('The newer title'));
  assert.equal(sandbox.slack.messages('C0123456789').length, 1);
});

test('each service may fail in each way, and everything arrives', async () => {
  relay = await startRelay(everywhere());
  for (const standIn of [sandbox.slack, sandbox.notion, sandbox.sheets]) {
    standIn.faults.inject({ kind: '429', times: 1, retryAfter: 1 });
    standIn.faults.inject({ kind: '500', times: 1 });
    standIn.faults.inject({ kind: 'reset', times: 1 });
  }
  for (let n = 1; n <= 3; n += 1) await deliveredEverywhere(sampleInterview(n));
  assert.ok(sandbox.slack.messages('C0123456789').length >= 3);
  assert.ok(sandbox.notion.pages().length >= 3);
  assert.ok(rows().length >= 4);
});

test('on_failure is told, in one message, and the lane waits', async () => {
  relay = await startRelay(everywhere('on_failure: [ops]\n'));
  const channel = sandbox.slack.channels.get('C0123456789');
  assert.ok(channel);
  channel.isArchived = true;
  await post(relay, sampleInterview(1));
  await relay.log.step('lane.halted', ({ destination }) => destination === 'alerts');
  await post(relay, 'not what Versive documents');
  const { app } = relay;
  await app.stop();
  const messages = sandbox.slack.messages('C0987654321');
  assert.equal(messages.length, 1);
  const words = JSON.stringify(messages[0]);
  assert.match(words, /1 halted destination, 1 quarantined event/);
  assert.match(words, /alerts is halted/);
  assert.match(words, /is_archived/);
});

test('no log line holds a secret or anything that a participant said', async () => {
  relay = await startRelay(everywhere());
  sandbox.slack.faults.inject({ kind: '500', times: 1 });
  const payload = sampleInterview(1);
  await deliveredEverywhere(payload);
  await fetch(`${relay.url}/webhooks/versive`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  });
  const lines = JSON.stringify(relay.log.all);
  for (const secret of [SLACK_TOKEN, NOTION_TOKEN, SHEETS_TOKEN, 'whsec_', SIGNING_SECRET.slice('whsec_'.length)]) {
    assert.ok(!lines.includes(secret), secret);
  }
  const turns = payload.interview.parsed_conversation_json as { content: string }[];
  for (const { content } of turns) assert.ok(!lines.includes(content.slice(0, 30)), content.slice(0, 30));
});
