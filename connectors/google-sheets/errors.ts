import {
  type CheckFinding,
  clip,
  type Failure,
  halt,
  reject,
  retry,
  retryAfterMs,
  transportOutcome,
  unknown,
} from 'versive-relay/connector';
import { NotFromGoogle } from './client.ts';

/**
 * UTF-16 units of Google's words in an outcome. The relay cuts them for people, once it has cut secrets out of them: a
 * secret in halves would not be known.
 */
const MOST_WORDS = 10_000;

/** The tab is not as the config needs it. Nothing was written. */
export class TabProblem extends Error {
  override readonly name = 'TabProblem';
  readonly findings: CheckFinding[];

  constructor(findings: CheckFinding[]) {
    super(findings.map(({ message }) => message).join(' '));
    this.findings = findings;
  }
}

/**
 * - `prepare`: reading, or making the tab and its header. It may be done again: no row was sent.
 * - `update`: writing over rows that are there. Done again, it comes to the same.
 * - `append`: adding rows. When its end is unknown, they may have landed.
 */
export type Step = 'prepare' | 'update' | 'append';

/** Google's error, in the shape of its APIs (google.aip.dev/193) or of its token endpoint (RFC 6749, 5.2). */
interface Refusal {
  status: number;
  /** `PERMISSION_DENIED`, or `invalid_grant`. */
  code: string;
  message: string;
  /** Of the error's details, as `SERVICE_DISABLED`. */
  reason: string;
  activationUrl: string | undefined;
  afterMs: number | undefined;
  isTokenCall: boolean;
}

/**
 * What a failed call means.
 * @param email of the service account, when there is one
 */
export function sheetsOutcome(error: unknown, step: Step, email: string | undefined): Failure {
  if (error instanceof TabProblem) {
    return halt('invalid', clip(error.message, MOST_WORDS), error.findings.map(({ fix }) => fix).join(' '));
  }
  if (error instanceof NotFromGoogle) {
    const detail = `${error.message}: something between the relay and Google answered`;
    return step === 'append' ? unknown('server', detail) : retry('server', detail);
  }
  const refusal = refusalIn(error);
  if (refusal !== undefined) return refusalOutcome(refusal, step, email);
  const message = error instanceof Error ? error.message : String(error);
  const outcome = transportOutcome(error) ?? unknown('bug', clip(message, MOST_WORDS));
  if (outcome.kind !== 'unknown' || step === 'append') return outcome;
  return retry(outcome.reason, outcome.detail);
}

/** What a failed call means for `check`. */
export function sheetsFindings(error: unknown, email: string | undefined): CheckFinding[] {
  if (error instanceof TabProblem) return error.findings;
  const outcome = sheetsOutcome(error, 'prepare', email);
  const fix = 'fix' in outcome ? outcome.fix : 'Check the network and `api_url:`, and run the check again.';
  return [{ level: 'error', message: `Google Sheets: ${outcome.detail}`, fix }];
}

function refusalOutcome(refusal: Refusal, step: Step, email: string | undefined): Failure {
  const { status, code, afterMs, isTokenCall } = refusal;
  const detail = `${status} ${code}: ${refusal.message}`;
  if (status === 429 || refusal.reason === 'RATE_LIMIT_EXCEEDED') return retry('rate_limited', detail, afterMs);
  if (status >= 500 || status === 408) {
    const reason = status === 408 || status === 504 ? 'timeout' : 'server';
    return step === 'append' && !isTokenCall ? unknown(reason, detail) : retry(reason, detail, afterMs);
  }
  if (isTokenCall) return halt('auth', detail, tokenFix(refusal, email));
  switch (status) {
    case 401:
      return halt('auth', detail, tokenFix(refusal, email));
    case 403:
      return forbidden(refusal, detail, email);
    case 404:
      return halt(
        'not_found',
        detail,
        `Check \`spreadsheet:\`; it may have been deleted. Share it with ${accountOf(email)} as Editor.`,
      );
    case 409:
      return retry('server', detail);
    case 413:
      return reject('too_large', detail, 'Make the columns of this destination smaller.');
    default:
      return badRequest(refusal, detail, step);
  }
}

