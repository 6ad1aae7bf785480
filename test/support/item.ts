import type { Item } from '../../src/connector.ts';
import type { JsonObject, JsonValue, Payload } from '../../src/model.ts';
import { interviewView } from '../../src/render/interview.ts';

interface PayloadOverrides {
  /** Laid over the interview of the example, field by field. */
  interview?: JsonObject;
  /** Laid over the study of the example, field by field. */
  study?: JsonObject;
  [extra: string]: JsonValue;
}

/** A payload as Versive documents it, new at every call. */
export function makePayload(overrides: Partial<PayloadOverrides> = {}): Payload {
  const { interview, study, ...extra } = overrides;
  const conversation = [
    { role: 'assistant', content: 'Hi, thanks for joining! What did you think of the new checkout?' },
    { role: 'user', content: 'Hello, happy to help.' },
    { role: 'assistant', content: 'What went well, and what did not?' },
    {
      role: 'user',
      content:
        'I love how fast the new checkout is, it took me maybe 40 seconds. But I was really confused by the shipping step because the price changed after I entered my address.',
    },
    { role: 'assistant', content: 'How did that make you feel?' },
    { role: 'user', content: 'Honestly, I felt a bit tricked and I almost left to buy it somewhere else. Okay.' },
  ];
  return {
    event_type: 'interview.completed',
    interview: {
      id: 'int_0001',
      title: 'Checkout interview',
      status: 'closed',
      is_mock: false,
      is_archived: false,
      created_at: '2026-11-23T13:54:00.000Z',
      started_at: '2026-11-23T13:54:31.000Z',
      ended_at: '2026-11-23T14:04:00.000Z',
      type: 'VERSIVE',
      metadata: { plan: 'enterprise', seats: 40 },
      active_time: 569,
      recording_url: 'https://recordings.example.com/int_0001.mp4',
      transcript: conversation
        .map(({ role, content }) => `${role === 'user' ? 'Participant' : 'Interviewer'}: ${content}`)
        .join('\n'),
      parsed_conversation_json: conversation,
      vid: 'participant-17',
      ...interview,
    },
    study: {
      id: 'study_123',
      title: 'Checkout research',
      metadata: { team: 'growth' },
      type: 'VERSIVE_STUDY',
      mode: 'TEXT_AND_VOICE',
      created_at: '2026-11-01T09:00:00.000Z',
      ...study,
    },
    ...extra,
  } as Payload;
}

/** An item as a destination gets it. Identity and view follow the payload; dates are in UTC. */
export function makeItem(payload: Payload = makePayload(), overrides: Partial<Item> = {}): Item {
  return {
    event: {
      id: 'e1',
      type: payload.event_type,
      source: 'versive',
      svixId: 'msg_0001',
      receivedAt: new Date('2026-11-23T14:05:10.000Z'),
    },
    payload,
    body: Buffer.from(JSON.stringify(payload)),
    identity: { destination: 'test-destination', subject: payload.interview.id, generation: 1 },
    receipt: undefined,
    earlier: [],
    view: interviewView(payload, 'UTC'),
    ...overrides,
  };
}
