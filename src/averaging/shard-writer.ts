import { bytesOf } from '../common/bytes.js';
import type { PartPool } from './part-pool.js';
import type { Cut } from './vector-cuts.js';

/** A part of a shard's vector, as it is sent and added. */
export interface WrittenPart {
  readonly cut: Cut;
  readonly payload: Uint8Array;
}

/**
 * Writes a shard's vector in the run's wire format, part by part, also for a sum in the same process. Parts in fp32 are
 * views: the vector must not change while they are in use. Parts in bf16 lie in the pool.
 */
export function* writeShard(
  vector: Float32Array,
  cuts: readonly Cut[],
  pool: PartPool,
): Generator<WrittenPart> {
  for (const cut of cuts) {
    const part = vector.subarray(cut.offset, cut.offset + cut.length);
    yield { cut, payload: bytesOf(cut.format === 'fp32' ? part : pool.narrow(part)) };
  }
}
