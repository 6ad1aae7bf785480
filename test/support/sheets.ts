import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import Fastify from 'fastify';
import googleSheets from '../../connectors/google-sheets.ts';
import type { Attempt, Context, Item, JsonObject, JsonValue, Receipt } from '../../src/connector.ts';
import type { Outcome, Sighting } from '../../src/outcome.ts';
import type { Tab } from '../../src/sandbox/sheets/tab.ts';
import { SHEETS_ACCOUNT, SHEETS_SPREADSHEET, SHEETS_TOKEN, SheetsStandIn } from '../../src/sandbox/sheets.ts';
import { openDestination } from './destination.ts';
import { makeItem, makePayload } from './item.ts';

/** The columns of `scene`. */
export const COLUMNS = {
  'Interview ID': '{{ interview.id }}',
  Study: '{{ study.title }}',
  Note: '{{ interview.metadata.note }}',
};

/** The stand-in behind a server of its own, under a path as a proxy may have. */
export async function startSheets() {
  const standIn = new SheetsStandIn();
  const app = Fastify({ forceCloseConnections: true, routerOptions: { maxParamLength: 5000 } });
  await app.register(
    async (scope) => {
      standIn.faults.install(scope);
      standIn.routes(scope);
    },
    { prefix: '/sheets' },
  );
  const url = `${await app.listen({ host: '127.0.0.1', port: 0 })}/sheets`;
  const options: JsonObject = { access_token: SHEETS_TOKEN, spreadsheet: SHEETS_SPREADSHEET, api_url: url };
  const credentials = () => standIn.accounts.keyFile(SHEETS_ACCOUNT, `${url}/token`);
  const rows = () => standIn.tab('Interviews')?.rows() ?? [];
  return { standIn, url, options, credentials, rows, close: () => app.close() };
}

export const attempt: Attempt = { number: 1, signal: new AbortController().signal, checkpoint: async () => {} };

/** A stand-in of its own, closed after the test, and what a destination with three columns does to it. */
export async function scene(t: TestContext) {
  const started = await startSheets();
  t.after(started.close);
  const open = (extra: JsonObject = {}, context?: Partial<Context>) =>
    openDestination(googleSheets, { ...started.options, columns: COLUMNS, ...extra }, context);
  const deliver = async (items: Item[], extra: JsonObject = {}) => {
    const destination = open(extra);
    assert.ok(destination.deliverMany);
    return destination.deliverMany(items, attempt);
  };
  /** Looks for earlier tries through a destination of its own, as after a restart. */
  const find = async (items: Item[], extra: JsonObject = {}): Promise<Sighting[]> => {
    const sightings = await open(extra).find?.(items, attempt);
    assert.equal(sightings?.length, items.length);
    return sightings ?? [];
  };
  /** How often each interview has a row, by its id. */
  const rowsById = (column = 0): Record<string, number> => {
    const ids = started.rows().slice(1);
    const counted = Map.groupBy(ids, (row) => String(row[column] ?? ''));
    return Object.fromEntries([...counted].map(([id, rows]) => [id, rows.length]));
  };
  /** Puts a tab there, as the team made it. */
  const draw = (rows: JsonValue[][], title = 'Interviews'): Tab => {
    const spreadsheet = started.standIn.spreadsheets.get(SHEETS_SPREADSHEET);
    spreadsheet?.batchUpdate([{ addSheet: { properties: { title } } }]);
    const tab = started.standIn.tab(title);
    assert.ok(tab);
    tab.write(0, 0, rows, 'RAW');
    return tab;
  };
  return { ...started, open, deliver, find, rowsById, draw };
}

/** An item whose note is its metadata's. */
export function interview(id: string, note: JsonValue = `note of ${id}`): Item {
  return makeItem(makePayload({ interview: { id, metadata: { note } }, study: { title: 'Checkout' } }));
}

/** The item of a replay: with the receipt of a delivery before it. */
export function again(item: Item, outcome: Outcome | undefined, note?: JsonValue): Item {
  return { ...interview(item.identity.subject, note), receipt: receiptOf(outcome) };
}

export function receiptOf(outcome: Outcome | undefined) {
  assert.ok(outcome?.kind === 'delivered', JSON.stringify(outcome));
  return outcome.receipt;
}

export function foundOf(sighting: Sighting | undefined): Receipt {
  assert.ok(sighting?.kind === 'found', JSON.stringify(sighting));
  return sighting.receipt;
}

export function haltOf(outcome: Outcome | Sighting | undefined) {
  assert.ok(outcome?.kind === 'halt', JSON.stringify(outcome));
  return outcome;
}
