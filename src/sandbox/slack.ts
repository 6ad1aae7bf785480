import { EventEmitter } from 'node:events';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Faults } from './faults.ts';
import { type Block, judgeBlocks, mentionsOf } from './slack/blocks.ts';
import { faultBody, SlackRefusal } from './slack/errors.ts';
import { isTrue, pageOf } from './slack/history.ts';

export interface SlackMessage {
  /** Its identity in the channel: `1764000000.000100`. */
  ts: string;
  text: string;
  blocks: Block[];
  metadata: SlackMetadata | undefined;
  /** `ts` of the last edit. */
  edited: string | undefined;
  /** The thread that it belongs to. */
  threadTs: string | undefined;
  /** Whom it notified. */
  mentions: string[];
}

interface SlackMetadata {
  event_type: string;
  event_payload: Record<string, unknown>;
}

export interface SlackChannel {
  /** `C…`; of a direct message `D…`. */
  id: string;
  name: string;
  /** Whose direct message it is: posts to the person (`U…`) land here, and nothing else takes the person's id. */
  user?: string;
  isPrivate: boolean;
  isMember: boolean;
  isArchived: boolean;
  /** Oldest first. */
  messages: SlackMessage[];
}

/** A token of the stand-in. */
export interface SlackToken {
  scopes: Set<string>;
  /** The error that each call with it gets, such as `token_revoked`. */
  error?: string;
  /** Who posts with it. */
  bot: string;
}

/** What an app needs for all that the relay does. */
const SLACK_SCOPES = ['chat:write', 'channels:read', 'groups:read', 'channels:history', 'groups:history'];
export const SLACK_TOKEN = 'xoxb-sandbox-token';

/** Characters of a message's text; Slack cuts longer ones short (chat.postMessage). */
const MOST_TEXT = 40_000;
/** Characters of metadata; Slack refuses too much with `metadata_too_large`, without saying how much that is. */
const MOST_METADATA = 8_000;

type Arguments = Record<string, unknown>;

/** Plays Slack's Web API for @slack/web-api: what Slack would refuse, it refuses in Slack's words. */
export class SlackStandIn extends EventEmitter<{ change: [] }> {
  readonly faults = new Faults(faultBody);
  readonly channels = new Map<string, SlackChannel>();
  /** Tokens that mean something here; any other one is `invalid_auth`. */
  readonly tokens = new Map<string, SlackToken>();
  /** Refuses more than a message a second in a channel with 429, as Slack may; 5 % are left for the way here. */
  enforcePace = false;
  readonly #lastPost = new Map<string, number>();
  /** Which bot posted what: only its author may update a message. */
  readonly #authors = new WeakMap<SlackMessage, string>();
  #messages = 0;

  constructor() {
    super();
    this.tokens.set(SLACK_TOKEN, { scopes: new Set(SLACK_SCOPES), bot: 'B0VERSIVE' });
    this.addChannel({ id: 'C0123456789', name: 'research-alerts' });
    this.addChannel({ id: 'C0987654321', name: 'ops-alerts' });
  }

  addChannel(channel: Partial<SlackChannel> & { id: string }): SlackChannel {
    const added = { name: channel.id, isPrivate: false, isMember: true, isArchived: false, messages: [], ...channel };
    this.channels.set(added.id, added);
    this.emit('change');
    return added;
  }

  /** The messages of a channel, oldest first. */
  messages(channel: string): SlackMessage[] {
    return this.channels.get(channel)?.messages ?? [];
  }

  /** As a person does in Slack. */
  deleteMessage(channel: string, ts: string): void {
    const there = this.channels.get(channel);
    if (there) there.messages = there.messages.filter((message) => message.ts !== ts);
    this.emit('change');
  }

  snapshot(): { channels: SlackChannel[] } {
    return { channels: [...this.channels.values()] };
  }

