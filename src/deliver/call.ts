import { flushCompileCache } from 'node:module';
import type { Dispatcher } from 'undici';

/** Answers that have no body (the Fetch standard's null body statuses), of those that a request can get. */
const NO_BODY = new Set([204, 205, 304]);

/** Milliseconds in which a connection must come about, as under Node's `fetch` (undici, lib/core/connect.js). */
const CONNECT_TIMEOUT = 10_000;

/** What a call sends that needs none of `fetch`'s own work: bytes to an address, whose answer is taken as it comes. */
interface PlainInit extends RequestInit {
  redirect: 'manual';
  headers: Record<string, string>;
  body: Uint8Array;
}

/** Whether a caller can make it. */
export function isPlain(init: RequestInit | undefined): init is PlainInit {
  if (init?.redirect !== 'manual' || !(init.body instanceof Uint8Array) || init.signal) return false;
  return isPlainObject(init.headers);
}

interface CallOptions {
  /** Milliseconds, until the answer's body has been read. */
  timeout: number;
  /** Cuts all calls off, for good. */
  signal: AbortSignal;
  /** Asked once more when the connection stands, right before anything is sent. */
  mayBegin: () => boolean;
}

/**
 * Makes calls as `fetch` does, in about a fifth of the processor time, which would be most of what a delivery takes: by
 * undici itself, which is under Node's `fetch`.
 */
export class Caller {
  readonly #options: CallOptions;
  #agent: Dispatcher | undefined;

  constructor(options: CallOptions) {
    this.#options = options;
  }

  /**
   * @returns the answer, once its headers are there
   * @throws the signal's reason, a TimeoutError, or a TypeError as `fetch` throws it, whose cause says what happened
   */
  async call(input: string | URL, { method = 'GET', headers, body }: PlainInit): Promise<Response> {
    this.#options.signal.throwIfAborted();
    const agent = this.#agent ?? (await this.#load());
    const { origin, pathname, search } = typeof input === 'string' ? new URL(input) : input;
    const exchange = new Exchange(this.#options);
    agent.dispatch(
      {
        origin,
        path: `${pathname}${search}`,
        method: method.toUpperCase() as Dispatcher.HttpMethod,
        headers,
        body,
        // The exchange has one timeout for all of it.
        headersTimeout: 0,
        bodyTimeout: 0,
      },
      exchange,
    );
    return exchange.answered;
  }

  /** With the first call: undici has 3 MB and takes some 50 ms, and not every relay makes such calls. */
  async #load(): Promise<Dispatcher> {
    const { signal } = this.#options;
    let undici: typeof import('undici');
    try {
      undici = await import('undici');
    } catch (cause) {
      throw failed(Object.assign(neverSent(), { cause }));
    }
    // A relay that is killed keeps what Node.js made of it, too.
    flushCompileCache();
    signal.throwIfAborted();
    this.#agent ??= connections(undici, signal);
    return this.#agent;
  }
}

function connections({ Agent, EnvHttpProxyAgent }: typeof import('undici'), signal: AbortSignal): Dispatcher {
  const options = { connect: { timeout: CONNECT_TIMEOUT }, allowH2: false };
  const agent = process.env.NODE_USE_ENV_PROXY === '1' ? new EnvHttpProxyAgent(options) : new Agent(options);
  signal.addEventListener('abort', () => void agent.destroy(signal.reason as Error), { once: true });
  return agent;
}

/** One request and its answer. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly answered: Promise<Response>;
  readonly #options: CallOptions;
  readonly #resolve: (answer: Response) => void;
  readonly #reject: (error: unknown) => void;
  readonly #timer: NodeJS.Timeout;
  #controller: Dispatcher.DispatchController | undefined;
  #content: ReadableStreamDefaultController<Uint8Array> | undefined;
  #isLate = false;

  constructor(options: CallOptions) {
    const { promise, resolve, reject } = Promise.withResolvers<Response>();
    this.#options = options;
    this.answered = promise;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#timer = setTimeout(() => this.#late(), options.timeout);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    // A process that stood still meanwhile hears of a connection before it hears of what it has lost.
    if (this.#isLate || !this.#options.mayBegin()) controller.abort(neverSent());
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    // An interim answer.
    if (status < 200) return;
    const content = NO_BODY.has(status) || headers['content-length'] === '0' ? null : this.#stream(controller);
    try {
      this.#resolve(new Response(content, { status, headers: pairs(headers) }));
    } catch (error) {
      controller.abort(error as Error);
    }
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    // undici gives an empty one when it goes on after a pause: to pause for that, too, would never end.
    if (chunk.length === 0) return;
    this.#content?.enqueue(chunk);
    if ((this.#content?.desiredSize ?? 1) <= 0) controller.pause();
  }

  onResponseEnd(): void {
    clearTimeout(this.#timer);
    this.#content?.close();
  }

  onResponseError(_controller: unknown, cause: Error): void {
    clearTimeout(this.#timer);
    const { signal } = this.#options;
    const error = signal.aborted ? signal.reason : cause instanceof DOMException ? cause : failed(cause);
    this.#reject(error);
    this.#content?.error(error);
  }

  #stream(controller: Dispatcher.DispatchController): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>({
      start: (content) => {
        this.#content = content;
      },
      pull: () => controller.resume(),
      cancel: () => {
        this.#content = undefined;
        controller.abort(new Error('the rest of the answer is not wanted'));
      },
    });
  }

  #late(): void {
    const error = new DOMException('The operation was aborted due to timeout', 'TimeoutError');
    this.#isLate = true;
    this.#reject(error);
    this.#controller?.abort(error);
  }
}

/** As `fetch` says that no answer came. */
function failed(cause: unknown): TypeError {
  return new TypeError('fetch failed', { cause });
}

/** With a code of which `transportOutcome` knows that nothing was sent. */
function neverSent(): Error {
  return Object.assign(new Error('nothing was sent'), { code: 'ECONNREFUSED' });
}

function isPlainObject(value: unknown): value is Record<string, string> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

/** Names and values; a name that came more than once more than once. */
function pairs(headers: Record<string, string | string[] | undefined>): [string, string][] {
  return Object.entries(headers).flatMap(([name, value = []]) =>
    [value].flat().map((each): [string, string] => [name, each]),
  );
}
