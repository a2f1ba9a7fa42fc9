import { bytesOf } from '../common/bytes.js';
import type { PartPool } from './part-pool.js';
import type { Cut } from './vector-cuts.js';

/** A part of a shard's vector, as it is sent and added. */
export interface WrittenPart {
  readonly cut: Cut;
  readonly payload: Uint8Array;
}

/**
 * Writes a shard's vector as the run's wire has it, part by part, also where it is added by whoever computed it. What is
 * not rounded is not copied: the vector must stay as it is while its parts are in use.
 */
export function* writeShard(
  vector: Float32Array,
  cuts: readonly Cut[],
  pool: PartPool,
): Generator<WrittenPart> {
  for (const cut of cuts) {
    const part = vector.subarray(cut.offset, cut.offset + cut.length);
    yield { cut, payload: bytesOf(cut.operand.format === 'bf16' ? pool.narrow(part) : part) };
  }
}
