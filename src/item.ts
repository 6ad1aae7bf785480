import type { Payload, Receipt } from './model.ts';

/** One turn of a conversation. */
export interface Turn {
  role: 'interviewer' | 'participant';
  /** `Interviewer` or `Participant`; `Transcript` for a transcript in which no turns could be told apart. */
  speaker: string;
  text: string;
}

/**
 * What people want to know of an interview, worked out once from whatever the payload holds: nothing here is ever
 * missing because a field was null or had another shape.
 */
export interface InterviewView {
  /** The study's title, or `Untitled study`. */
  studyTitle: string;
  /** Who: the participant's `vid`, or the interview's id. */
  participant: string;
  startedAt: Date | undefined;
  endedAt: Date | undefined;
  /** Seconds: `active_time`, or the time between start and end. */
  seconds: number | undefined;
  /** `9 m 29 s`; empty when it is not known. */
  duration: string;
  /** The day and time it ended (or started, or was created) in the config's timezone, as `23 Nov 2026, 15:04`. */
  when: string;
  /** `Text and voice`, from the study's mode `TEXT_AND_VOICE`. Empty when not known. */
  mode: string;
  turns: Turn[];
  /** All that the participant said. */
  participantWords: string;
  /** The participant's two or three most telling sentences, in their own words and order. */
  quotes: string[];
  /** Interview metadata in one level, `{a: {b: 1}}` as `['a.b', '1']`, in its order. */
  metadata: [key: string, value: string][];
  recordingUrl: string | undefined;
  /** The interview's address at Versive, when the payload has it. */
  link: string | undefined;
  isMock: boolean;
}

/** One event, as a destination gets it. */
export interface Item {
  event: { id: string; type: string; source: string; svixId: string; receivedAt: Date };
  payload: Payload;
  /** The bytes as they were received. All of the event's destinations get these: they must not be changed. */
  body: Buffer;
  /**
   * What makes this delivery the same one at every try and replay. `destination` is the name that it had when the
   * generation began: a rename does not change it.
   */
  identity: { destination: string; subject: string; generation: number };
  /** From an earlier delivery (or checkpoint) of the same identity to the same target: deliver then updates. */
  receipt: Receipt | undefined;
  /** Receipts of earlier generations, which stay as they are. */
  earlier: Receipt[];
  /** Since when, by the relay's clock, an earlier try of unknown end may have written it; absent when there was none. */
  doubt?: Date;
  view: InterviewView;
}
