import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import type { InterviewView } from '../../src/connector.ts';
import type { JsonObject, JsonValue, Payload } from '../../src/model.ts';
import { interviewView } from '../../src/render/interview.ts';
import { makePayload } from '../support/item.ts';

function viewOf(interview: JsonObject, study: JsonObject = {}, timezone = 'UTC'): InterviewView {
  return interviewView(makePayload({ interview, study }), timezone);
}

function spoken(interview: JsonObject): string[] {
  return viewOf({ parsed_conversation_json: {}, ...interview }).turns.map(({ speaker, text }) => `${speaker}: ${text}`);
}

suite('the view of an interview', () => {
  test('shows what a documented payload holds', () => {
    const view = interviewView(makePayload(), 'Europe/Berlin');
    const { turns, participantWords, quotes, ...facts } = view;
    assert.deepEqual(facts, {
      studyTitle: 'Checkout research',
      participant: 'participant-17',
      startedAt: new Date('2026-11-23T13:54:31Z'),
      endedAt: new Date('2026-11-23T14:04:00Z'),
      seconds: 569,
      duration: '9 m 29 s',
      when: '23 Nov 2026, 15:04',
      mode: 'Text and voice',
      metadata: [
        ['plan', 'enterprise'],
        ['seats', '40'],
      ],
      recordingUrl: 'https://recordings.example.com/int_0001.mp4',
      link: undefined,
      isMock: false,
    });
    assert.deepEqual(turns[1], { role: 'participant', speaker: 'Participant', text: 'Hello, happy to help.' });
    assert.match(participantWords, /^Hello, happy to help\.\n\nI love how fast/);
    assert.equal(quotes.length, 2);
  });

  test('has something to show where fields are missing', () => {
    const view = viewOf(
      { vid: null, started_at: null, ended_at: null, active_time: null, recording_url: null, metadata: null },
      { title: '  ', mode: null },
    );
    assert.equal(view.studyTitle, 'Untitled study');
    assert.equal(view.participant, 'int_0001');
    assert.equal(view.duration, '');
    assert.equal(view.when, '23 Nov 2026, 13:54');
    assert.equal(view.mode, '');
    assert.equal(view.recordingUrl, undefined);
    assert.deepEqual(view.metadata, []);
  });

  test('counts the seconds between start and end where no active time is told', () => {
    assert.equal(viewOf({ active_time: null }).duration, '9 m 29 s');
    assert.equal(viewOf({ active_time: '75' }).duration, '1 m 15 s');
    assert.equal(viewOf({ active_time: 59.6 }).duration, '1 m');
    assert.equal(viewOf({ active_time: 3_900 }).duration, '1 h 5 m');
    assert.equal(viewOf({ active_time: null, ended_at: '2026-11-22T00:00:00Z' }).duration, '');
  });

  test('reads times without a zone as UTC', () => {
    const view = viewOf({ ended_at: '2026-07-01 10:00:00.123456' }, {}, 'America/New_York');
    assert.equal(view.when, '1 Jul 2026, 06:00');
  });

  test('flattens metadata, whatever its keys are called', () => {
    const metadata = JSON.parse(
      '{"__proto__": {"polluted": true}, "team": {"name": "Growth", "none": null}, "tags": ["a", 2, null], "rows": [{"x": 1}]}',
    ) as JsonValue;
    assert.deepEqual(viewOf({ metadata }).metadata, [
      ['__proto__.polluted', 'true'],
      ['team.name', 'Growth'],
      ['tags', 'a, 2'],
      ['rows', '[{"x":1}]'],
    ]);
    assert.equal(({} as { polluted?: boolean }).polluted, undefined);
  });

  test('offers no address that is not of the web', () => {
    assert.equal(viewOf({ recording_url: 'javascript:alert(1)' }).recordingUrl, undefined);
    assert.equal(viewOf({ link: 'https://getversive.com/s/1?vid=2' }).link, 'https://getversive.com/s/1?vid=2');
  });
});

