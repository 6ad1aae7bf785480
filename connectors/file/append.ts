import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import path from 'node:path';
import { LINE_BREAK, readAt } from './backwards.ts';

/**
 * Appends lines, and returns once the disk has them. What a crash has cut short is completed when its line comes again;
 * before other lines it gets a line break, so that it spoils none of them.
 * @returns where each line begins, in bytes, in the order of the lines, whatever theirs is in the file
 * @throws as the file system does, and then none of the lines is there; an error without a code when that is not sure
 */
export async function append(file: string, lines: Buffer[]): Promise<number[]> {
  const flags = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT;
  // Transcripts are nobody else's business on a shared machine.
  const handle = await open(file, flags, 0o600);
  try {
    const { size } = await handle.stat();
    const torn = await tornEnd(handle, size, Math.max(...lines.map((line) => line.length)));
    const cut = torn.length > 0 ? lines.find((line) => line.subarray(0, torn.length).equals(torn)) : undefined;
    const ordered = cut ? [cut, ...lines.filter((line) => line !== cut)] : lines;
    const gap = torn.length > 0 && !cut ? 1 : 0;
    const places = new Map<Buffer, number>();
    let end = cut ? size - torn.length : size + gap;
    for (const line of ordered) {
      places.set(line, end);
      end += line.length;
    }
    const bytes = Buffer.concat([Buffer.alloc(gap, LINE_BREAK), ...ordered]);
    // Before the lines: no failure after them may look as if they were not there.
    if (size === 0) await syncFolder(path.dirname(file));
    try {
      await handle.appendFile(cut ? bytes.subarray(torn.length) : bytes);
      await handle.datasync();
    } catch (error) {
      await cutBack(handle, size, error);
      throw error;
    }
    return lines.map((line) => places.get(line) as number);
  } finally {
    await handle.close();
  }
}

/** What stands after the last line break, or the end of it: at most `most` bytes. */
async function tornEnd(handle: FileHandle, size: number, most: number): Promise<Buffer> {
  const start = Math.max(0, size - most);
  const end = await readAt(handle, start, size - start);
  return end.subarray(end.lastIndexOf(LINE_BREAK) + 1);
}

async function cutBack(handle: FileHandle, size: number, cause: unknown): Promise<void> {
  try {
    if ((await handle.stat()).size > size) await handle.truncate(size);
  } catch {
    throw new Error('part of the lines may be there', { cause });
  }
}

/** A new file is safe from a power failure only with its entry in the folder. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
