import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bytesOf, floatsOf } from '../src/common/bytes.js';
import { chunkOffsets } from '../src/wire/chunks.js';
import { imageChunkBytes } from '../src/wire/face-chunks.js';
import { Content, type Bodies } from '../src/wire/message.js';
import { Rejection } from '../src/wire/rejection.js';
import { ExpectedChunks } from '../src/wire/vector-chunks.js';

const MIB = 1024 * 1024;

describe('an array', () => {
  it('is cut into chunks of a MiB and what is left', () => {
    assert.deepEqual([...chunkOffsets(0)], []);
    assert.deepEqual([...chunkOffsets(1)], [{ offset: 0, length: 1 }]);
    assert.deepEqual([...chunkOffsets(MIB)], [{ offset: 0, length: MIB }]);
    assert.deepEqual(
      [...chunkOffsets(2 * MIB + 12)],
      [
        { offset: 0, length: MIB },
        { offset: MIB, length: MIB },
        { offset: 2 * MIB, length: 12 },
      ],
    );
  });

  it('of floats is its own little-endian bytes, not a copy', () => {
    const floats = new Float32Array(new SharedArrayBuffer(16), 4, 2);
    floats.set([1, -2]);
    const bytes = bytesOf(floats);
    assert.deepEqual(Buffer.from(bytes).toString('hex'), '0000803f' + '000000c0');
    bytes.set([0, 0, 0, 0x40]);
    assert.equal(floats[0], 2);
  });

  it('of bytes is its floats, a copy only where it lies unaligned', () => {
    const buffer = new ArrayBuffer(16);
    const aligned = new Uint8Array(buffer, 4, 8);
    bytesOf(new Float32Array(buffer)).set(bytesOf(Float32Array.of(7, 1, -2, 9)));
    assert.deepEqual(floatsOf(aligned), Float32Array.of(1, -2));
    assert.equal(floatsOf(aligned).buffer, buffer);
    const odd = new Uint8Array(new ArrayBuffer(9), 1);
    odd.set(aligned);
    assert.deepEqual(floatsOf(odd), Float32Array.of(1, -2));
  });

  it('of images is cut between them, at least one in a chunk', () => {
    assert.equal(imageChunkBytes(32 * 32 * 3), 341 * 32 * 32 * 3);
    assert.equal(imageChunkBytes(MIB), MIB);
    assert.equal(imageChunkBytes(MIB + 1), MIB + 1);
  });
});

describe('the chunks of a vector', () => {
  const parts = [
    { offset: 0, format: 'fp32', bytes: 16 },
    { offset: 4, format: 'fp32', bytes: 20 },
    { offset: 9, format: 'fp32', bytes: 4 },
  ] as const;
  const part = (offset: number, end: number, total = 10): Bodies['chunk'] => ({
    ...{ content: Content.GRADIENT, shard: 0, request: 0, offset: 4 * offset, total: 4 * total },
    payload: new Uint8Array(4 * (end - offset)),
  });

  it('are taken in their order', () => {
    const expected = new ExpectedChunks(10, parts);
    assert.equal(expected.take(part(0, 4)), 0);
    assert.equal(expected.take(part(4, 9)), 1);
    assert.equal(expected.complete, false);
    assert.equal(expected.take(part(9, 10)), 2);
    assert.equal(expected.complete, true);
  });

  it('that are not the next one are rejected, and change nothing', () => {
    const expected = new ExpectedChunks(10, parts);
    expected.take(part(0, 4));
    const rejected = (chunk: Bodies['chunk'], reason: string): void => {
      assert.throws(
        () => {
          expected.take(chunk);
        },
        (error) => error instanceof Rejection && error.reason === reason,
      );
    };
    rejected(part(0, 4), 'unexpected'); // again
    rejected(part(5, 9), 'unexpected'); // one number left out
    rejected(part(3, 9), 'unexpected'); // one number twice
    rejected(part(4, 9, 11), 'out_of_range'); // of another vector
    rejected(part(4, 8), 'out_of_range'); // too short
    expected.take(part(4, 9));
    expected.take(part(9, 10));
    rejected(part(9, 10), 'unexpected'); // beyond the end
  });
});