suite('the turns', () => {
  test('come from the conversation before the transcript', () => {
    const conversation = [
      { role: 'assistant', content: 'Hi' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Hello' },
          { type: 'text', text: 'there' },
        ],
      },
      { role: 'user', content: null },
      null,
      { role: 'user', content: '  ' },
    ];
    assert.deepEqual(spoken({ parsed_conversation_json: conversation }), [
      'Interviewer: Hi',
      'Participant: Hello\nthere',
    ]);
  });

  test('come from the lines of a transcript that name their speakers', () => {
    const transcript = 'AI: How was it?\nUser: Fine.\nNote: I mean it,\nreally.\n\nAI: Thanks!\n';
    assert.deepEqual(spoken({ transcript }), [
      'Interviewer: How was it?',
      'Participant: Fine.\nNote: I mean it,\nreally.',
      'Interviewer: Thanks!',
    ]);
    assert.deepEqual(
      spoken({ transcript: '[00:01] **Moderator**: Ready?\n[00:04] **Ana María**: Yes.\n[00:07] Ana María: Go.' }),
      ['Interviewer: Ready?', 'Participant: Yes.', 'Participant: Go.'],
    );
    assert.deepEqual(spoken({ transcript: 'Tom: Ready?\nAna: Yes.\nTom: Good.\nAna: Bye.' }), [
      'Interviewer: Ready?',
      'Participant: Yes.',
      'Interviewer: Good.',
      'Participant: Bye.',
    ]);
  });

  test('are one turn of nobody in particular where nobody can say who spoke', () => {
    const view = viewOf({
      parsed_conversation_json: null,
      transcript: 'I hate that it is slow, because I wait every day.',
    });
    assert.deepEqual(
      view.turns.map(({ speaker }) => speaker),
      ['Transcript'],
    );
    assert.deepEqual(view.quotes, []);
    assert.equal(view.participantWords, '');
  });
});

suite('no payload', () => {
  const fields = [...Object.keys(makePayload().interview), 'link'];
  const json = fc.json({ maxDepth: 5 }).map((text) => JSON.parse(text) as JsonValue);
  const odd = fc.oneof(
    json,
    fc.constantFrom<JsonValue>(1e308, -1, '', 'Infinity', '9999-99-99', '2026-11-23T99:00:00Z'),
  );
  const conversation = fc.array(fc.oneof(json, fc.record({ role: json, content: fc.oneof(fc.string(), json) })));
  const object = fc.oneof(
    json,
    fc.record(Object.fromEntries(fields.map((name) => [name, odd])), { requiredKeys: [] }),
    fc.record({ parsed_conversation_json: conversation, metadata: json, transcript: fc.string() }),
  );

  test('makes it throw, or give anything but what it promises', () => {
    fc.assert(
      fc.property(object, object, (interview, study) => {
        const view = interviewView(
          { event_type: 'interview.completed', interview, study } as unknown as Payload,
          'UTC',
        );
        for (const key of ['studyTitle', 'participant', 'duration', 'when', 'mode', 'participantWords'] as const) {
          assert.equal(typeof view[key], 'string', key);
        }
        assert.ok(view.studyTitle !== '');
        assert.ok(view.seconds === undefined || view.seconds >= 0);
        assert.ok(view.turns.every(({ text }) => text.trim() !== ''));
        assert.ok(view.metadata.every((pair) => pair.every((text) => typeof text === 'string')));
        assert.ok(view.quotes.length <= 3 && view.quotes.every((quote) => quote.length <= 240));
      }),
      { numRuns: 500 },
    );
  });

  test('is too deep or too large', () => {
    const deep = JSON.parse(`${'[{"a":'.repeat(20_000)}1${'}]'.repeat(20_000)}`) as JsonValue;
    const view = viewOf({ metadata: { deep, ['k'.repeat(100_000)]: 'x' }, parsed_conversation_json: deep, vid: deep });
    assert.equal(view.participant, 'int_0001');
    assert.ok(view.metadata.every(([key]) => key.length <= 200));

    const turn = { role: 'user', content: `I waited ${'so '.repeat(60)}long, because nothing moved.` };
    const long = viewOf({ parsed_conversation_json: Array.from({ length: 1_500 }, () => turn) });
    assert.equal(long.turns.length, 1_500);
    assert.equal(long.quotes.length, 1);
    const many = Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`k${index}`, index]));
    assert.equal(viewOf({ metadata: many }).metadata.length, 500);
  });
});
