import assert from 'node:assert/strict';
import { after, before, beforeEach } from 'node:test';
import { inspect } from 'node:util';
import type { FastifyInstance } from 'fastify';
import Fastify from 'fastify';
import notion from '../../connectors/notion.ts';
import type { Attempt, Context, Destination, Item, JsonObject, Payload, Receipt } from '../../src/connector.ts';
import type { Outcome, Sighting } from '../../src/outcome.ts';
import { plainText } from '../../src/sandbox/notion/workspace.ts';
import { NotionStandIn } from '../../src/sandbox/notion.ts';
import { openDestination } from './destination.ts';
import { makeItem, makePayload } from './item.ts';

export const TOKEN = 'ntn_Qq7secret0token';

/** A stand-in without a pace, behind a server of its own. */
export async function startNotion(
  standIn = new NotionStandIn(),
): Promise<{ standIn: NotionStandIn; app: FastifyInstance; url: string }> {
  standIn.callsPerMinute = Number.POSITIVE_INFINITY;
  const app = Fastify({ bodyLimit: 50_000_000, forceCloseConnections: true });
  await app.register(
    async (scope) => {
      standIn.faults.install(scope);
      standIn.routes(scope);
    },
    { prefix: '/notion' },
  );
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  return { standIn, app, url: `${url}/notion/` };
}

/** A stand-in for the tests of a file, empty before each, and what a destination does to it. */
export function notionScene() {
  const standIn = new NotionStandIn();
  let app: FastifyInstance;
  let url: string;
  /** `METHOD /path` of every call. */
  const calls: string[] = [];
  /** Receipts in the order in which they were saved. */
  const saved: Receipt[] = [];

  before(async () => {
    ({ app, url } = await startNotion(standIn));
  });
  after(() => app.close());
  beforeEach(() => {
    standIn.workspace.pages.clear();
    standIn.faults.clear();
    calls.length = 0;
    saved.length = 0;
  });

  const counted: typeof fetch = (input, init) => {
    calls.push(`${init?.method} ${new URL(String(input)).pathname.replace('/notion/v1', '')}`);
    return fetch(input, init);
  };
  const attempt: Attempt = {
    number: 1,
    signal: new AbortController().signal,
    checkpoint: async (_item, receipt) => {
      saved.push(structuredClone(receipt));
    },
  };
  const open = (options: JsonObject = {}, context: Partial<Context> = {}): Destination => {
    const place = options.database === undefined ? { data_source: standIn.dataSource } : {};
    const all = { token: TOKEN, api_url: url, ...place, ...options };
    return openDestination(notion, all, { fetch: counted, ...context });
  };
  const deliver = (item: Item = makeItem(), destination = open()): Promise<Outcome> =>
    destination.deliver(item, attempt);
  /** What a destination sees of an item's earlier try. */
  const find = async (item: Item = makeItem(), destination = open()): Promise<Sighting> => {
    const [seen, ...more] = (await destination.find?.([item], attempt)) ?? [];
    assert.ok(seen && more.length === 0, 'one item, one sighting');
    return seen;
  };
  /** The item as it goes on once its page was found: with a receipt as the ledger would keep it. */
  const foundBy = async (item: Item, destination = open()): Promise<Item> => {
    const seen = await find(item, destination);
    assert.ok(seen.kind === 'found', inspect(seen));
    return { ...item, receipt: JSON.parse(JSON.stringify(seen.receipt)) };
  };
  /** A delivery whose page is created and whose answer is lost. */
  const loseAnswer = async (item: Item = makeItem(), destination = open()): Promise<void> => {
    // A page that is there is asked for first.
    if (item.receipt) standIn.faults.inject({ kind: 'slow', ms: 0, times: 1, path: '/v1/pages/' });
    standIn.faults.inject({ kind: 'reset-after-write', times: 1, path: '/v1/pages' });
    const outcome = await deliver(item, destination);
    assert.ok(outcome.kind === 'unknown', inspect(outcome));
  };
  const receiptOf = (outcome: Outcome): Receipt => {
    assert.ok(outcome.kind === 'delivered', inspect(outcome));
    return JSON.parse(JSON.stringify(outcome.receipt));
  };
  const onlyPage = (dataSource?: string) => {
    const [page, ...others] = standIn.pages(dataSource);
    assert.equal(others.length, 0, 'one page');
    assert.ok(page);
    return page;
  };
  /** Texts of the properties that are filled, by name. */
  const filled = (dataSource?: string) => {
    const { values } = onlyPage(dataSource);
    return Object.fromEntries([...values].map(([name, value]) => [name, plainText(value)]));
  };

  return {
    standIn,
    calls,
    saved,
    counted,
    attempt,
    open,
    deliver,
    find,
    foundBy,
    loseAnswer,
    receiptOf,
    onlyPage,
    filled,
  };
}

/** An interview of so many turns. */
export function withTurns(count: number, id = 'int_long'): Payload {
  return makePayload({ interview: { id, parsed_conversation_json: turnsOf(count), transcript: null } });
}

/** Turns whose texts tell their place: `#0`, `#1`, … */
function turnsOf(count: number): JsonObject[] {
  return Array.from({ length: count }, (_, index) => ({
    role: index % 2 === 0 ? 'assistant' : 'user',
    content: `#${index} ${'I would say that the second one was easier. '.repeat(1 + (index % 5))}`,
  }));
}

/** The places of the turns that a page tells, in its order. */
export function spoken(text: string): number[] {
  return [...text.matchAll(/^(?:Interviewer|Participant)\n#(\d+) /gm)].map(([, index]) => Number(index));
}

export function sequence(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
