import { createRequire } from 'node:module';
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { ZstdCompress } from 'minizlib';

const require = createRequire(import.meta.url);

/** Level 1 packs a transcript to about a fifth; the checksum finds a body that the disk changed. */
const params = { [constants.ZSTD_c_compressionLevel]: 1, [constants.ZSTD_c_checksumFlag]: 1 };

/** What is written becomes a whole frame each time. */
const EACH_A_FRAME = { flush: constants.ZSTD_e_end, chunkSize: 32_768, params };

/** Kept from one body to the next; null when it cannot be trusted. */
let packer: ZstdCompress | undefined | null;

/**
 * At once: by the thread pool a body of 25 KB takes about twice the processor time, and is stored no sooner. All by one zstd
 * context: to make one takes a third of the time, since zstd then asks the processor what it can, and a virtual machine has
 * to ask its host.
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

/** minizlib reaches into what Node.js does not promise to keep: another Node.js might make it pack something else. */
function trustedPacker(): ZstdCompress | null {
  // With the first body: threads that only unpack do without it.
  const minizlib: typeof import('minizlib') = require('minizlib');
  const stream = new minizlib.ZstdCompress(EACH_A_FRAME);
  const trials = ['one trial', 'and another one'].map((text) => Buffer.from(text.repeat(100)));
  const holds = trials.every((trial) => {
    const packed = packBy(stream, trial);
    return packed !== undefined && unpackBody(packed).body.equals(trial);
  });
  return holds ? stream : null;
}

/**
 * A body as it was received; empty, with why, when the disk has changed it.
 *
 * @param size its bytes, as far as they are known: room for them is then made at once
 */
export function unpackBody(packed: Uint8Array, size = 16_000): { body: Buffer; damage?: string } {
  try {
    // A byte more, that zlib sees the end without asking for more room. It takes no less than 64.
    return { body: zstdDecompressSync(packed, { chunkSize: Math.max(64, size + 1) }) };
  } catch (error) {
    return { body: Buffer.alloc(0), damage: `the stored event cannot be read: ${String(error)}` };
  }
}
