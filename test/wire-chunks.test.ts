import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bytesOf, floatsOf } from '../src/common/bytes.js';
import { ChunkAssembly, chunkOffsets } from '../src/wire/chunks.js';
import { imageChunkBytes } from '../src/wire/face-chunks.js';
import { Rejection } from '../src/wire/rejection.js';

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

describe('chunks', () => {
  const whole = Uint8Array.from({ length: 10 }, (_, i) => i + 1);
  const part = (offset: number, end: number, total = 10): Parameters<ChunkAssembly['add']>[0] => ({
    offset,
    total,
    payload: whole.subarray(offset, end),
  });

  it('are put together in their order', () => {
    const into = new Uint8Array(10);
    const assembly = new ChunkAssembly(into);
    for (const [offset, end] of [
      [0, 4],
      [4, 9],
    ] as const) {
      assembly.add(part(offset, end));
      assert.equal(assembly.complete, false);
    }
    assembly.add(part(9, 10));
    assert.equal(assembly.complete, true);
    assert.deepEqual(into, whole);
  });

  it('that are not the next one are rejected, and change nothing', () => {
    const into = new Uint8Array(10);
    const assembly = new ChunkAssembly(into);
    assembly.add(part(0, 4));
    const rejected = (chunk: Parameters<ChunkAssembly['add']>[0], reason: string): void => {
      assert.throws(
        () => {
          assembly.add(chunk);
        },
        (error) => error instanceof Rejection && error.reason === reason,
      );
    };
    rejected(part(0, 4), 'unexpected'); // again
    rejected(part(5, 9), 'unexpected'); // one byte left out
    rejected(part(3, 9), 'unexpected'); // one byte twice
    rejected(part(4, 9, 11), 'out_of_range'); // of another array
    assembly.add(part(4, 10));
    assert.deepEqual(into, whole);
    rejected(part(9, 10), 'unexpected'); // beyond the end
  });
});
