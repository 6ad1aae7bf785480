import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePayload } from '../../src/payload.ts';
import { SAMPLE_COUNT, sampleInterview } from '../../src/sandbox/samples.ts';

const samples = Array.from({ length: SAMPLE_COUNT }, (_, n) => sampleInterview(n));
const words = (n: number) => String(sampleInterview(n).interview.transcript);

test('a number gives the same interview at every call, and each number another one', () => {
  assert.deepEqual(sampleInterview(3), sampleInterview(3));
  const ids = Array.from({ length: SAMPLE_COUNT * 3 }, (_, n) => sampleInterview(n).interview.id);
  assert.equal(new Set(ids).size, ids.length);
  assert.throws(() => sampleInterview(-1), RangeError);
  assert.throws(() => sampleInterview(0.5), RangeError);
});

test('each is an event as Versive documents it', () => {
  for (const sample of samples) assert.ok(parsePayload(JSON.stringify(sample)).payload);
});

test('there are at least a dozen, of several studies and plans, and no two say the same', () => {
  assert.ok(SAMPLE_COUNT >= 12);
  assert.ok(new Set(samples.map(({ study }) => study.id)).size >= 4);
  assert.ok(new Set(samples.map(({ interview }) => (interview.metadata as { plan: string }).plan)).size >= 4);
  assert.equal(new Set(samples.map(({ interview }) => interview.transcript)).size, SAMPLE_COUNT);
  assert.equal(new Set(samples.map(({ interview }) => interview.vid)).size, SAMPLE_COUNT);
});

test('the traps of the payload are all there', () => {
  const some = (fits: (interview: (typeof samples)[number]['interview']) => boolean) =>
    assert.ok(
      samples.some(({ interview }) => fits(interview)),
      fits.toString(),
    );
  some(({ recording_url }) => recording_url === null);
  some((interview) => !('started_at' in interview) && !('ended_at' in interview));
  some(({ parsed_conversation_json: turns }) => !Array.isArray(turns) && JSON.stringify(turns) === '{}');
  some(({ parsed_conversation_json: turns }) => Array.isArray(turns) && turns.length > 300);
  some(({ is_mock }) => is_mock === true);
  some(({ transcript }) => String(transcript).length > 20_000);
  some(({ active_time }) => Number(active_time) < 120);
  some(({ transcript }) => /\p{Script=Hiragana}/u.test(String(transcript)));
  some(({ transcript }) => /\p{Extended_Pictographic}/u.test(String(transcript)));
  const hostile = samples.map((_, n) => words(n)).find((text) => text.includes('<!channel>')) ?? '';
  for (const danger of ['<@U123>', '=IMPORTXML(', '<script>', '**bold**', '{{ interview'])
    assert.ok(hostile.includes(danger));
});

test('an id and a time of its own make a sample a new interview of today', () => {
  const endedAt = new Date('2027-03-01T10:00:00Z');
  const { interview } = sampleInterview(0, { id: 'fresh', endedAt });
  assert.equal(interview.id, 'fresh');
  assert.equal(interview.ended_at, '2027-03-01T10:00:00Z');
  assert.ok(String(interview.started_at) < String(interview.ended_at));
  assert.equal(interview.transcript, words(0));
});
