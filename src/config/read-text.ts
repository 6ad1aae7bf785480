import { isUtf8 } from 'node:buffer';
import { readFile, stat } from 'node:fs/promises';
import type { ErrorCode } from '../errors.ts';
import { reason } from './substitute.ts';

/** Why a file's text cannot be read. */
export interface TextProblem {
  code: ErrorCode;
  message: string;
  fix?: string;
  /** Of a file that is not UTF-8: its text up to the first character that is not. */
  before?: string;
}

interface Limits {
  /** What messages call the file. */
  name: string;
  /** Bytes that it may have. */
  most: number;
  /** Does it have to be a file on disk? A pipe that nobody writes to is waited for without end. */
  onDisk: boolean;
}

/** Reads a file of the config; never throws. */
export async function readText(
  file: string,
  { name, most, onDisk }: Limits,
): Promise<{ text: string } | { problem: TextProblem }> {
  try {
    const found = await stat(file);
    if (onDisk && !found.isFile() && !found.isDirectory()) throw new Error('it is no regular file');
    if (found.size > most) return { problem: tooLarge(name, found.size, most) };
    const bytes = await readFile(file);
    const text = bytes.toString('utf8');
    return isUtf8(bytes) ? { text: text.replace(/^\uFEFF/, '') } : { problem: notUtf8(text) };
  } catch (error) {
    return { problem: { code: 'RELAY_CONFIG_NOT_FOUND', message: `${name} cannot be read: ${reason(error)}.` } };
  }
}

function tooLarge(name: string, size: number, most: number): TextProblem {
  const message = `${name} has ${size} bytes, and the relay reads at most ${most}: is it the right file?`;
  return { code: 'RELAY_CONFIG_SYNTAX', message };
}

/** @param text the file read as UTF-8, with a sign for each byte that it is not */
function notUtf8(text: string): TextProblem {
  const message = 'the file is not UTF-8: a character here is written in another encoding.';
  const before = text.slice(0, text.indexOf('\uFFFD'));
  return { code: 'RELAY_CONFIG_SYNTAX', message, fix: 'Save the file as UTF-8.', before };
}
