import path from 'node:path';
import { diff, styleText } from 'node:util';
import type { Config } from '../config/config.ts';
import { openDestination } from '../config/open.ts';
import { scrubber } from '../config/secrets.ts';
import type { Destination } from '../connector.ts';
import type { JsonObject } from '../model.ts';
import { renderItem } from '../render/item.ts';
import { formerOf } from '../route/plan.ts';
import { clip } from '../text.ts';
import type { Compared } from './plan-events.ts';
import { type Previewed, previewOf, textOf } from './previewed.ts';
import { count, plain } from './words.ts';

/** Lines of a difference that are shown, their characters, and the lines around each change. */
const SHOWN = 24;
const WIDTH = 100;
const AROUND = 2;

/** A destination that both configs have, and that is another one in some way. */
interface Pair {
  /** As the new config calls it, and the present one. */
  name: string;
  former: string;
  before: Destination;
  after: Destination;
  /** Events that go there before and after. */
  both: number;
  /** Those of them that it would be sent otherwise. */
  differ: number;
  /** Those of them that would be rejected after, and not before. */
  rejected: number;
  first: { event: string; before: string[]; after: string[] } | undefined;
}

/** What destinations would be sent before and after a change of the config. Makes no call. */
export class PlannedPreviews implements AsyncDisposable {
  readonly #before: Config;
  readonly #after: Config;
  readonly #pairs = new Map<string, Pair>();
  readonly #scrub: (text: string) => string;

  constructor(before: Config, after: Config) {
    this.#before = before;
    this.#after = after;
    const secrets = [...before.secrets, ...after.secrets].sort((a, b) => b.length - a.length);
    this.#scrub = scrubber(secrets);
    const placeOf = ({ file, timezone }: Config) => ({ folder: path.dirname(file), timezone });
    const [from, to] = [placeOf(before), placeOf(after)];
    for (const next of after.destinations.values()) {
      const present = formerOf(next, before.destinations);
      if (!present || (from.folder === to.folder && present.fingerprint === next.fingerprint)) continue;
      const opened = { before: openDestination(present, from), after: openDestination(next, to) };
      const counts = { both: 0, differ: 0, rejected: 0, first: undefined };
      this.#pairs.set(next.name, { name: next.name, former: present.name, ...opened, ...counts });
    }
  }

  /** Gives the destinations that would be sent this event otherwise. */
  add(compared: Compared): string[] {
    return compared.after.destinations.filter((name) => {
      const pair = this.#pairs.get(name);
      return pair && compared.before.destinations.includes(pair.former) && this.#differs(pair, compared);
    });
  }

  #differs(pair: Pair, { event, body, payload }: Compared): boolean {
    const identity = { destination: pair.former, subject: payload.interview.id, generation: 1 };
    const shown = { event, body, identity, receipt: undefined, earlier: [] };
    const before = previewOf(pair.before, renderItem(shown, this.#before.timezone));
    const after = previewOf(pair.after, renderItem(shown, this.#after.timezone));
    pair.both += 1;
    if (JSON.stringify([before.preview, before.error]) === JSON.stringify([after.preview, after.error])) return false;
    pair.differ += 1;
    if (after.error !== undefined && before.error === undefined) pair.rejected += 1;
    pair.first ??= { event: event.id, ...this.#texts(before, after) };
    return true;
  }

  /** As drawn for people; where that shows no difference, the whole JSON. */
  #texts(before: Previewed, after: Previewed): { before: string[]; after: string[] } {
    const drawn = [before, after].map(({ drawn: lines, error }) =>
      error === undefined ? textOf(lines) : [`It would be rejected: ${error}`],
    );
    const json = [before, after].map(({ preview }) => JSON.stringify(preview ?? null, undefined, 2).split('\n'));
    const [first = [], second = []] = drawn[0]?.join('\n') === drawn[1]?.join('\n') ? json : drawn;
    const clean = (lines: string[]) => lines.map((line) => clip(plain(this.#scrub(line)), WIDTH));
    return { before: clean(first), after: clean(second) };
  }

  /** How many events each destination would be sent otherwise, and how many of these it would reject. */
  get changed(): { changed: JsonObject; rejected: JsonObject } {
    const counts = (of: 'differ' | 'rejected') =>
      Object.fromEntries([...this.#pairs.values()].filter((pair) => pair[of] > 0).map((pair) => [pair.name, pair[of]]));
    return { changed: counts('differ'), rejected: counts('rejected') };
  }

  /** Destinations that write to another place than before: `research-alerts: slack:C1 → slack:C2`. */
  get moved(): string[] {
    const pairs = [...this.#pairs.values()].filter(({ before, after }) => before.target !== after.target);
    return pairs.map(({ name, before, after }) => this.#scrub(`${name}: ${before.target} → ${after.target}`));
  }

  /** Writes which destinations would be sent something else, each with the first difference. */
  print(stream: NodeJS.WriteStream): void {
    for (const { name, both, differ, rejected, first } of this.#pairs.values()) {
      if (!first) continue;
      const title = styleText('bold', name, { stream });
      stream.write(
        `\n${title}  ${differ} of the ${count(both, 'event')} that go there either way would look different\n`,
      );
      if (rejected > 0) {
        stream.write(`  ${styleText('red', `${rejected} of them would be rejected`, { stream })}\n`);
      }
      stream.write(`  ${styleText('dim', `${first.event}, before (−) and after (+):`, { stream })}\n`);
      printDiff(first.before, first.after, stream);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const all = [...this.#pairs.values()].flatMap(({ before, after }) => [before, after]);
    await Promise.allSettled(all.map((destination) => destination.close?.()));
  }
}

/** Writes the lines that differ, with some around them. */
function printDiff(before: string[], after: string[], stream: NodeJS.WriteStream): void {
  const lines = diff(before, after);
  const near = lines.map((_, at) =>
    lines.slice(Math.max(0, at - AROUND), at + AROUND + 1).some(([kind]) => kind !== 0),
  );
  const shown: string[] = [];
  lines.forEach(([kind, text], at) => {
    if (near[at] && near[at - 1] === false) shown.push(styleText('dim', '…', { stream }));
    if (!near[at]) return;
    const line = `${kind === 1 ? '−' : kind === -1 ? '+' : ' '} ${text}`.trimEnd();
    shown.push(kind === 0 ? line : styleText(kind === 1 ? 'red' : 'green', line, { stream }));
  });
  for (const line of shown.slice(0, SHOWN)) stream.write(`    ${line}\n`.replace(/ +\n$/, '\n'));
  const left = shown.length - SHOWN;
  if (left > 0) stream.write(`    ${styleText('dim', `… and ${left} more lines`, { stream })}\n`);
}
