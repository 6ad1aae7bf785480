import { WebAPIHTTPError, WebAPIPlatformError, WebAPIRateLimitedError } from '@slack/web-api';
import { type Failure, halt, type Reason, reject, retry, transportOutcome, unknown } from 'versive-relay/connector';

const APP = 'Open https://api.slack.com/apps and choose the app';
const NEW_TOKEN = `${APP}, "OAuth & Permissions", "Install to Workspace"; put its "Bot User OAuth Token" (xoxb-…) in \`token:\`.`;
const CHANNEL =
  'Compare `channel:` with the "Channel ID" at the foot of the channel\'s details in Slack; for a private channel, first invite the app there: /invite @app.';
const ASK_ADMIN = 'Ask an admin of the Slack workspace to let the app post in this channel.';
const MESSAGE =
  'Correct `message:` or `blocks:` of this destination. The verb preview shows what was sent, and https://app.slack.com/block-kit-builder what is wrong with it. The event is kept.';
const SHORTER = 'Make `message:` or `blocks:` of this destination shorter; the event is kept.';
const UNARCHIVE = 'Unarchive the channel in Slack, or name another one in `channel:`.';
/** Of a channel without the app. */
export const INVITE = 'Invite the app: type /invite @app in the channel, with the name of the app.';
const STAYS = 'The message stays as it is; the event is kept.';

/**
 * UTF-16 units of Slack's words in an outcome. The relay cuts them for people, once it has cut secrets out of them: a
 * secret in halves would not be known.
 */
const MOST_WORDS = 10_000;

/** How a call ended that did not deliver. */
type Verdict = (detail: string, afterMs?: number) => Failure;
const halts =
  (reason: Reason, fix: string): Verdict =>
  (detail) =>
    halt(reason, detail, fix);
const rejects =
  (reason: Reason, fix: string): Verdict =>
  (detail) =>
    reject(reason, detail, fix);
const retries =
  (reason: Reason): Verdict =>
  (detail, afterMs) =>
    retry(reason, detail, afterMs);
const unknowns =
  (reason: Reason): Verdict =>
  (detail) =>
    unknown(reason, detail);

/** Slack's error codes (https://docs.slack.dev/reference/methods/chat.postMessage#errors, and chat.update). */
const VERDICTS = new Map<string, Verdict>(
  Object.entries({
    invalid_auth: halts('auth', NEW_TOKEN),
    not_authed: halts('auth', NEW_TOKEN),
    account_inactive: halts('auth', NEW_TOKEN),
    token_revoked: halts('auth', NEW_TOKEN),
    token_expired: halts('auth', NEW_TOKEN),
    not_allowed_token_type: halts('auth', NEW_TOKEN),
    team_not_found: halts('auth', NEW_TOKEN),
    team_access_not_granted: halts('auth', NEW_TOKEN),
    two_factor_setup_required: halts('auth', NEW_TOKEN),
    access_denied: halts('forbidden', ASK_ADMIN),
    accesslimited: halts('forbidden', ASK_ADMIN),
    no_permission: halts('forbidden', ASK_ADMIN),
    ekm_access_denied: halts('forbidden', ASK_ADMIN),
    enterprise_is_restricted: halts('forbidden', ASK_ADMIN),
    user_is_restricted: halts('forbidden', ASK_ADMIN),
    channel_not_found: halts('not_found', CHANNEL),
    not_in_channel: halts('forbidden', `${INVITE} Then resume the destination.`),
    is_archived: halts('forbidden', UNARCHIVE),
    // Of chat.update.
    is_inactive: halts('forbidden', UNARCHIVE),
    metadata_must_be_sent_from_app: halts('auth', NEW_TOKEN),

    invalid_blocks: rejects('invalid', MESSAGE),
    invalid_blocks_format: rejects('invalid', MESSAGE),
    no_text: rejects('invalid', MESSAGE),
    markdown_text_conflict: rejects('invalid', MESSAGE),
    too_many_attachments: rejects('invalid', MESSAGE),
    invalid_arguments: rejects('invalid', MESSAGE),
    invalid_metadata_format: rejects('invalid', MESSAGE),
    invalid_metadata_schema: rejects('invalid', MESSAGE),
    cannot_reply_to_message: rejects('invalid', STAYS),
    msg_blocks_too_long: rejects('too_large', SHORTER),
    msg_too_long: rejects('too_large', SHORTER),
    metadata_too_large: rejects(
      'too_large',
      'Rename the destination to something shorter (`renamed_from:` keeps its history); the event is kept.',
    ),
    // Of chat.update.
    block_mismatch: rejects('invalid', STAYS),
    cant_update_message: rejects('forbidden', `Another app posted the message, so this one cannot change it. ${STAYS}`),
    edit_window_closed: rejects('forbidden', `The workspace lets nobody edit a message this old. ${STAYS}`),

    ratelimited: retries('rate_limited'),
    rate_limited: retries('rate_limited'),
    message_limit_exceeded: retries('rate_limited'),
    service_unavailable: retries('server'),
    team_added_to_org: retries('server'),
    org_login_required: retries('server'),
    // Of chat.update.
    external_channel_migrating: retries('server'),
    update_failed: retries('server'),
    // Slack received only part of the request.
    request_timeout: retries('timeout'),
    // Slack's documentation says of both that some part of the work may have been done.
    internal_error: unknowns('server'),
    fatal_error: unknowns('server'),
  }),
);

