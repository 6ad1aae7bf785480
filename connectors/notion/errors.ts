import {
  halt,
  type Outcome,
  type Reason,
  reject,
  retry,
  retryAfterMs,
  transportOutcome,
  unknown,
} from 'versive-relay/connector';

/**
 * What a call does, which decides how an unclear end is judged: repeating a `read`, or a write that is `repeatable`
 * (it sets what is there, or the next attempt looks first), is harmless; repeating a `write` may leave two.
 */
export type Effect = 'read' | 'repeatable' | 'write';

/** What Notion answered, as far as it could be read. */
export interface Answer {
  status: number;
  code: string;
  message: string;
  /** `additional_data` of the body. */
  data: Record<string, unknown>;
}

/** Ends an attempt with an outcome. */
export class Ended extends Error {
  readonly outcome: Outcome;
  readonly answer: Answer | undefined;

  constructor(outcome: Outcome, answer?: Answer) {
    super(outcome.kind === 'delivered' ? outcome.kind : outcome.detail);
    this.outcome = outcome;
    this.answer = answer;
  }
}

/** Runs one call of the SDK; its errors become {@link Ended}. */
export async function call<T>(effect: Effect, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw ended(error, effect);
  }
}

/** Deleted, or in the trash, where nothing can be edited. */
export function isGone(error: unknown): boolean {
  if (!(error instanceof Ended) || !error.answer) return false;
  const { status, message } = error.answer;
  return status === 404 || (status === 400 && /archived|in (the )?trash/i.test(message));
}

/**
 * UTF-16 units of Notion's words in an outcome. The relay cuts them for people, once it has cut secrets out of them: a
 * secret in halves would not be known.
 */
const MOST_WORDS = 10_000;

const SHARE_FIX =
  'Open the database in Notion, choose ••• → Connections, and add the connection whose token this is. ' +
  'Check the id too: a database that was deleted looks the same.';

/** What to do about a token that Notion does not take. */
const TOKEN_FIX =
  'Copy the internal integration secret of the connection (notion.so/profile/integrations → the connection → ' +
  'Configuration) into `token:`.';

function ended(error: unknown, effect: Effect): unknown {
  const answer = read(error);
  if (answer) return new Ended(judge(answer, effect, retryAfter(error, answer)), answer);
  // JSON.parse in the SDK: an answer of 200 that does not come from Notion.
  const noJson = error instanceof SyntaxError ? unclear('server', 'the answer was not JSON', effect) : undefined;
  const outcome = noJson ?? transport(error, effect);
  return outcome ? new Ended(outcome) : error;
}

function transport(error: unknown, effect: Effect): Outcome | undefined {
  const outcome = transportOutcome(error);
  return outcome?.kind === 'unknown' ? unclear(outcome.reason, outcome.detail, effect) : outcome;
}

function unclear(reason: Reason, detail: string, effect: Effect, after?: number): Outcome {
  return effect === 'write' ? unknown(reason, detail) : retry(reason, detail, after);
}

function judge(answer: Answer, effect: Effect, after: number | undefined): Outcome {
  const { status, code, data } = answer;
  const detail = `${status} ${code}: ${quiet(answer.message)}`.slice(0, MOST_WORDS);
  if (status === 429 || status === 529) {
    const blocked = data.rate_limit_reason === 'public_api_request_blocked';
    const fix = 'Notion blocks the requests of this connection for good: ask Notion support why, then resume.';
    return blocked ? halt('forbidden', detail, fix) : retry('rate_limited', detail, after);
  }
  if (status === 401) return halt('auth', detail, TOKEN_FIX);
  if (status === 403) return halt('forbidden', detail, forbiddenFix(answer));
  if (status === 404) return halt('not_found', detail, SHARE_FIX);
  if (status === 409) return retry('server', detail, after);
  // A 503 may carry `retry_guidance`: sentences for people, of which no code can be made; what was saved is told by the
  // committed ids beside it (developers.notion.com/reference/request-limits).
  if (status >= 500) return unclear('server', detail, effect, after);
  if (code === 'invalid_request_url' || code === 'missing_version' || status === 405) {
    return halt('invalid', detail, 'Check `api_url`: it must lead to the root of the Notion API, without `/v1`.');
  }
  if (status === 413 || /too large|should be ≤/i.test(answer.message)) {
    return reject(
      'too_large',
      detail,
      'Shorten what the templates of `properties:` put into the page; the event is kept.',
    );
  }
  return reject(
    'invalid',
    detail,
    'Compare `properties:` with the properties in Notion (`check --live`); the event is kept.',
  );
}

function forbiddenFix({ code, data }: Answer): string {
  if (data.block_limit !== undefined) {
    return (
      'The workspace has used up the blocks of the Free plan with several members. Upgrade its plan, or use a ' +
      'workspace with one member, then resume.'
    );
  }
  if (code === 'restricted_resource') {
    return (
      'At notion.so/profile/integrations → the connection → Capabilities, allow read, insert and update content, ' +
      'then resume.'
    );
  }
  return 'The request was stopped before it reached Notion. Check the network’s proxy and `api_url`, then resume.';
}

/** The SDK gives an unlisted code (`missing_version`, a proxy's HTML) no fields of its own: the body is read again. */
function read(error: unknown): Answer | undefined {
  const { status, body, message } = (error ?? {}) as { status?: unknown; body?: unknown; message?: unknown };
  if (typeof status !== 'number') return undefined;
  const parsed = fields(typeof body === 'string' ? parse(body) : undefined);
  return {
    status,
    code: typeof parsed.code === 'string' ? parsed.code : 'unexpected_answer',
    message: typeof parsed.message === 'string' ? parsed.message : String(message ?? ''),
    data: fields(parsed.additional_data),
  };
}

/** Milliseconds that Notion asks to wait: the header, or the seconds in the body. */
function retryAfter(error: unknown, answer: Answer): number | undefined {
  const { headers } = error as { headers?: unknown };
  const header = headers instanceof Headers ? headers.get('retry-after') : undefined;
  const seconds = answer.data.retry_after;
  const inBody = typeof seconds === 'number' || typeof seconds === 'string' ? String(seconds) : undefined;
  return retryAfterMs(header) ?? retryAfterMs(inBody);
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function fields(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/**
 * Notion repeats what it was sent between quotes, and that can be a participant's words: only numbers, ids and words of
 * the API stay.
 */
function quiet(message: string): string {
  const harmless = /^(\d+|undefined|null|[a-z_]{1,20}|[0-9a-f-]{32,36})$/;
  return message.replace(/`[^`]*`|"[^"]*"/g, (quoted) => (harmless.test(quoted.slice(1, -1)) ? quoted : '…'));
}
