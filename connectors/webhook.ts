import { hash } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import querystring from 'node:querystring';
import { Webhook } from 'svix';
import {
  type CheckFinding,
  type Context,
  type Destination,
  defineConnector,
  type Item,
  type JsonValue,
  type Limits,
  type Outcome,
  secret,
  structure,
  transportOutcome,
  unknown,
} from 'versive-relay/connector';
import { z } from 'zod';
import { answerOutcome, drain } from './webhook/answer.ts';

/** Headers that the relay or HTTP itself sets. */
const OURS = /^(host|content-length|connection|transfer-encoding|expect|te|upgrade|webhook-(id|timestamp|signature))$/i;
/** How long the check waits for a connection, in milliseconds. */
const CONNECT_TIMEOUT = 5_000;

const options = z.strictObject({
  url: z
    .url({ protocol: /^https?$/, error: 'expected an address that begins with https://' })
    .describe('Where to send the event. What stands after `?` is never shown.'),
  method: z.enum(['POST', 'PUT', 'PATCH']).default('POST').describe('The HTTP method.'),
  headers: z
    .record(
      z
        .string()
        .regex(/^[\w!#$%&'*+.^`|~-]+$/, 'expected the name of a header')
        .refine((name) => !OURS.test(name), 'this header is set by the relay'),
      secret().refine(
        (value) => /^[\t\x20-\x7e\x80-\xff]*$/.test(value.reveal()),
        'a header cannot hold such characters',
      ),
    )
    .default({})
    .describe('Headers to send, such as `authorization`. Their values are kept secret.'),
  secret: secret()
    .refine(
      (key) => /^whsec_(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(key.reveal()),
      'expected whsec_ and a key in base64',
    )
    .optional()
    .describe('Signs each request by Standard Webhooks: `whsec_` and a key in base64.'),
  body: structure()
    .optional()
    .describe(
      'What to send as JSON, with templates in its strings; a single text is sent as it is. By default the event as it was received.',
    ),
});

/**
 * Any HTTP endpoint. It cannot be asked what it took: a request whose end nobody knows is sent again, under the same
 * `webhook-id`, and arrives twice where the endpoint does not drop an id that it has seen.
 */
export default defineConnector({
  name: 'webhook',
  description: 'Sends each event onward to an HTTP endpoint, signed by Standard Webhooks.',
  options,
  open: (parsed, context) => new WebhookDestination(parsed, context),
});

class WebhookDestination implements Destination {
  readonly target: string;
  readonly limits: Limits;
  /** An endpoint is told of every event, by an id of its own. */
  readonly standsAlone = true;
  readonly #options: z.output<typeof options>;
  readonly #context: Context;
  readonly #signer: Webhook | undefined;
  readonly #address: URL;
  readonly #headers: Record<string, string>;

  constructor(parsed: z.output<typeof options>, context: Context) {
    this.#options = parsed;
    this.#context = context;
    const url = new URL(parsed.url);
    this.target = `webhook:${shown(url)}`;
    // No service's limit is known here: this only keeps a backlog from being a flood; `pace:` says otherwise.
    this.limits = { key: `webhook:${url.host}`, calls: 100, per: 1000, concurrency: 32 };
    this.#signer = parsed.secret && new Webhook(parsed.secret.reveal());
    const { address, authorization } = withoutCredentials(parsed.url);
    this.#address = address;
    const given = Object.entries(parsed.headers).map(([name, value]) => [name.toLowerCase(), value.reveal()]);
    this.#headers = { 'user-agent': 'versive-relay', ...authorization, ...Object.fromEntries(given) };
  }

  async deliver(item: Item): Promise<Outcome> {
    const { method } = this.#options;
    const { body, type } = this.#body(item);
    const id = webhookId(item);
    const now = new Date();
    const headers: Record<string, string> = {
      'content-type': type,
      ...this.#headers,
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
      ...(this.#signer && { 'webhook-signature': this.#signer.sign(id, now, body) }),
    };
    let response: Response;
    try {
      response = await this.#context.fetch(this.#address, {
        method,
        headers,
        body: body as Uint8Array<ArrayBuffer>,
        redirect: 'manual',
      });
    } catch (error) {
      // Of an unforeseen error only the name: its message might quote a header.
      const name = error instanceof Error ? error.name : typeof error;
      return transportOutcome(error) ?? unknown('bug', `the request ended in an unexpected ${name}`);
    }
    try {
      await drain(response);
    } catch (error) {
      // The status has been given: what became of the rest of the answer changes nothing.
      this.#context.log.debug({ kind: transportOutcome(error)?.kind }, 'webhook.answer_cut');
    }
    return answerOutcome(response, id);
  }

  preview(item: Item): JsonValue {
    const { url, method, headers } = this.#options;
    const { body, type } = this.#body(item);
    const hidden = Object.fromEntries(Object.keys(headers).map((name) => [name.toLowerCase(), '[secret]']));
    return {
      method,
      url: shown(new URL(url)),
      headers: { 'content-type': type, ...hidden, 'webhook-id': webhookId(item) },
      signed: this.#signer !== undefined,
      body: type === 'application/json' ? JSON.parse(body.toString()) : body.toString(),
    };
  }

  /** Looks at the address and opens a connection; sends nothing that the endpoint could take for an event. */
  async check(): Promise<CheckFinding[]> {
    const url = new URL(this.#options.url);
    const findings: CheckFinding[] = [];
    if (url.protocol === 'http:' && !isLocal(url.hostname)) {
      const message = `Events go to ${url.host} unencrypted.`;
      findings.push({ level: 'warning', message, fix: 'Begin `url:` with https://, if the endpoint serves it.' });
    }
    const problem = await connectionProblem(url);
    if (problem !== undefined) {
      const message = `The relay cannot connect to ${url.host} (${problem}).`;
      const fix =
        'Compare the host in `url:`, and look whether the endpoint runs and a firewall lets the relay through.';
      // The relay itself may go through a proxy, which this connection does not.
      findings.push({ level: 'warning', message, fix });
    }
    return findings;
  }

  #body(item: Item): { body: Buffer; type: string } {
    const { body } = this.#options;
    if (!body) return { body: item.body, type: 'application/json' };
    const rendered = body(item);
    if (typeof rendered !== 'string') return { body: Buffer.from(JSON.stringify(rendered)), type: 'application/json' };
    return { body: Buffer.from(rendered), type: isJson(rendered) ? 'application/json' : 'text/plain; charset=utf-8' };
  }
}

/**
 * The same at every try and replay of an event in one generation, and through renames of the destination, so that the
 * endpoint can drop a repeat; another when Versive sends an interview anew, so that it does not drop news. An endpoint
 * remembers ids from before an upgrade: how they are made must not change.
 */
function webhookId({ identity, event }: Item): string {
  const { destination, generation } = identity;
  const identified = JSON.stringify([destination, event.source, event.svixId, generation]);
  return `msg_${hash('sha256', identified, 'base64url').slice(0, 27)}`;
}

/** fetch refuses an address with credentials in it; in a header they mean the same. */
function withoutCredentials(url: string): { address: URL; authorization?: { authorization: string } } {
  const address = new URL(url);
  const { username, password } = address;
  if (username === '' && password === '') return { address };
  address.username = '';
  address.password = '';
  const credentials = Buffer.from(`${querystring.unescape(username)}:${querystring.unescape(password)}`);
  return { address, authorization: { authorization: `Basic ${credentials.toString('base64')}` } };
}

/** An address without what may be a secret in it. */
function shown(url: URL): string {
  return `${url.origin}${url.pathname}`;
}

function isLocal(hostname: string): boolean {
  return (
    /^(localhost|127(\.\d+){3}|\[::1\]|.+\.(localhost|local|internal|svc))$/.test(hostname) || !/[.:]/.test(hostname)
  );
}

/** Why no connection came about; undefined when one did. */
async function connectionProblem(url: URL): Promise<string | undefined> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
  const socket = connect({ host, port });
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(CONNECT_TIMEOUT) });
    return undefined;
  } catch (error) {
    const { code, name } = error as NodeJS.ErrnoException;
    return name === 'AbortError' ? `no answer in ${CONNECT_TIMEOUT / 1000} s` : (code ?? name);
  } finally {
    socket.destroy();
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
