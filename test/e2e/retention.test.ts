import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, test } from 'node:test';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';
import { SHEETS_SPREADSHEET, SHEETS_TOKEN } from '../../src/sandbox/sheets.ts';
import { SLACK_TOKEN } from '../../src/sandbox/slack.ts';
import { makePayload } from '../support/item.ts';
import { ageEvents, configText, post, type RunningRelay, Sink, startRelay } from '../support/relay.ts';
import { runVerb } from '../support/verb.ts';

const CHANNEL = 'C0123456789';
const DAY = 86_400_000;

let sandbox: Sandbox;
let sink: Sink;
let relay: RunningRelay;

beforeEach(async () => {
  sandbox = await startSandbox();
  sandbox.slack.enforcePace = false;
  sandbox.sheets.perMinute = Number.POSITIVE_INFINITY;
  sink = await Sink.start();
});
afterEach(async () => {
  await relay.stop();
  await sink.close();
  await sandbox.close();
});

function config(retention: string): string {
  const { slack, sheets } = sandbox.apiUrl;
  return configText(`${retention}
destinations:
  slack: { connector: slack, token: ${SLACK_TOKEN}, channel: ${CHANNEL}, api_url: "${slack}" }
  sheets: { connector: google-sheets, access_token: ${SHEETS_TOKEN}, spreadsheet: ${SHEETS_SPREADSHEET}, api_url: "${sheets}" }
  hook: { connector: webhook, url: "${sink.url}", retry: [1h] }
routes:
  - { name: all, to: [slack, sheets, hook] }
`);
}

const said = (id: string, title: string) => makePayload({ study: { title }, interview: { id } });

/** How the delivery of an event to a destination ended for now. */
function attempted(event: string | undefined, destination: string, state: string) {
  return relay.log.step(
    'delivery.attempted',
    (line) => line.event === event && line.destination === destination && line.state === state,
  );
}

async function everywhere(event: string | undefined, hook = 'delivered'): Promise<void> {
  await Promise.all([
    attempted(event, 'slack', 'delivered'),
    attempted(event, 'sheets', 'delivered'),
    attempted(event, 'hook', hook),
  ]);
}

const messages = () => sandbox.slack.messages(CHANNEL).map(({ blocks }) => JSON.stringify(blocks));
const rows = () => sandbox.sheets.tab('Interviews')?.rows() ?? [];

test('old events are removed while the relay serves; what is known of them keeps everything once', async () => {
  // An interview of each fate at the hook, by its answer.
  const answers: Record<string, number> = { int_bad: 400, int_waits: 503 };
  sink.answer = ({ body }, response) => response.writeHead(answers[JSON.parse(body).interview.id] ?? 204).end();
  relay = await startRelay(config(''), { retentionDelay: 0 });
  const old = await post(relay, said('int_old', 'First title'));
  const failed = await post(relay, said('int_bad', 'Bad title'));
  const waits = await post(relay, said('int_waits', 'Late title'));
  await everywhere(old.body.event);
  await everywhere(failed.body.event, 'failed');
  await everywhere(waits.body.event, 'pending');
  await ageEvents(relay, 40 * DAY);
  const recent = await post(relay, said('int_new', 'New title'));
  await everywhere(recent.body.event);

  await writeFile(relay.file, config('retention: 30d'));
  assert.equal(await relay.app.reload(), true);
  const pruned = await relay.log.step('events.pruned');
  assert.partialDeepStrictEqual(pruned, { events: 1, deliveries: 3, kept_failed: 1, kept_pending: 1 });
  const { store } = relay.app;
  const listed = await store.events({}, { limit: 10 });
  const gone = listed.filter(({ removedAt }) => removedAt !== undefined).map(({ id }) => id);
  assert.deepEqual(gone, [old.body.event]);
  const shown = await store.event(old.body.event ?? '');
  assert.deepEqual([shown?.body.length, shown?.damage], [0, undefined], 'also where bodies are remembered');
  const metrics = await (await fetch(`${relay.url}/metrics`)).text();
  assert.match(metrics, /^relay_events_pruned_total 1$/m);
  assert.match(metrics, /^relay_events_unpruned 1$/m);

  const again = await post(relay, said('int_old', 'First title'), old.id);
  assert.deepEqual([again.status, again.body], [200, { event: old.body.event, deliveries: 0 }]);
  const resent = await post(relay, said('int_old', 'Second title'));
  assert.equal(resent.status, 202);
  await everywhere(resent.body.event);
  assert.equal(messages().length, 4);
  assert.equal(messages().filter((text) => text.includes('Second title')).length, 1);
  assert.equal(messages().filter((text) => text.includes('First title')).length, 0);
  assert.equal(rows().length, 5, 'a head, and a row for each interview');

  answers.int_bad = 204;
  const { code, err } = await runVerb(['retry', '--destination', 'hook', '--yes'], { cwd: relay.folder });
  assert.equal(code, 0, err);
  await attempted(failed.body.event, 'hook', 'delivered');
});
