import { bytesOf } from '../common/bytes.js';
import type { PartPool } from './part-pool.js';
import type { Int8Writer } from './residuals.js';
import type { Cut } from './vector-cuts.js';

/** A part of a shard's vector, as it is sent and added. */
export interface WrittenPart {
  readonly cut: Cut;
  readonly payload: Uint8Array;
}

/**
 * Writes a shard's vector as the run's wire has it, part by part, also where it is added by whoever computed it. What is
 * not rounded is not copied: the vector must stay as it is while its parts are in use. What is rounded lies in the pool.
 */
export function* writeShard(
  vector: Float32Array,
  cuts: readonly Cut[],
  pool: PartPool,
  writeInt8?: Int8Writer,
): Generator<WrittenPart> {
  for (const cut of cuts) {
    const part = vector.subarray(cut.offset, cut.offset + cut.length);
    switch (cut.operand.format) {
      case 'fp32':
        yield { cut, payload: bytesOf(part) };
        break;
      case 'bf16':
        yield { cut, payload: bytesOf(pool.narrow(part)) };
        break;
      case 'int8':
        if (!writeInt8) throw new Error('nobody keeps what int8 leaves');
        yield { cut, payload: pool.copy(writeInt8(cut, part)) };
    }
  }
}
