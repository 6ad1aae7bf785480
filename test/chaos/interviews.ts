import type { JsonObject, Payload } from '../../src/model.ts';
import { makePayload } from '../support/item.ts';

/** An interview of the chaos: its number, how often Versive has sent it anew, and how long it was. */
export interface Sent {
  n: number;
  version: number;
  turns: number;
}

export const subjectOf = (n: number) => `int_${n}`;
/** Who it was with, as every service shows it: the words change when Versive sends the interview anew. */
export const participantOf = ({ n, version }: Sent) => `participant-${n}-v${version}`;
/** What was said in a turn; no other turn of any interview says the same. */
export const wordsOf = ({ n, version }: Sent, turn: number) => `said-${n}-v${version}-t${turn}-end`;

/** An interview whose every turn can be told from every other one. */
export function payloadOf(sent: Sent): Payload {
  const conversation = Array.from({ length: sent.turns }, (_, turn): JsonObject => {
    return { role: turn % 2 === 0 ? 'assistant' : 'user', content: wordsOf(sent, turn) };
  });
  return makePayload({
    interview: {
      id: subjectOf(sent.n),
      vid: participantOf(sent),
      parsed_conversation_json: conversation,
      transcript: '',
    },
  });
}
