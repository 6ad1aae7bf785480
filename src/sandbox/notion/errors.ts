import { randomUUID } from 'node:crypto';
import type { FastifyReply } from 'fastify';
import type { JsonObject } from '../../model.ts';
import type { FaultBody } from '../faults.ts';

/** A refusal in Notion's own shape. */
export class NotionError extends Error {
  readonly status: number;
  readonly code: string;
  readonly additionalData: JsonObject | undefined;

  constructor(status: number, code: string, message: string, additionalData?: JsonObject) {
    super(message);
    this.status = status;
    this.code = code;
    this.additionalData = additionalData;
  }
}

function errorObject({ status, code, message, additionalData }: NotionError): JsonObject {
  return {
    object: 'error',
    status,
    code,
    message,
    ...(additionalData && { additional_data: additionalData }),
    request_id: randomUUID(),
  };
}

export function notFound(kind: string, id: string): NotionError {
  const message = `Could not find ${kind} with ID: ${id}. Make sure the relevant pages and databases are shared with your integration "Relay".`;
  return new NotionError(404, 'object_not_found', message);
}

export function invalidUrl(): NotionError {
  return new NotionError(400, 'invalid_request_url', 'Invalid request URL.');
}

export function rateLimited(retryAfter: number | undefined): NotionError {
  const message = 'You have been rate limited. Please try again in a few minutes.';
  const data = {
    rate_limit_reason: 'public_api_connection',
    ...(retryAfter !== undefined && { retry_after: retryAfter }),
  };
  return new NotionError(429, 'rate_limited', message, data);
}

export function answerError(thrown: unknown, reply: FastifyReply): FastifyReply {
  const { statusCode, message } = thrown as { statusCode?: number; message?: string };
  const error =
    thrown instanceof NotionError
      ? thrown
      : statusCode === 400 || statusCode === 415
        ? new NotionError(400, 'invalid_json', 'Error parsing JSON body.')
        : new NotionError(500, 'internal_server_error', `The stand-in failed: ${message}`);
  const wait = error.additionalData?.retry_after;
  if (wait !== undefined) reply.header('retry-after', String(wait));
  return reply.code(error.status).send(errorObject(error));
}

/** After a write, Notion's 503 tells what was written: https://developers.notion.com/reference/request-limits. */
export const faultBody: FaultBody = (status, retryAfter, written) => {
  if (status === 429) return errorObject(rateLimited(retryAfter));
  if (status !== 503) return errorObject(new NotionError(500, 'internal_server_error', 'Unexpected error occurred.'));
  const {
    object: kind,
    id,
    results,
  } = (written ?? {}) as { object?: string; id?: string; results?: NotionBlockAnswer[] };
  const data: JsonObject = { retry_guidance: 'do_not_retry' };
  if (kind === 'page' && id !== undefined) data.committed_resource_id = id;
  if (results?.[0]) {
    data.committed_resource_id = results[0].parent.page_id ?? results[0].parent.block_id ?? null;
    data.committed_child_ids = results.map((block) => block.id);
  }
  const message = 'Notion is unavailable, please try again later.';
  return errorObject(new NotionError(503, 'service_unavailable', message, data));
};

interface NotionBlockAnswer {
  id: string;
  parent: { page_id?: string; block_id?: string };
}
