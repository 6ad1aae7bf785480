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
    rate_limit_reason: 'public_api_request_rate_limit',
    ...(retryAfter !== undefined && { retry_after: String(retryAfter) }),
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

/** What Notion answers, and what is made of it here: a page, a block, or a list of them. */
interface Answer {
  object?: string;
  type?: string;
  id?: string;
  created_time?: string;
  last_edited_time?: string;
  results?: { id: string; parent: { page_id?: string; block_id?: string } }[];
}

/** A 503 tells what was written, if something was: https://developers.notion.com/reference/request-limits. */
export const faultBody: FaultBody = (status, retryAfter, written) => {
  if (status === 429) return errorObject(rateLimited(retryAfter));
  if (status !== 503) return errorObject(new NotionError(500, 'internal_server_error', 'Unexpected error occurred.'));
  const answer = (written ?? {}) as Answer;
  if (answer.object === 'list' && answer.type !== 'block') {
    const message = 'Public API data source query is temporarily unavailable due to backend datastore timeouts.';
    const data = { retry_guidance: ['Use exponential backoff with jitter', 'Reduce page_size'] };
    return errorObject(new NotionError(503, 'service_unavailable', message, data));
  }
  const data: JsonObject = {
    elapsed_ms: '55012',
    deadline_ms: '55000',
    retry_guidance: ['Read the object again to confirm the saved change.', 'Do not repeat the write.'],
    ...committed(answer),
  };
  const message =
    'The change was saved, but the response could not be built in time. Read the object again instead of repeating the write.';
  return errorObject(new NotionError(503, 'service_unavailable', message, data));
};

/** Ids of a page that was created, or of blocks that were appended. What is changed has an id that its caller knows. */
function committed({ object, id, results, ...times }: Answer): JsonObject {
  const isNew = object === 'page' && times.created_time === times.last_edited_time;
  if (isNew && id !== undefined) return { committed_resource_id: id };
  const [first] = results ?? [];
  if (!first) return {};
  return {
    committed_resource_id: first.parent.page_id ?? first.parent.block_id ?? null,
    committed_child_ids: results?.map((block) => block.id) ?? [],
  };
}
