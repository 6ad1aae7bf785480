import { distance } from 'fastest-levenshtein';
import { type Path, printPath } from './path.ts';

/** Every field that https://docs.getversive.com/webhooks documents for `interview.completed`. */
const FIELDS = {
  interview: [
    'id',
    'title',
    'status',
    'is_mock',
    'is_archived',
    'created_at',
    'started_at',
    'ended_at',
    'type',
    'metadata',
    'active_time',
    'recording_url',
    'transcript',
    'parsed_conversation_json',
    'vid',
  ],
  study: ['id', 'title', 'metadata', 'type', 'mode', 'created_at'],
} as const;

/** What a turn of `parsed_conversation_json` has. */
const TURN_FIELDS = ['role', 'content'];

const KNOWN = [
  'event_type',
  'source',
  ...Object.entries(FIELDS).flatMap(([root, names]) => [root, ...names.map((name) => `${root}.${name}`)]),
];

/** What only templates know of the event itself. */
const OF_TEMPLATES = ['id', 'received_at', 'svix_id'];

/** A name as people choose it for metadata, and no slip of syntax. */
const IDENTIFIER = /^[\p{L}_][\p{L}\p{N}_-]*$/u;

const ROOTS = ['interview', 'study'];

/** Names that people know from templates, and from other products. */
const ELSEWHERE: Record<string, string> = {
  'event.type': 'event_type',
  'event.source': 'source',
  event: 'event_type',
  type: 'event_type',
  metadata: 'interview.metadata',
  'interview.duration': 'interview.active_time',
  'interview.study_id': 'study.id',
};

/** Whether `interview.completed` has such a path; what stands in metadata is free. */
export function isKnownPath(path: Path): boolean {
  const [root, name, ...rest] = path;
  if (root === 'event_type' || root === 'source') return path.length === 1;
  if (root !== 'interview' && root !== 'study') return false;
  if (name === undefined || name === 'metadata') return true;
  if (!(FIELDS[root] as readonly (string | number)[]).includes(name)) return false;
  if (rest.length === 0) return true;
  const [index, field, ...deeper] = rest;
  return (
    name === 'parsed_conversation_json' &&
    typeof index === 'number' &&
    deeper.length === 0 &&
    (field === undefined || TURN_FIELDS.includes(String(field)))
  );
}

/** Whether other fields can stand below a path. */
export function hasFields(path: Path): boolean {
  const [root, name] = path;
  return (root === 'interview' || root === 'study') && (name === undefined || name === 'metadata');
}

/** The path that was surely meant by one that no interview has; a plain name that is like none is surely metadata. */
export function suggestPath(path: Path): string | undefined {
  const [root, name, ...rest] = path;
  const text = printPath(path);
  for (const [other, known] of Object.entries(ELSEWHERE)) {
    if (other === 'event' && text !== other) continue;
    if (text === other || text.startsWith(`${other}.`) || text.startsWith(`${other}[`)) {
      return known + text.slice(other.length);
    }
  }
  const meant = ROOTS.find((known) => known !== root && distance(known, String(root)) <= 2);
  if (meant !== undefined && path.length > 1) {
    const mended = [meant, ...path.slice(1)];
    return isKnownPath(mended) ? printPath(mended) : suggestPath(mended);
  }
  if (root === 'event' && OF_TEMPLATES.includes(String(name))) return undefined;
  const head = printPath(path.slice(0, 2));
  // Letters that may differ in a known name, mistyped: two change a short name into another one.
  const slip = String(name ?? root).length >= 5 ? 2 : 1;
  const near =
    KNOWN.find((known) => known.toLowerCase() === head.toLowerCase()) ??
    KNOWN.find((known) => known.endsWith(`.${name ?? root}`)) ??
    KNOWN.find((known) => distance(known, head) <= slip);
  if (near === undefined) {
    if (root === 'event' || path.some((step) => typeof step === 'string' && !IDENTIFIER.test(step))) return undefined;
    const own = root === 'interview' || root === 'study' ? path.slice(1) : path;
    return printPath([root === 'study' ? 'study' : 'interview', 'metadata', ...own]);
  }
  const whole = [...near.split('.'), ...rest];
  return isKnownPath(whole) ? printPath(whole) : near;
}
