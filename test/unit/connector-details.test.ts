import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import googleSheets from '../../connectors/google-sheets.ts';
import notion from '../../connectors/notion.ts';
import slack from '../../connectors/slack.ts';
import { scrubber, secretForms } from '../../src/config/secrets.ts';
import type { Attempt, Connector, JsonObject } from '../../src/connector.ts';
import { openDestination } from '../support/destination.ts';
import { makeItem } from '../support/item.ts';

const TOKEN = 'Qq7secret0token0of0forty0characters0long';
const attempt: Attempt = { number: 1, signal: new AbortController().signal, checkpoint: async () => {} };

interface Case {
  title: string;
  connector: Connector;
  options: JsonObject;
  /** What the service answers with these words in it. */
  answer(words: string): Response;
}

const json = (status: number, body: JsonObject) => Response.json(body, { status });
const sheets = { connector: googleSheets, options: { spreadsheet: 's'.repeat(44), tab: 'T', access_token: TOKEN } };
const cases: Case[] = [
  {
    title: 'slack',
    connector: slack,
    options: { token: TOKEN, channel: 'C0123456789' },
    answer: (words) => json(200, { ok: false, error: 'invalid_blocks', response_metadata: { messages: [words] } }),
  },
  {
    title: 'notion',
    connector: notion,
    options: { token: TOKEN, data_source: '0'.repeat(32) },
    answer: (words) => json(400, { object: 'error', status: 400, code: 'validation_error', message: words }),
  },
  {
    title: 'google-sheets',
    ...sheets,
    answer: (words) => json(400, { error: { code: 400, status: 'INVALID_ARGUMENT', message: words } }),
  },
  {
    title: 'google-sheets, for an unforeseen error',
    ...sheets,
    answer: (words) => {
      throw new Error(words);
    },
  },
];

describe('a service that repeats a secret, wherever in its words', () => {
  for (const { title, connector, options, answer } of cases) {
    it(`${title}: the relay finds it whole`, async () => {
      const scrub = scrubber(secretForms([TOKEN]));
      // Outcomes are cut to 500 after they are scrubbed; halves were left by cuts at 300, 500 and 1,000.
      for (let before = 240; before < 1000; before += 20) {
        const words = `${'x'.repeat(before)}=${TOKEN}&y`;
        const destination = openDestination(connector, options, { fetch: async () => answer(words) });
        const outcome = await destination.deliver(makeItem(), attempt);
        assert.ok(outcome.kind !== 'delivered' && outcome.detail.includes('xxx'), JSON.stringify(outcome));
        assert.doesNotMatch(scrub(outcome.detail), /Qq7/, `at ${before}`);
      }
    });
  }
});
