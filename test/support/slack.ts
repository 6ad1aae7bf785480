import type { TestContext } from 'node:test';
import Fastify from 'fastify';
import slack from '../../connectors/slack.ts';
import type { Attempt, Context, Item, JsonObject } from '../../src/connector.ts';
import { SLACK_TOKEN, SlackStandIn } from '../../src/sandbox/slack.ts';
import { openDestination } from './destination.ts';
import { makeItem } from './item.ts';

export const CHANNEL = 'C0123456789';

/** The stand-in behind a server of its own. */
export async function startSlack() {
  const standIn = new SlackStandIn();
  const app = Fastify({ forceCloseConnections: true });
  standIn.faults.install(app);
  standIn.routes(app);
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const options: JsonObject = { token: SLACK_TOKEN, channel: CHANNEL, api_url: `${url}/` };
  return { standIn, options, url: `${url}/`, messages: () => standIn.messages(CHANNEL), close: () => app.close() };
}

export const attempt: Attempt = { number: 1, signal: new AbortController().signal, checkpoint: async () => {} };

/** A stand-in of its own, closed after the test. */
export async function scene(t: TestContext) {
  const started = await startSlack();
  t.after(started.close);
  const open = (extra: JsonObject = {}, context?: Partial<Context>) =>
    openDestination(slack, { ...started.options, ...extra }, context);
  const deliver = (item: Item = makeItem(), extra: JsonObject = {}) => open(extra).deliver(item, attempt);
  return { ...started, open, deliver };
}

/** A section block. */
export const section = (text: string): JsonObject => ({ type: 'section', text: { type: 'mrkdwn', text } });
