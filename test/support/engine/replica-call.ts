import type { CallName, ReplicaCalls } from '../../../src/model/replica-protocol.js';
import type { ReplicaHandle } from '../../../src/model/replica-handle.js';

export type ComputeRequest = ReplicaCalls['compute']['request'];
export type LearnRequest = ReplicaCalls['computeRealBatch']['request'];

/** A compute thread that does no more than this for `compute` and `computeRealBatch`, and nothing else. */
export function computingHandle(
  compute: (request: ComputeRequest) => Float32Array,
  computeRealBatch: (request: LearnRequest) => void = () => undefined,
): ReplicaHandle {
  const answerTo = (
    name: CallName,
    request: unknown,
  ): (ReplicaCalls['compute'] | ReplicaCalls['computeRealBatch'])['response'] => {
    if (name === 'computeRealBatch') {
      computeRealBatch(request as LearnRequest);
      return { seconds: 0.125 };
    }
    if (name !== 'compute') throw new Error(`nobody should ask for ${name}`);
    return { vector: compute(request as ComputeRequest) as Float32Array<ArrayBuffer>, seconds: 0.25 };
  };
  const call = async (name: CallName, request: unknown): Promise<unknown> => {
    const answer = answerTo(name, request);
    // As another thread would, it answers later.
    await new Promise(setImmediate);
    return answer;
  };
  return { call } as unknown as ReplicaHandle;
}
