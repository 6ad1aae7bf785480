import { z } from 'zod';
import type { Payload } from './model.ts';

const id = z.string().min(1);

/** As https://docs.getversive.com/webhooks documents it; every other field is kept as it is. */
const payloadSchema = z.looseObject({
  event_type: z.literal('interview.completed'),
  interview: z.looseObject({ id }),
  study: z.looseObject({ id }),
});

/** Levels of objects and lists: far more than interviews have, and few enough for whatever walks a payload by recursion. */
const DEEPEST = 100;

/** What a body turned out to be. What could be read of an unusable one is kept, so that ops can find it. */
export type Judged =
  | { payload: Payload }
  | { payload: undefined; reason: string; eventType: string; subject: string; study: string };

/** Judges what a verified body says. Never throws. */
export function parsePayload(text: string): Judged {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { payload: undefined, reason: 'the body is not JSON', eventType: '', subject: '', study: '' };
  }
  if (isDeeper(json, DEEPEST)) return unusable(json, `the body is nested deeper than ${DEEPEST} levels`);
  const judged = payloadSchema.safeParse(json);
  // The body itself, not zod's copy: a copy would lose keys such as `__proto__` and the order of the others.
  if (judged.success) return { payload: json as Payload };
  const issue = judged.error.issues[0];
  const path = issue?.path.join('.') || 'the body';
  return unusable(json, `${path}: ${issue?.message ?? 'not what Versive documents'}`);
}

function unusable(json: unknown, reason: string): Judged {
  return {
    payload: undefined,
    reason,
    eventType: textAt(json, 'event_type'),
    subject: textAt(json, 'interview', 'id'),
    study: textAt(json, 'study', 'id'),
  };
}

/** Whether a value has more levels than so many. Looks no deeper than that. */
function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1));
}

function textAt(json: unknown, ...path: string[]): string {
  let value: unknown = json;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return '';
    value = (value as Record<string, unknown>)[key];
  }
  return typeof value === 'string' ? value : '';
}
