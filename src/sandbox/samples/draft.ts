import type { JsonObject, JsonValue } from '../../model.ts';

/** The studies that the sample interviews belong to. */
export const STUDIES = {
  onboarding: { id: 'study_123', title: 'First week with Harbor', mode: 'TEXT_AND_VOICE', owner: 'growth' },
  pricing: { id: 'study_456', title: 'Pricing and packaging', mode: 'VOICE', owner: 'monetization' },
  churn: { id: 'study_789', title: 'Why teams leave', mode: 'TEXT_AND_VOICE', owner: 'retention' },
  checkout: { id: 'study_321', title: 'Checkout on a phone', mode: 'TEXT', owner: 'payments' },
} as const;

/** A sample interview before it has ids and times. */
export interface Draft {
  study: keyof typeof STUDIES;
  vid: string;
  metadata: JsonObject;
  /** Active seconds. */
  seconds: number;
  /** A turn a line: `?` the interviewer, `!` the participant. */
  talk: string;
  recording?: false;
  times?: false;
  /** In place of the turns. */
  conversation?: JsonValue;
  mock?: true;
  extra?: JsonObject;
}
