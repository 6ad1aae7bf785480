import type { JsonObject, JsonValue } from './model.ts';

/** What was said in the interview that tests of the config are filled from. */
const TURNS = [
  { role: 'assistant', content: 'What did you hope to get done in your first week?' },
  { role: 'user', content: 'I wanted to invite my team, and I could not find where on the first day.' },
  { role: 'assistant', content: 'What helped you in the end?' },
  { role: 'user', content: 'A colleague showed me the button, and after that everything was easy.' },
];

/**
 * The interview that a test of the config fills its event from. docs/configuration.md shows it, and a test holds the two
 * together: metadata is empty, so that no filter on it holds by accident.
 */
export const SAMPLE_EVENT: JsonObject = {
  event_type: 'interview.completed',
  interview: {
    id: 'interview_sample',
    title: 'Sample study/study_sample/interview_sample',
    status: 'closed',
    is_mock: false,
    is_archived: false,
    created_at: '2026-01-05T09:00:00Z',
    started_at: '2026-01-05T09:00:10Z',
    ended_at: '2026-01-05T09:10:10Z',
    type: 'VERSIVE',
    metadata: {},
    active_time: 600,
    recording_url: 'https://recordings.versive.example/interview_sample.mp4',
    transcript: TURNS.map(({ role, content }) => {
      return `${role === 'assistant' ? 'Interviewer' : 'Participant'}: ${content}`;
    }).join('\n\n'),
    parsed_conversation_json: TURNS,
    vid: 'vid_SAMPLE',
  },
  study: {
    id: 'study_sample',
    title: 'Sample study',
    metadata: {},
    type: 'VERSIVE_STUDY',
    mode: 'TEXT_AND_VOICE',
    created_at: '2026-01-01T09:00:00Z',
  },
};

/** A whole event of which only some fields are given: maps are filled, and all else that is given stands, null too. */
export function fillEvent(given: JsonObject): JsonObject {
  return fill(SAMPLE_EVENT, given);
}

/** Goes no deeper than the sample does, however deep the given value is. */
function fill(sample: JsonObject, given: JsonObject): JsonObject {
  const filled = Object.entries(given).map(([key, value]): [string, JsonValue] => {
    const below = Object.hasOwn(sample, key) ? sample[key] : undefined;
    return [key, isMap(below) && isMap(value) ? fill(below, value) : value];
  });
  return Object.fromEntries([...Object.entries(sample), ...filled]);
}

function isMap(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
