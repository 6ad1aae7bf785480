import { statSync, unwatchFile, watchFile } from 'node:fs';
import PQueue from 'p-queue';
import type { Log } from '../connector.ts';
import type { Finding } from '../errors.ts';
import type { Config } from './config.ts';
import { type Include, matchesOthers } from './include.ts';
import { restartsFor } from './restart.ts';
import { scrubber } from './secrets.ts';

/** Milliseconds between looks at the files: a change is followed within two seconds, with room. */
const LOOK = 1_000;
/** Milliseconds from a change that was seen to the reading: whoever writes several files is done by then. */
const SETTLE = 200;

export interface ReloadParts {
  load: () => Promise<{ config: Config | undefined; findings: Finding[]; files: string[]; include: Include }>;
  /**
   * Does everything that can fail for a new config.
   *
   * @returns what puts it in force
   */
  prepare: (config: Config) => Promise<() => Promise<void>>;
  /** Told after each try; of a refused config also what is wrong, a line each. */
  ended: (taken: boolean, wrong: string[]) => void;
  /** Told of each config that came into force in place of another. */
  taken: (before: Config, after: Config) => void;
  log: Log;
}

/** Holds the config in force, and puts a changed one in its place: whole, or not at all. */
export class Reloader {
  readonly #parts: ReloadParts;
  readonly #queue = new PQueue({ concurrency: 1 });
  #config: Config;
  #secrets: string[];
  /** All that the last reading looked at, also one that was refused. */
  #files: string[];
  #include: Include;
  #readAt: number;
  #closed = false;
  #unwatch: (() => void) | undefined;
  #settling: NodeJS.Timeout | undefined;
  #scrub: (text: string) => string;

  constructor(first: Config, parts: ReloadParts) {
    this.#parts = parts;
    this.#config = first;
    this.#secrets = first.secrets;
    this.#files = first.files;
    this.#include = first.include;
    this.#readAt = first.readAt;
    this.#scrub = scrubber(first.secrets);
  }

  get config(): Config {
    return this.#config;
  }

  /** Cuts out the secrets of this config and of those before: what they sent may still come back. */
  scrub(text: string): string {
    return this.#scrub(text);
  }

  /** Reads the config again. A bad one changes nothing, nor does any after `close`; gives whether it was taken. Never throws. */
  reload(): Promise<boolean> {
    return this.#queue.add(async () => {
      if (this.#closed) return false;
      const wrong = await this.#readAgain();
      this.#parts.ended(wrong === undefined, wrong ?? []);
      return wrong === undefined;
    });
  }

  /**
   * Reloads by itself when one of the config's files changes, or when it would include others. It looks at them instead of
   * asking the system to tell: that also works for mounted folders, for links that are swapped, and for editors that write
   * a new file.
   */
  watch(): void {
    this.#unwatch?.();
    const files = this.#files;
    const look = (now: { mtimeMs: number; size: number; ino: number }, before: typeof now) => {
      const same = now.mtimeMs === before.mtimeMs && now.size === before.size && now.ino === before.ino;
      if (!same) this.#soon();
    };
    for (const file of files) watchFile(file, { interval: LOOK, persistent: false }, look);
    const looking = setInterval(() => void this.#lookForOthers(), LOOK).unref();
    this.#unwatch = () => {
      for (const file of files) unwatchFile(file, look);
      clearInterval(looking);
      this.#unwatch = undefined;
    };
    // What changed between the reading and the watch.
    if (files.some((file) => Math.floor(statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0) > this.#readAt))
      void this.reload();
  }

  /** Looks for files that were added to what the config includes, or taken from it. */
  async #lookForOthers(): Promise<void> {
    const include = this.#include;
    const others = await matchesOthers(include);
    // Unless the config was read again meanwhile.
    if (others && include === this.#include) this.#soon();
  }

  #soon(): void {
    if (this.#closed) return;
    this.#settling ??= setTimeout(() => {
      this.#settling = undefined;
      void this.reload();
    }, SETTLE).unref();
  }

  /** Ends the watch, and waits for a reload under way. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#unwatch?.();
    clearTimeout(this.#settling);
    await this.#queue.onIdle();
  }

  /** Gives what is wrong, or undefined when the new config is in force. */
  async #readAgain(): Promise<string[] | undefined> {
    const { log } = this.#parts;
    try {
      const readAt = Date.now();
      const { config: next, findings, files, include } = await this.#parts.load();
      this.#readAt = readAt;
      this.#include = include;
      const others = files.join() !== this.#files.join();
      this.#files = files;
      if (others && this.#unwatch && !this.#closed) this.watch();
      if (!next) {
        const errors = findings.filter(({ level }) => level === 'error').map(line);
        log.warn({ step: 'config.refused', errors }, 'the config has errors; the one before stays in force');
        return errors;
      }
      const enforce = await this.#parts.prepare(next);
      this.#warnOfRestart(next);
      this.#secrets = [...new Set([...this.#secrets, ...next.secrets])].sort((a, b) => b.length - a.length);
      this.#scrub = scrubber(this.#secrets);
      const before = this.#config;
      this.#config = { ...next, server: before.server, store: before.store };
      await enforce();
      const { table, destinations } = next;
      log.info(
        { step: 'config.reloaded', routes: table.routes.length, destinations: destinations.size },
        'config reloaded',
      );
      this.#parts.taken(before, next);
      return undefined;
    } catch (error) {
      const why = this.scrub(error instanceof Error ? error.message : String(error));
      log.warn({ step: 'config.failed', error: why }, 'the new config could not be put in force');
      return [why];
    }
  }

  /** `server` and `store` are opened once. */
  #warnOfRestart(next: Config): void {
    const changed = restartsFor(this.#config, next);
    if (changed.length === 0) return;
    const message = `${changed.join(' and ')} changed: that needs a restart; everything else is in force`;
    this.#parts.log.warn({ step: 'config.restart', changed }, message);
  }
}

function line(finding: Finding): string {
  const { file, path, message } = finding;
  return `${file}:${finding.line}:${finding.column} ${path === '' ? '' : `${path}: `}${message}`;
}
