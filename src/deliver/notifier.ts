import { setTimeout as sleep } from 'node:timers/promises';
import type { Destination, Log, Notice } from '../connector.ts';
import type { News } from '../news.ts';

/** Milliseconds that news is gathered for, so that a bad minute is one message and not a hundred. */
const GATHER = 15_000;

/** Milliseconds that a relay which stops waits for its last message. */
const CLOSING = 3_000;

/** Most news that waits for a destination which cannot be told; the oldest gives way. */
const MOST_KEPT = 1_000;

/** Most lines of a message; the rest is counted. */
const MOST_LINES = 10;

const TITLES: Record<News['kind'], (count: number) => string> = {
  failed: (count) => `${count} failed ${count === 1 ? 'delivery' : 'deliveries'}`,
  halted: (count) => `${count} halted ${count === 1 ? 'destination' : 'destinations'}`,
  down: (count) => `${count} ${count === 1 ? 'destination that does' : 'destinations that do'} not answer`,
  quarantined: (count) => `${count} quarantined ${count === 1 ? 'event' : 'events'}`,
  signatures: () => 'signatures that do not verify',
  config: () => 'a refused config',
};

export interface NotifierParts {
  /** The `on_failure` destinations of the config in force. */
  names: () => string[];
  destination: (name: string) => Destination | undefined;
  log: Log;
}

/** Tells the `on_failure` destinations what went wrong: grouped, and never one about itself. */
export class Notifier {
  readonly #parts: NotifierParts;
  #news: News[] = [];
  /** What a destination was not told yet, by its name. */
  readonly #kept = new Map<string, News[]>();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  #sending: Promise<unknown> = Promise.resolve();

  constructor(parts: NotifierParts) {
    this.#parts = parts;
  }

  report(news: News): void {
    if (this.#closed || this.#parts.names().length === 0) return;
    this.#news.push(news);
    this.#timer ??= setTimeout(() => void this.flush(), GATHER);
  }

  /** Sends what was gathered, in three seconds at most, and takes no more. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.race([this.flush(), sleep(CLOSING, undefined, { ref: false })]);
  }

  /** Sends what was gathered. Never throws: that it could not tell is told to the log. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const gathered = this.#news.splice(0);
    const told = this.#parts.names().map((name) => this.#tell(name, gathered));
    this.#sending = Promise.all([this.#sending, ...told]);
    await this.#sending;
  }

  async #tell(name: string, gathered: News[]): Promise<void> {
    const destination = this.#parts.destination(name);
    const kept = this.#kept.get(name) ?? [];
    this.#kept.delete(name);
    const others = [...kept, ...gathered].filter((news) => !('destination' in news) || news.destination !== name);
    if (!destination?.notify || others.length === 0) return;
    const unsent = (why: object) =>
      this.#parts.log.warn({ step: 'notice.unsent', destination: name, ...why }, 'a notice could not be sent');
    try {
      const outcome = await destination.notify(noticeOf(others));
      if (outcome.kind === 'delivered') return;
      unsent({ detail: outcome.detail });
      if (outcome.kind === 'retry') this.#keep(name, others, outcome.afterMs ?? GATHER);
    } catch (error) {
      unsent({ error: String(error) });
    }
  }

  /** What surely did not arrive is told later: most likely the service is in trouble right when there is news of it. */
  #keep(name: string, news: News[], afterMs: number): void {
    if (this.#closed) return;
    this.#kept.set(name, news.slice(-MOST_KEPT));
    this.#timer ??= setTimeout(() => void this.flush(), Math.max(GATHER, afterMs));
  }
}

/** One message of many news: a title that counts them, and a line each. */
export function noticeOf(news: News[]): Notice {
  const counts = Map.groupBy(news, ({ kind }) => kind);
  const title = [...counts].map(([kind, of]) => TITLES[kind](of.length)).join(', ');
  const lines = news.flatMap(linesOf);
  const kept = lines.slice(0, MOST_LINES);
  if (lines.length > kept.length)
    kept.push(`… and ${lines.length - kept.length} more: versive-relay deliveries --state failed`);
  return { title: `versive-relay: ${title}`, lines: kept };
}

function linesOf(news: News): string[] {
  switch (news.kind) {
    case 'failed':
      return [`${news.delivery} to ${news.destination}, interview ${news.subject}: ${news.detail}. ${news.fix}`];
    case 'halted':
      return [`${news.destination} is halted, and its deliveries wait: ${news.detail}. ${news.fix}`];
    case 'down':
      return [`${news.destination} has not answered for a quarter of an hour, and its deliveries wait: ${news.detail}`];
    case 'quarantined':
      return [`${news.event} is not what Versive documents, and was kept: ${news.reason}`];
    case 'signatures':
      return [
        `source ${news.source}: ${news.failures} requests, none of which its secret signed. Was the secret changed at Versive, or is this machine's clock wrong?`,
      ];
    case 'config':
      return ['The config before stays in force:', ...news.lines];
  }
}
