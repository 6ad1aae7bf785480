import type { FaultBody } from '../faults.ts';

/** Google's canonical codes (google.rpc.Code) beside the HTTP status that each is answered with. */
const STATUS = {
  INVALID_ARGUMENT: 400,
  FAILED_PRECONDITION: 400,
  UNAUTHENTICATED: 401,
  PERMISSION_DENIED: 403,
  NOT_FOUND: 404,
  RESOURCE_EXHAUSTED: 429,
  INTERNAL: 500,
  UNAVAILABLE: 503,
} as const;
export type GoogleStatus = keyof typeof STATUS;

/** A refusal, as Google's APIs answer it (google.aip.dev/193). */
export class GoogleRefusal extends Error {
  readonly status: GoogleStatus;
  readonly code: number;
  readonly details: object[];

  constructor(status: GoogleStatus, message: string, details: object[] = []) {
    super(message);
    this.status = status;
    this.code = STATUS[status];
    this.details = details;
  }

  body(): object {
    const { code, message, status, details } = this;
    return { error: { code, message, status, ...(details.length > 0 && { details }) } };
  }
}

export function invalid(message: string): GoogleRefusal {
  return new GoogleRefusal('INVALID_ARGUMENT', message);
}

export function quotaRefusal(right: 'read' | 'write'): GoogleRefusal {
  const kind = right === 'read' ? 'Read' : 'Write';
  return new GoogleRefusal(
    'RESOURCE_EXHAUSTED',
    `Quota exceeded for quota metric '${kind} requests' and limit '${kind} requests per minute per user' of service ` +
      "'sheets.googleapis.com' for consumer 'project_number:1234567890'.",
  );
}

export function disabledRefusal(): GoogleRefusal {
  const activationUrl =
    'https://console.developers.google.com/apis/api/sheets.googleapis.com/overview?project=1234567890';
  const message =
    'Google Sheets API has not been used in project 1234567890 before or it is disabled. Enable it by visiting ' +
    `${activationUrl} then retry. If you enabled this API recently, wait a few minutes for the action to propagate to ` +
    'our systems and retry.';
  const information = {
    '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
    reason: 'SERVICE_DISABLED',
    domain: 'googleapis.com',
    metadata: { service: 'sheets.googleapis.com', consumer: 'projects/1234567890', activationUrl },
  };
  return new GoogleRefusal('PERMISSION_DENIED', message, [information]);
}

/** What the service says when it fails by itself, by HTTP status. */
export const faultBody: FaultBody = (status) => {
  if (status === 429) return quotaRefusal('write').body();
  if (status === 503) return new GoogleRefusal('UNAVAILABLE', 'The service is currently unavailable.').body();
  return new GoogleRefusal('INTERNAL', 'Internal error encountered.').body();
};
