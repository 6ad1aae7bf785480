import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  type CheckFinding,
  type Context,
  type Destination,
  defineConnector,
  delivered,
  type Failure,
  type Item,
  type JsonValue,
  type Limits,
  type Outcome,
  type Receipt,
  reject,
  type Sighting,
  structure,
  unknown,
} from 'versive-relay/connector';
import { z } from 'zod';
import { append } from './file/append.ts';
import { fileOutcome } from './file/errors.ts';
import { findLines, type Wanted } from './file/find.ts';

const options = z.strictObject({
  path: z.string().min(1).describe('The file, relative to the config. It is made when missing; its folder is not.'),
  line: structure()
    .optional()
    .describe(
      'What a line holds, with templates in its strings: an object becomes JSON, a text stays as it is. By default `{id, received_at, event}`.',
    ),
});

/** JSON Lines on disk. An earlier try is known again by its line; docs/connectors.md says what can still double. */
export default defineConnector({
  name: 'file',
  description: 'Appends each event to a file, as a line of JSON.',
  options,
  open: (parsed, context) => new FileDestination(parsed, context),
});

class FileDestination implements Destination {
  readonly target: string;
  readonly limits: Limits;
  /** A dead process writes no more. */
  readonly settles = 0;
  readonly #path: string;
  readonly #line: z.output<typeof options>['line'];

  constructor(parsed: z.output<typeof options>, context: Context) {
    this.#path = path.resolve(context.folder, parsed.path);
    this.#line = parsed.line;
    this.target = `file:${this.#path}`;
    // A disk has no pace; the batch bounds what one write holds in memory.
    this.limits = { key: this.target, calls: 1000, per: 1000, serial: this.target, batch: 100 };
  }

  async deliver(item: Item): Promise<Outcome> {
    const [outcome] = await this.deliverMany([item]);
    return outcome ?? unknown('bug', 'no outcome');
  }

  /** One write and one flush for all. An item with a receipt has its line already; one that gives no line is rejected. */
  async deliverMany(items: Item[]): Promise<Outcome[]> {
    const made = items.map((item) => (item.receipt === undefined ? this.#make(item) : delivered(item.receipt)));
    const lines = made.filter((line) => Buffer.isBuffer(line));
    let offsets: number[] = [];
    let failure: Outcome | undefined;
    try {
      if (lines.length > 0) offsets = await append(this.#path, lines);
    } catch (error) {
      failure = fileOutcome(error, this.#path);
    }
    const places = offsets.values();
    return made.map((line) => {
      if (!Buffer.isBuffer(line)) return line;
      const offset = places.next().value;
      if (failure || offset === undefined) return failure ?? unknown('bug', 'the line has no place');
      return delivered(this.#receiptAt(offset));
    });
  }

  /** An item that gives no line is rejected, as `deliver` does. */
  async find(items: Item[]): Promise<Sighting[]> {
    const made = items.map((item): Wanted | Failure => {
      const line = this.#make(item);
      return Buffer.isBuffer(line) ? { item, line, isOwn: () => this.#isOwn(item) } : line;
    });
    return findLines(this.#path, made, (offset) => this.#receiptAt(offset));
  }

  preview(item: Item): JsonValue {
    return { file: this.#path, line: this.#text(item) };
  }

  async check(): Promise<CheckFinding[]> {
    try {
      const there = await stat(this.#path).catch(ignoreMissing);
      if (there?.isDirectory()) throw Object.assign(new Error('a folder'), { code: 'EISDIR' });
      const folder = path.dirname(this.#path);
      if (!there && !(await stat(folder)).isDirectory())
        throw Object.assign(new Error('no folder'), { code: 'ENOTDIR' });
      await access(there ? this.#path : folder, constants.W_OK | (there ? constants.R_OK : 0));
      return [];
    } catch (error) {
      const failure = fileOutcome(error, this.#path);
      const fix = 'fix' in failure ? failure.fix : `Look at the disk that holds ${this.#path}.`;
      return [{ level: 'error', message: failure.detail, fix }];
    }
  }

  /** The line of an item, or why there is none. */
  #make(item: Item): Buffer | Failure {
    try {
      return Buffer.from(`${this.#text(item)}\n`);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return reject(
        'invalid',
        `the line could not be made: ${why}`,
        'Correct `line:` in the config; the event is kept.',
      );
    }
  }

  /** Whether the line holds the id of its event or of its interview, and would be another one without: no other has it. */
  #isOwn(item: Item): boolean {
    const { event, payload, identity } = item;
    const text = this.#text(item);
    const nameless = { ...payload, interview: { ...payload.interview, id: '' } };
    return (
      [event.id, identity.subject].some((id) => text.includes(id) || text.includes(JSON.stringify(id).slice(1, -1))) &&
      this.#text({ ...item, event: { ...event, id: '' }, payload: nameless }) !== text
    );
  }

  #receiptAt(offset: number): Receipt {
    return { url: pathToFileURL(this.#path).href, file: this.#path, offset };
  }

  #text(item: Item): string {
    const line = this.#line ? this.#line(item) : usualLine(item);
    // JSON has no raw line break; a text might.
    return typeof line === 'string' ? line.replace(/[\r\n]+/g, ' ') : JSON.stringify(line);
  }
}

function usualLine({ event, payload }: Item): JsonValue {
  return { id: event.id, received_at: event.receivedAt.toISOString(), event: payload };
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT') return undefined;
  throw error;
}
