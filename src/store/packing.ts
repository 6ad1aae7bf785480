import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { ZstdCompress } from 'minizlib';

const require = createRequire(import.meta.url);

/** Level 1 packs a transcript to about a fifth; the checksum finds a body that the disk changed. */
const params = { [constants.ZSTD_c_compressionLevel]: 1, [constants.ZSTD_c_checksumFlag]: 1 };

/** What is written becomes a whole frame each time. */
const EACH_A_FRAME = { flush: constants.ZSTD_e_end, chunkSize: 32_768, params };

/** Undefined before the first body, and after one that failed; null when it is not to be trusted. */
let packer: ZstdCompress | undefined | null;

/**
 * Packs a body as a store keeps it, a whole zstd frame. On the calling thread: by the pool a body of 25 KB takes about twice
 * the processor time, and is stored no sooner. All by one zstd context: to make one takes a third of the time, since zstd then
 * asks the processor what it can, and a virtual machine has to ask its host.
 */
export function packBody(body: Buffer): Buffer {
  if (packer === undefined) packer = trustedPacker();
  return (packer && packBy(packer, body)) ?? zstdCompressSync(body, { params });
}

function packBy(stream: ZstdCompress, body: Buffer): Buffer | undefined {
  try {
    stream.write(body);
    return stream.read() ?? undefined;
  } catch {
    // What it holds now is nobody's.
    packer = undefined;
    return undefined;
  }
}

/**
 * minizlib reaches into what Node.js does not promise to keep (and puts another `Buffer.concat` in place during a call): with
 * another Node.js it might pack something else. Null then, and when it cannot be loaded.
 */
function trustedPacker(): ZstdCompress | null {
  try {
    // With the first body: threads that only unpack do without it.
    const minizlib: typeof import('minizlib') = require('minizlib');
    const stream = new minizlib.ZstdCompress(EACH_A_FRAME);
    // The second one is packed into several pieces.
    const holds = [Buffer.alloc(1_000, 'a trial'), randomBytes(100_000), Buffer.alloc(0)].every((trial) => {
      const packed = packBy(stream, trial);
      return packed !== undefined && unpackBody(packed, trial.length).body.equals(trial);
    });
    return holds ? stream : null;
  } catch {
    return null;
  }
}

/**
 * A body as it was received; empty, with why, when the disk has changed it.
 *
 * @param size its bytes, if they are known: room for them is made at once, and what has others is damaged
 */
export function unpackBody(packed: Uint8Array, size?: number): { body: Buffer; damage?: string } {
  try {
    // A byte more, that zlib sees the end without asking for more room. It takes no less than 64.
    const body = zstdDecompressSync(packed, { chunkSize: Math.max(64, (size ?? 16_000) + 1) });
    // Some versions of Node.js take a frame that was cut short for an empty one.
    if (size !== undefined && body.length !== size) throw new Error(`it has ${body.length} bytes of ${size}`);
    return { body };
  } catch (error) {
    return { body: Buffer.alloc(0), damage: `the stored event cannot be read: ${String(error)}` };
  }
}
