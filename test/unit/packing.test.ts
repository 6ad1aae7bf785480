import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import { describe, it } from 'node:test';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { packBody, unpackBody } from '../../src/store/packing.ts';

describe('packing', () => {
  it('gives back every body as it was, whatever was packed before it', () => {
    const text = Buffer.from('{"speaker": "participant", "text": "I could not find the button"}, '.repeat(400));
    const sizes = [0, 1, 63, 64, 1_000, 16_000, 25_000, 32_768, 40_000, 131_072, 1_000_000, 5_000_000];
    const bodies = sizes.flatMap((size) => [randomBytes(size), Buffer.alloc(size, text)]);
    const packed = bodies.map(packBody);
    assert.ok((packed.at(-1)?.length ?? 0) < 100_000, 'it is packed');
    for (const [index, body] of bodies.entries()) {
      assert.ok(unpackBody(packed[index] as Buffer, body.length).body.equals(body), `${body.length} bytes`);
      // A frame like any other: what reads it need not be this program.
      assert.ok(zstdDecompressSync(packed[index] as Buffer).equals(body));
    }
  });

  it('says that a body was changed, and reads the next one', () => {
    const body = Buffer.from('what a participant said '.repeat(1_000));
    const packed = packBody(body);
    for (const at of [0, packed.length - 1, packed.length >> 1]) {
      const changed = Buffer.from(packed);
      changed[at] = (changed[at] ?? 0) ^ 0xff;
      const { body: read, damage } = unpackBody(changed);
      assert.equal(read.length, 0);
      assert.match(damage ?? '', /cannot be read/);
    }
    assert.match(unpackBody(packed.subarray(0, -5)).damage ?? '', /cannot be read/);
    assert.ok(unpackBody(packed).body.equals(body));
    assert.ok(unpackBody(zstdCompressSync(body)).body.equals(body), 'also one that another program packed');
  });

  it('goes by zstd alone while the way with one context fails', (t) => {
    const { ZstdCompress } = createRequire(import.meta.url)('minizlib');
    const write = t.mock.method(Object.getPrototypeOf(Object.getPrototypeOf(ZstdCompress.prototype)), 'write', () => {
      throw new Error('not with this Node.js');
    });
    const bodies = Array.from({ length: 3 }, () => randomBytes(50_000));
    const packed = bodies.map(packBody);
    assert.ok(write.mock.callCount() > 0);
    write.mock.restore();
    packed.push(...bodies.map(packBody));
    for (const [index, each] of packed.entries()) assert.ok(unpackBody(each).body.equals(bodies[index % 3] as Buffer));
  });

  it('says that a body has not the bytes that it had', () => {
    assert.match(unpackBody(packBody(Buffer.from('short')), 1_000).damage ?? '', /5 bytes of 1000/);
  });
});
