import type { FileHandle } from 'node:fs/promises';

/** Bytes read at once. */
const CHUNK = 2 ** 20;

export const LINE_BREAK = 0x0a;

/** A whole line, its line break with it. */
export interface Line {
  /** Where it begins, in bytes. */
  offset: number;
  bytes: Buffer;
}

/** The part of a file from `floor` to `size`, in bytes. */
export interface Reach {
  size: number;
  floor: number;
}

/**
 * The whole lines of a file's end that have one of these lengths (bytes, the line break among them), the last one first.
 * What stands after the last line break is no line: a write was cut short there.
 */
export async function* linesBackwards(
  handle: FileHandle,
  { size, floor }: Reach,
  lengths: ReadonlySet<number>,
): AsyncGenerator<Line> {
  // Where the line ends whose beginning is looked for.
  let end: number | undefined;
  for (let at = size; at > floor; ) {
    const start = Math.max(floor, at - CHUNK);
    const chunk = await readAt(handle, start, at - start);
    for (const begin of beginnings(chunk, start)) {
      if (end !== undefined && lengths.has(end - begin)) {
        const isWithin = end <= start + chunk.length;
        const bytes = isWithin ? chunk.subarray(begin - start, end - start) : await readAt(handle, begin, end - begin);
        yield { offset: begin, bytes };
      }
      end = begin;
    }
    at = start;
  }
}

/** Where lines begin in a chunk, the last one first: after each line break, and where the file begins. */
function* beginnings(chunk: Buffer, start: number): Generator<number> {
  for (let index = chunk.lastIndexOf(LINE_BREAK); index >= 0; ) {
    yield start + index + 1;
    index = index === 0 ? -1 : chunk.lastIndexOf(LINE_BREAK, index - 1);
  }
  if (start === 0) yield 0;
}

/** Whether a whole line begins at a place of a file. */
export async function isLineAt(handle: FileHandle, offset: number): Promise<boolean> {
  if (offset > 0 && (await readAt(handle, offset - 1, 1))[0] !== LINE_BREAK) return false;
  for (let at = offset; ; at += CHUNK) {
    const chunk = await readAt(handle, at, CHUNK);
    if (chunk.includes(LINE_BREAK)) return true;
    if (chunk.length < CHUNK) return false;
  }
}

/** Reads bytes of a file; fewer than asked for where it ends, also when it was cut while it was read. */
export async function readAt(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}