/** The code of an answer that Slack refused with; undefined for every other error. */
export function slackCode(error: unknown): string | undefined {
  if (!(error instanceof WebAPIPlatformError)) return undefined;
  // An answer that is no JSON arrives here with its whole body as the code.
  return typeof error.data.error === 'string' && /^[a-z0-9_]{1,80}$/.test(error.data.error)
    ? error.data.error
    : undefined;
}

/** What a failed call to Slack means for a delivery. */
export function slackOutcome(error: unknown): Failure {
  if (error instanceof WebAPIPlatformError) return refusal(error);
  if (error instanceof WebAPIRateLimitedError) {
    return retry('rate_limited', 'Slack answered 429', error.retryAfter * 1000);
  }
  if (error instanceof WebAPIHTTPError) return httpOutcome(error.statusCode);
  // The SDK throws a plain Error for a 429 whose Retry-After is missing or no number.
  if (error instanceof Error && error.message.startsWith('Retry header did not contain')) {
    return retry('rate_limited', 'Slack answered 429 without saying how long to wait');
  }
  // Of an unforeseen error only the name: its message might quote the token or a participant.
  const name = error instanceof Error ? error.name : typeof error;
  return transportOutcome(error) ?? unknown('bug', `the call to Slack ended in an unexpected ${name}`);
}

function httpOutcome(status: number): Failure {
  const detail = `Slack answered HTTP ${status}`;
  if (status === 408) return retry('timeout', detail);
  // Slack answers 200 to whatever it judged, so nothing is known of a call that ended in a server error.
  if (status >= 500) return unknown('server', detail);
  const fix = 'Slack itself answers 200 or 429: look at `api_url:` and at the proxies between the relay and Slack.';
  return halt(status === 404 ? 'not_found' : 'forbidden', detail, fix);
}

function refusal(error: WebAPIPlatformError): Failure {
  const code = slackCode(error);
  if (code === undefined) return unknown('server', 'the answer is not one of Slack (a page of a proxy?)');
  const detail = [`Slack refused: ${code}`, ...(error.data.response_metadata?.messages ?? []).slice(0, 3)]
    .join('; ')
    .slice(0, MOST_WORDS);
  if (code === 'missing_scope') return missingScope(error);
  if (code.startsWith('restricted_action')) return halt('forbidden', detail, ASK_ADMIN);
  const verdict = VERDICTS.get(code);
  if (verdict === undefined) {
    const fix = `Look for ${code} at https://docs.slack.dev/reference/methods/chat.postMessage#errors; the event is kept.`;
    return reject('invalid', detail, fix);
  }
  const seconds = error.data.response_metadata?.retryAfter;
  return verdict(detail, seconds === undefined ? undefined : seconds * 1000);
}

function missingScope(error: WebAPIPlatformError): Failure {
  const scope = neededScope(error) || 'chat:write';
  return halt('forbidden', `Slack refused: missing_scope (needed: ${scope})`, scopeFix(scope));
}

/** The scope, or the list of such as would do, that Slack missed. */
function neededScope(error: WebAPIPlatformError): string {
  const { needed } = error.data as { needed?: unknown };
  return typeof needed === 'string' ? needed : '';
}

/**
 * The scopes with one of which an app may read a conversation, by its id; the likeliest first. A channel's id does not
 * tell whether it is private.
 */
export function historyScopes(channel: string): [string, ...string[]] {
  if (channel.startsWith('D')) return ['im:history'];
  if (channel.startsWith('G')) return ['groups:history', 'mpim:history'];
  return ['channels:history', 'groups:history', 'mpim:history'];
}

/** The scope that a refused look at a conversation's history lacked. */
export function missedHistoryScope(error: unknown, channel: string): string {
  const needed = error instanceof WebAPIPlatformError ? neededScope(error) : '';
  return /^[a-z]+:history$/.test(needed) ? needed : historyScopes(channel)[0];
}

/** How to give the app a scope. */
export function scopeFix(scope: string): string {
  return `${APP}, "OAuth & Permissions", "Bot Token Scopes", "Add an OAuth Scope": ${scope}; then "Reinstall to Workspace".`;
}
