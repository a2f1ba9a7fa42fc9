import type { CallName, ReplicaCalls } from '../../../src/model/replica-protocol.js';
import type { ReplicaHandle } from '../../../src/model/replica-handle.js';

export type ComputeRequest = ReplicaCalls['compute']['request'];

/** A compute thread that does no more than this for `compute`, and nothing else. */
export function computingHandle(compute: (request: ComputeRequest) => Float32Array): ReplicaHandle {
  const call = async (name: CallName, request: unknown): Promise<ReplicaCalls['compute']['response']> => {
    if (name !== 'compute') throw new Error(`nobody should ask for ${name}`);
    const vector = compute(request as ComputeRequest) as Float32Array<ArrayBuffer>;
    // As another thread would, it answers later.
    await new Promise(setImmediate);
    return { vector, seconds: 0.25 };
  };
  return { call } as unknown as ReplicaHandle;
}
