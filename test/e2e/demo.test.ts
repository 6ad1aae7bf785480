import assert from 'node:assert/strict';
import { test } from 'node:test';
import { spawnVerb } from '../support/verb.ts';

test('demo --once sends the samples, waits until all is delivered, sums up, and exits 0', async () => {
  const { code, out, err } = await spawnVerb(['demo', '--once']);
  assert.equal(code, 0, err + out);
  for (const line of [
    /research-alerts +slack +[1-9]\d* +0 +0/,
    /interview-library +notion +[1-9]\d* +0 +0/,
    /tracker +google-sheets +[1-9]\d* +0 +0/,
    /Slack +#research-alerts +[1-9]\d* messages/,
    /Notion +Interview library +[1-9]\d* pages/,
    /Google Sheets +Interview tracker, Interviews +[1-9]\d* rows/,
  ]) {
    assert.match(out, line);
  }
});
