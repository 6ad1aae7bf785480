import { createHash } from 'node:crypto';
import type { JsonObject, Payload } from '../model.ts';
import { checkout } from './samples/checkout.ts';
import { churn } from './samples/churn.ts';
import { type Draft, STUDIES } from './samples/draft.ts';
import { long } from './samples/long.ts';
import { onboarding } from './samples/onboarding.ts';
import { pricing } from './samples/pricing.ts';

/** The studies take turns, so that a stream of samples looks like a day of an organisation. */
const DRAFTS: readonly Draft[] = interleave([onboarding, pricing, churn, checkout, long]);

/** How many samples differ in their words; later ones are the same conversations with other participants. */
export const SAMPLE_COUNT = DRAFTS.length;

/** Samples are this far apart, in milliseconds. */
const APART = 47 * 60_000;
const FIRST = Date.UTC(2026, 10, 2, 8, 12, 30);

export interface SampleOptions {
  /** Of the interview; by default made from the number. */
  id?: string;
  /** When it ended; by default on a fixed day. */
  endedAt?: Date;
}

/**
 * A realistic interview, as Versive sends it. The same number gives the same interview, every number another one.
 * @param n 0, 1, 2, …
 */
export function sampleInterview(n: number, options: SampleOptions = {}): Payload {
  const draft = DRAFTS[n % DRAFTS.length];
  if (!draft) throw new RangeError(`sampleInterview: expected a whole number from 0 on, got ${n}`);
  const round = Math.floor(n / DRAFTS.length);
  const study = STUDIES[draft.study];
  const id = options.id ?? uuid(`interview ${n}`);
  const turns = turnsOf(draft.talk);
  const lasted = (draft.seconds + 38) * 1000;
  const start = options.endedAt ? Math.floor(options.endedAt.getTime() / 1000) * 1000 - lasted : FIRST + n * APART;
  const at = (ms: number): string => new Date(ms).toISOString().replace('.000Z', 'Z');

  const interview: { id: string } & JsonObject = {
    id,
    title: `${study.title}/${study.id}/${id}`,
    status: 'closed',
    is_mock: draft.mock === true,
    is_archived: false,
    created_at: at(start - 12_000),
    ...(draft.times !== false && { started_at: at(start), ended_at: at(start + lasted) }),
    type: 'VERSIVE',
    ...draft.extra,
    metadata: draft.metadata,
    active_time: draft.seconds,
    recording_url: draft.recording === false ? null : `https://recordings.versive.example/${id}.mp4`,
    transcript: turns
      .map(({ role, content }) => `${role === 'assistant' ? 'Interviewer' : 'Participant'}: ${content}`)
      .join('\n\n'),
    parsed_conversation_json: draft.conversation ?? turns,
    vid: round === 0 ? draft.vid : `vid_${id.slice(-6).toUpperCase()}`,
  };
  return {
    event_type: 'interview.completed',
    interview,
    study: {
      id: study.id,
      title: study.title,
      metadata: { owner: study.owner },
      type: 'VERSIVE_STUDY',
      mode: study.mode,
      created_at: '2026-09-14T09:00:00Z',
    },
  };
}

function turnsOf(talk: string): { role: 'assistant' | 'user'; content: string }[] {
  return talk
    .trim()
    .split('\n')
    .map((line) => ({ role: line.startsWith('?') ? 'assistant' : 'user', content: line.slice(2) }));
}

/** A version 4 UUID by form, made from a text. */
function uuid(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

function interleave(lists: Draft[][]): Draft[] {
  const longest = Math.max(...lists.map((list) => list.length));
  return Array.from({ length: longest }, (_, index) => lists.flatMap((list) => list[index] ?? [])).flat();
}