  routes(app: FastifyInstance): void {
    app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) =>
      done(null, Object.fromEntries(new URLSearchParams(String(body)))),
    );
    app.post<{ Params: { method: string } }>('/:method', (request, reply) => this.#answer(request, reply));
    // Where the links of messages lead: to the page that shows them.
    app.get('/archives/:channel/:message', (_request, reply) => reply.redirect('/#slack'));
  }

  #answer(request: FastifyRequest<{ Params: { method: string } }>, reply: FastifyReply): FastifyReply {
    const method = this.#methods[request.params.method];
    const args = (request.body ?? {}) as Arguments;
    try {
      if (!method) throw new SlackRefusal('unknown_method', { req_method: request.params.method });
      const token = this.#token(request, args);
      reply.header('x-oauth-scopes', [...token.scopes].join(','));
      if (method.scope) requireScope(token, method.scope);
      return reply.send({ ok: true, ...method.run({ args, token, request }) });
    } catch (error) {
      if (!(error instanceof SlackRefusal)) throw error;
      if (error.body.error === 'ratelimited') reply.code(429).header('retry-after', '1');
      return reply.send(error.body);
    }
  }

  #token(request: FastifyRequest, args: Arguments): SlackToken {
    const bearer = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
    const text = bearer ?? (typeof args.token === 'string' ? args.token : '');
    if (text === '') throw new SlackRefusal('not_authed');
    const token = this.tokens.get(text);
    if (!token) throw new SlackRefusal('invalid_auth');
    if (token.error) throw new SlackRefusal(token.error);
    return token;
  }

  readonly #methods: Record<string, { scope?: string; run(call: Call): Record<string, unknown> } | undefined> = {
    'auth.test': {
      run: ({ request, token }) => ({
        url: `${request.protocol}://${request.host}${request.url.replace(/auth\.test.*$/, '')}`,
        team: 'Sandbox',
        user: 'versive_relay',
        team_id: 'T0SANDBOX',
        user_id: 'U0VERSIVE',
        bot_id: token.bot,
      }),
    },
    'chat.postMessage': { scope: 'chat:write', run: (call) => this.#post(call) },
    'chat.update': { scope: 'chat:write', run: (call) => this.#update(call) },
    'conversations.info': {
      run: ({ args, token }) => {
        const channel = this.#readable(args, token, 'read');
        return {
          channel: {
            id: channel.id,
            name: channel.name,
            is_channel: channel.user === undefined,
            is_im: channel.user !== undefined,
            is_private: channel.isPrivate,
            is_archived: channel.isArchived,
            is_member: channel.isMember,
          },
        };
      },
    },
    'conversations.history': { run: (call) => this.#history(call) },
  };

  #post({ args, token }: Call): Record<string, unknown> {
    const person = [...this.channels.values()].find(({ user }) => user !== undefined && user === args.channel);
    const channel = person ?? this.#channel(args);
    const mayJoin = !channel.isPrivate && token.scopes.has('chat:write.public');
    if (channel.isPrivate && !channel.isMember) throw new SlackRefusal('channel_not_found');
    if (!channel.isMember && !mayJoin) throw new SlackRefusal('not_in_channel');
    if (channel.isArchived) throw new SlackRefusal('is_archived');
    const content = contentOf(args, []);
    const now = Date.now();
    if (this.enforcePace && now - (this.#lastPost.get(channel.id) ?? 0) < 950) throw new SlackRefusal('ratelimited');
    this.#lastPost.set(channel.id, now);
    const threadTs = typeof args.thread_ts === 'string' ? args.thread_ts : undefined;
    const message: SlackMessage = { ts: this.#nextTs(), ...content, edited: undefined, threadTs, mentions: [] };
    message.mentions = mentionsOf(message);
    channel.messages.push(message);
    this.#authors.set(message, token.bot);
    this.emit('change');
    return { channel: channel.id, ts: message.ts, message: { ...apiForm(message, true), bot_id: token.bot } };
  }

  #update({ args, token }: Call): Record<string, unknown> {
    const channel = this.#channel(args);
    if (channel.isPrivate && !channel.isMember) throw new SlackRefusal('channel_not_found');
    const message = channel.messages.find(({ ts }) => ts === args.ts);
    if (!message) throw new SlackRefusal('message_not_found');
    if (this.#authors.get(message) !== token.bot) throw new SlackRefusal('cant_update_message');
    if (channel.isArchived) throw new SlackRefusal('is_inactive');
    const { metadata, ...content } = contentOf(args, message.blocks);
    Object.assign(message, content, { edited: this.#nextTs(), ...(metadata && { metadata }) });
    message.mentions = mentionsOf(message);
    this.emit('change');
    return { channel: channel.id, ts: message.ts, text: message.text, message: apiForm(message, true) };
  }

  #history({ args, token }: Call): Record<string, unknown> {
    const channel = this.#readable(args, token, 'history');
    if (!channel.isMember) throw new SlackRefusal('not_in_channel');
    const { page, next } = pageOf(channel.messages, args);
    return {
      messages: page.map((message) => ({
        ...apiForm(message, isTrue(args.include_all_metadata)),
        bot_id: this.#authors.get(message),
      })),
      has_more: next !== '',
      response_metadata: { next_cursor: next },
    };
  }

  #channel(args: Arguments): SlackChannel {
    const channel = this.channels.get(String(args.channel ?? ''));
    if (!channel) throw new SlackRefusal('channel_not_found');
    return channel;
  }

  /** A conversation that the token may read: what it is in, with the scope of its kind. */
  #readable(args: Arguments, token: SlackToken, right: 'read' | 'history'): SlackChannel {
    const some = ['channels', 'groups', 'im'].map((kind) => `${kind}:${right}`);
    if (!some.some((scope) => token.scopes.has(scope))) requireScope(token, some.join(','));
    const channel = this.#channel(args);
    const kind = channel.id.startsWith('D') ? 'im' : channel.isPrivate ? 'groups' : 'channels';
    if (kind !== 'channels' && !channel.isMember) throw new SlackRefusal('channel_not_found');
    requireScope(token, `${kind}:${right}`);
    return channel;
  }

  #nextTs(): string {
    this.#messages += 1;
    return `${Math.floor(Date.now() / 1000)}.${String(this.#messages).padStart(6, '0')}`;
  }
}

interface Call {
  args: Arguments;
  token: SlackToken;
  request: FastifyRequest;
}

function requireScope(token: SlackToken, needed: string): void {
  if (!token.scopes.has(needed)) {
    throw new SlackRefusal('missing_scope', { needed, provided: [...token.scopes].join(',') });
  }
}

/** What a message says; without `blocks`, those of before stay only if there is no new text either. */
function contentOf(args: Arguments, before: Block[]): Pick<SlackMessage, 'text' | 'blocks' | 'metadata'> {
  const text = typeof args.text === 'string' ? args.text : '';
  if (text.length > MOST_TEXT) throw new SlackRefusal('msg_too_long');
  let blocks = text === '' ? before : [];
  if (args.blocks !== undefined) {
    const judged = judgeBlocks(jsonOf(args.blocks, 'invalid_blocks_format'));
    if (!Array.isArray(judged)) {
      const { error, messages } = judged;
      throw new SlackRefusal(error, messages.length > 0 ? { errors: messages, response_metadata: { messages } } : {});
    }
    blocks = judged;
  }
  if (text === '' && blocks.length === 0) throw new SlackRefusal('no_text');
  return { text, blocks, metadata: metadataOf(args.metadata) };
}

function metadataOf(argument: unknown): SlackMetadata | undefined {
  if (argument === undefined) return undefined;
  const json = jsonOf(argument, 'invalid_metadata_format');
  const { event_type, event_payload } = (json ?? {}) as Partial<SlackMetadata>;
  if (typeof event_type !== 'string' || event_type === '' || typeof event_payload !== 'object' || !event_payload) {
    throw new SlackRefusal('invalid_metadata_format');
  }
  if (JSON.stringify(json).length > MOST_METADATA) throw new SlackRefusal('metadata_too_large');
  return { event_type, event_payload };
}

/** Structured arguments come as JSON text in a form, and as they are in a JSON body. */
function jsonOf(argument: unknown, error: string): unknown {
  if (typeof argument !== 'string') return argument;
  try {
    return JSON.parse(argument);
  } catch {
    throw new SlackRefusal(error);
  }
}

function apiForm(message: SlackMessage, allMetadata: boolean): Record<string, unknown> {
  const { metadata } = message;
  return {
    type: 'message',
    user: 'U0VERSIVE',
    team: 'T0SANDBOX',
    ts: message.ts,
    text: message.text,
    blocks: message.blocks,
    ...(message.threadTs && { thread_ts: message.threadTs }),
    ...(message.edited && { edited: { user: 'U0VERSIVE', ts: message.edited } }),
    ...(metadata && { metadata: allMetadata ? metadata : { event_type: metadata.event_type } }),
  };
}
