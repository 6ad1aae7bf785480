import { open, stat } from 'node:fs/promises';
import {
  absent,
  blind,
  type Failure,
  found,
  type Item,
  type Receipt,
  repeatable,
  type Sighting,
} from 'versive-relay/connector';
import { isLineAt, linesBackwards } from './backwards.ts';
import { fileOutcome } from './errors.ts';

/** Bytes of a file's end that are looked through: at 30 KB an interview the last 2,000 of them, in about 0.1 s. */
const MOST = 64 * 2 ** 20;

const UNSEEN = 'whether an earlier try of unknown end wrote the line could not be seen';
const IF_TWICE = 'Should the file have two lines of the interview, delete one.';
const REGULAR = 'Name a file of a disk in `path:`: there the relay can look for what it wrote.';
const SAME = `${UNSEEN}: such a line is there, and other interviews may give the same`;
const IDS = `${IF_TWICE} So that the relay can tell its lines apart, put {{ event.id }} or {{ interview.id }} into \`line:\`.`;
const behind = (file: string) =>
  `${UNSEEN}: it is not in the last ${MOST / 2 ** 20} MB of ${file}, and no more are read`;

/** What is looked for. */
export interface Wanted {
  item: Item;
  /** The bytes that `deliver` would write. */
  line: Buffer;
  /** Whether no other interview can have the same line. */
  isOwn(): boolean;
}

/**
 * Looks for lines from the end of a file on.
 * @param made what is wanted, or why an item gives no line
 * @param receiptAt what `deliver` would have given for the line that begins at an offset
 * @returns the sightings in the same order
 */
export async function findLines(
  file: string,
  made: (Wanted | Failure)[],
  receiptAt: (offset: number) => Receipt,
): Promise<Sighting[]> {
  const wanted = made.filter((each) => 'line' in each);
  const all = (sighting: Sighting) => made.map((each) => ('line' in each ? sighting : each));
  try {
    const there = await stat(file);
    if (there.isDirectory()) throw Object.assign(new Error('a folder'), { code: 'EISDIR' });
    // To open a pipe would wait for its other end.
    if (!there.isFile()) return all(blind(`${UNSEEN}: ${file} cannot be read back`, REGULAR));
    const seen = await look(file, wanted, receiptAt);
    return made.map((each) => ('line' in each ? (seen.get(each) ?? absent()) : each));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return all(absent());
    const failure = fileOutcome(error, file, 'read');
    // Reading does no harm: it may be done again.
    return all(repeatable(failure));
  }
}

/** @returns nothing for what is not there */
async function look(
  file: string,
  wanted: Wanted[],
  receiptAt: (offset: number) => Receipt,
): Promise<Map<Wanted, Sighting>> {
  const seen = new Map<Wanted, Sighting>();
  /** No two items have one line. */
  const taken = new Set<number>();
  const handle = await open(file, 'r');
  try {
    for (const each of wanted) {
      const { receipt } = each.item;
      const offset = offsetOf(receipt, file);
      if (!receipt || offset === undefined || taken.has(offset) || !(await isLineAt(handle, offset))) continue;
      taken.add(offset);
      seen.set(each, found(receipt));
    }
    const rest = new Set(wanted.filter((each) => !seen.has(each)));
    const { size } = await handle.stat();
    const floor = rest.size === 0 ? size : Math.max(0, size - MOST);
    const lengths = new Set([...rest].map(({ line }) => line.length));
    for await (const { offset, bytes } of linesBackwards(handle, { size, floor }, lengths)) {
      const match = taken.has(offset) ? undefined : [...rest].find((each) => isLineOf(each, offset, bytes, file));
      if (!match) continue;
      taken.add(offset);
      rest.delete(match);
      seen.set(match, match.isOwn() ? found(receiptAt(offset)) : blind(SAME, IDS));
      if (rest.size === 0) break;
    }
    if (floor > 0) for (const each of rest) seen.set(each, blind(behind(file), IF_TWICE));
    return seen;
  } finally {
    await handle.close();
  }
}

function isLineOf({ item, line }: Wanted, offset: number, bytes: Buffer, file: string): boolean {
  return bytes.equals(line) && item.earlier.every((receipt) => offsetOf(receipt, file) !== offset);
}

/** Where a receipt says that the line begins; undefined for none, or one of another file. */
function offsetOf(receipt: Receipt | undefined, file: string): number | undefined {
  const { file: its, offset } = receipt ?? {};
  return its === file && typeof offset === 'number' && Number.isSafeInteger(offset) && offset >= 0 ? offset : undefined;
}
