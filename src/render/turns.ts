import type { Turn } from '../connector.ts';
import type { JsonValue } from '../model.ts';
import { field } from './shape.ts';

const INTERVIEWER = /^(assistant|system|tool|ai|bot|agent|interviewer|moderator|researcher|host|versive)\b/i;
const PARTICIPANT = /^(user|participant|respondent|interviewee|human|customer|guest|you|me)\b/i;

/** `Speaker: words`, perhaps after a time and within asterisks: `[00:12] **Ana**: It is fine.` Every part is bounded. */
const LABELLED = /^\s{0,8}(?:\[[\d:., ]{1,16}\]\s{0,4})?\*{0,2}(\p{L}[^:*\n]{0,39})\*{0,2}:\*{0,2}(?:\s+(.*))?$/u;

/**
 * The turns of a conversation, from `parsed_conversation_json`, or from the text of `transcript` when its lines look like
 * `Speaker: words`. Other text becomes one turn of the speaker `Transcript`, since nobody can say who spoke.
 */
export function readTurns(interview: JsonValue | undefined): Turn[] {
  const parsed = readEntries(field(interview, 'parsed_conversation_json'));
  if (parsed.length > 0) return parsed;
  const transcript = field(interview, 'transcript');
  const entries = readEntries(transcript);
  if (entries.length > 0) return entries;
  return typeof transcript === 'string' && transcript.trim() !== '' ? readText(transcript) : [];
}

/** `[{role, content}]`, or the same as JSON in a text. */
function readEntries(value: JsonValue | undefined): Turn[] {
  const list = typeof value === 'string' ? parseList(value) : value;
  if (!Array.isArray(list)) return [];
  return list.flatMap((entry): Turn[] => {
    const text = readContent(field(entry, 'content')).trim();
    if (text === '') return [];
    const role = field(entry, 'role');
    return [turn(typeof role === 'string' && PARTICIPANT.test(role.trim()) ? 'participant' : 'interviewer', text)];
  });
}

function parseList(text: string): JsonValue {
  if (!text.trimStart().startsWith('[')) return null;
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    // Text that begins with a bracket need not be JSON: `[00:12] Ana: It is fine.`
    return null;
  }
}

/** Content is text, or a list of parts that have one, as chat APIs write it. */
function readContent(content: JsonValue | undefined): string {
  if (typeof content === 'string') return content;
  if (typeof content === 'number') return String(content);
  if (!Array.isArray(content)) return stringOr(field(content, 'text'));
  return content
    .map((part) => (typeof part === 'string' ? part : stringOr(field(part, 'text'))))
    .filter((part) => part !== '')
    .join('\n');
}

function stringOr(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

function readText(text: string): Turn[] {
  const lines = text.split(/\r\n|\r|\n/).map((line) => ({ line, found: LABELLED.exec(line) }));
  const roles = castRoles(lines.flatMap(({ found }) => (found?.[1] === undefined ? [] : [speakerKey(found[1])])));
  const first = lines.find(({ line }) => line.trim() !== '');
  const firstSpeaker = first?.found?.[1];
  if (firstSpeaker === undefined || !roles.has(speakerKey(firstSpeaker))) {
    return [{ role: 'participant', speaker: 'Transcript', text: text.trim() }];
  }

  const spoken: { role: Turn['role']; lines: string[] }[] = [];
  for (const { line, found } of lines) {
    const role = found?.[1] === undefined ? undefined : roles.get(speakerKey(found[1]));
    if (role !== undefined) spoken.push({ role, lines: [found?.[2] ?? ''] });
    else spoken.at(-1)?.lines.push(line);
  }
  return spoken.map(({ role, lines }) => turn(role, lines.join('\n').trim())).filter(({ text }) => text !== '');
}

/**
 * Which labels are speakers, and who is who. A label that is no word for a role is a speaker when it comes up twice: `Note: …`
 * within an answer is none. Among names alone the first one to speak asks the questions.
 */
function castRoles(labels: string[]): Map<string, Turn['role']> {
  const counts = new Map<string, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  const roles = new Map<string, Turn['role']>();
  const names: string[] = [];
  for (const [label, count] of counts) {
    if (INTERVIEWER.test(label)) roles.set(label, 'interviewer');
    else if (PARTICIPANT.test(label)) roles.set(label, 'participant');
    else if (count > 1) names.push(label);
  }
  const cast = [...roles.values()];
  if (!cast.includes('interviewer') && (cast.includes('participant') || names.length > 1)) {
    const asking = names.shift();
    if (asking !== undefined) roles.set(asking, 'interviewer');
  }
  for (const name of names) roles.set(name, 'participant');
  return roles;
}

function speakerKey(label: string): string {
  return label.trim().toLowerCase();
}

function turn(role: Turn['role'], text: string): Turn {
  return { role, speaker: role === 'interviewer' ? 'Interviewer' : 'Participant', text };
}
