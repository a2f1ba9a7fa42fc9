import { EagerReplica } from '../../src/model/eager-replica.js';
import type { ModelOptions } from '../../src/model/architecture.js';
import { OPTIMIZER } from './small-model.js';
import { lastState } from './trainer/run-results.js';

/** The faces of a run's newest checkpoint as `generate` draws them, before they become bytes. An engine is loaded. */
export async function facesOf(run: string, model: ModelOptions, noise: Float32Array): Promise<Float32Array> {
  const bytes = new Uint8Array(await lastState(run));
  const replica = new EagerReplica(model, OPTIMIZER);
  try {
    replica.restore(new Float32Array(bytes.buffer));
    return replica.generate(noise);
  } finally {
    replica.dispose();
  }
}

/** The largest difference of two arrays of the same length. */
export function largestDifference(one: ArrayLike<number>, other: ArrayLike<number>): number {
  if (one.length !== other.length) throw new Error(`${one.length} numbers and ${other.length}`);
  return Array.from(one).reduce((most, value, i) => {
    const difference = Math.abs(value - other[i]);
    return difference <= most ? most : difference;
  }, 0);
}