function tokenFix({ message }: Refusal, email: string | undefined): string {
  if (email === undefined) {
    return 'Give a new `access_token` (they end after an hour), or give the `credentials` of a service account, which do not end.';
  }
  if (/timeframe|iat|exp\b/.test(message)) return 'Set the clock of this machine: Google refuses what it signs.';
  return (
    `The key of ${email} is no longer accepted. In the Google Cloud console under IAM & Admin → Service accounts, see that ` +
    'the account is enabled, add a new key, and give its file as `credentials`.'
  );
}

function forbidden({ reason, activationUrl, message }: Refusal, detail: string, email: string | undefined): Failure {
  if (reason === 'SERVICE_DISABLED' || /has not been used in project|is disabled/.test(message)) {
    const link = activationUrl ?? 'https://console.cloud.google.com/apis/library/sheets.googleapis.com';
    return halt('forbidden', detail, `Enable the Google Sheets API in the service account’s project: ${link}`);
  }
  if (reason === 'ACCESS_TOKEN_SCOPE_INSUFFICIENT') {
    return halt('auth', detail, 'Give an `access_token` with the scope https://www.googleapis.com/auth/spreadsheets.');
  }
  return halt(
    'forbidden',
    detail,
    `Open the spreadsheet in a browser, click Share, and add ${accountOf(email)} as Editor.`,
  );
}

/** 400 has no codes of its own: Google's words tell the cases apart. */
function badRequest({ message, code }: Refusal, detail: string, step: Step): Failure {
  if (/Unable to parse range|No grid with id|already exists|exceeds grid limits/.test(message)) {
    return retry('not_found', `${detail} (the tab was changed while the relay wrote; it will look again)`);
  }
  if (/above the limit of \d+ cells/.test(message)) {
    return halt(
      'too_large',
      detail,
      'The spreadsheet is full. Delete rows, columns or tabs, or name a new spreadsheet.',
    );
  }
  if (/protected (cell|range|sheet)/i.test(message)) {
    return halt(
      'forbidden',
      detail,
      'In the spreadsheet, under Data → Protect sheets and ranges, let the relay’s account edit the tab.',
    );
  }
  if (code === 'FAILED_PRECONDITION' || /not supported for this document/.test(message)) {
    return halt(
      'invalid',
      detail,
      'It is an uploaded Excel file: open it, choose File → Save as Google Sheets, and name the new spreadsheet.',
    );
  }
  if (step === 'prepare') return halt('invalid', detail, 'Check `spreadsheet:`, `tab:` and `columns:`.');
  if (/maximum of \d+ characters|payload size/.test(message)) {
    return reject('too_large', detail, 'Make the columns of this destination smaller.');
  }
  return reject('invalid', detail, 'Correct the templates under `columns:`; the event is kept.');
}

function accountOf(email: string | undefined): string {
  return email ?? 'the account of the access token';
}

/** Google's own words in an error of googleapis; undefined when there was no answer, or one that says nothing. */
function refusalIn(error: unknown): Refusal | undefined {
  const { response } = error as { response?: { status?: unknown; data?: unknown; headers?: Headers } };
  if (typeof response?.status !== 'number') return undefined;
  const { status, data, headers } = response;
  const body = (typeof data === 'object' && data !== null ? data : {}) as Record<string, unknown>;
  const base = {
    status,
    afterMs: retryAfterMs(headers?.get('retry-after')),
    reason: '',
    activationUrl: undefined,
    isTokenCall: false,
  };
  if (typeof body.error === 'string') {
    return { ...base, isTokenCall: true, code: body.error, message: shortened(body.error_description) };
  }
  const google = (typeof body.error === 'object' && body.error !== null ? body.error : {}) as Record<string, unknown>;
  const details: Record<string, unknown>[] = Array.isArray(google.details) ? google.details : [];
  const information = details.find(({ reason }) => typeof reason === 'string');
  const metadata = (information?.metadata ?? {}) as Record<string, unknown>;
  return {
    ...base,
    code: typeof google.status === 'string' ? google.status : '',
    message: shortened(google.message),
    reason: String(information?.reason ?? ''),
    activationUrl: typeof metadata.activationUrl === 'string' ? metadata.activationUrl : undefined,
  };
}

function shortened(message: unknown): string {
  if (typeof message !== 'string') return 'no explanation';
  // Google quotes a value that it does not take, and that may be a participant's words.
  return clip(message.replace(/^(Invalid values\[\d+\]\[\d+\]).*$/s, '$1'), MOST_WORDS);
}
