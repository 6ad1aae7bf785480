import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import type { JsonObject } from '../../src/model.ts';
import { fillEvent, SAMPLE_EVENT } from '../../src/sample.ts';

test('what is given is laid over the sample: maps field by field, lists whole, null as null', () => {
  const sample = structuredClone(SAMPLE_EVENT);
  const filled = fillEvent({
    interview: { active_time: 5, recording_url: null, metadata: { plan: 'pro' }, parsed_conversation_json: [] },
    study: { title: { odd: true } },
    extra: { kept: [1] },
  });
  const { interview, study } = SAMPLE_EVENT as Record<string, JsonObject>;
  assert.deepEqual(filled, {
    event_type: 'interview.completed',
    interview: {
      ...interview,
      active_time: 5,
      recording_url: null,
      metadata: { plan: 'pro' },
      parsed_conversation_json: [],
    },
    study: { ...study, title: { odd: true } },
    extra: { kept: [1] },
  });
  assert.deepEqual(SAMPLE_EVENT, sample, 'the sample itself stays as it is');
  assert.equal(fillEvent({ interview: null }).interview, null);
  assert.deepEqual(fillEvent({}), SAMPLE_EVENT);
});

test('docs/configuration.md shows the sample', async () => {
  const docs = await readFile(path.join(import.meta.dirname, '../../docs/configuration.md'), 'utf8');
  const shown = parse(/```yaml\n(event_type:[\s\S]*?)```/.exec(docs)?.[1] ?? '');
  const { interview, ...rest } = SAMPLE_EVENT;
  const { transcript: _, parsed_conversation_json: __, ...fields } = interview as JsonObject;
  assert.deepEqual(shown, { ...rest, interview: fields });
});
