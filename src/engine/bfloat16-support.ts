import { execFileSync } from 'node:child_process';
import { processorFeatures } from './processor.js';

/** Facts of a machine that determine hardware support for bfloat16. */
export interface Bfloat16Facts {
  /** The processor's features, as Linux names them. */
  processorFeatures(): readonly string[];
  /** Compute capability of each visible GPU, such as "8.0"; empty if unknown. */
  computeCapabilities(): readonly string[];
}

/** Any one of these: AVX512 or AMX with bfloat16 on x64, BF16 on arm64. Without, it is emulated and slower than fp32. */
const PROCESSOR_FEATURES = ['avx512_bf16', 'amx_bf16', 'bf16'];

/** Ampere, the first generation whose tensor cores have bfloat16. */
const LEAST_COMPUTE_CAPABILITY = 8;

/** Why this machine should not compute in bfloat16, for people; undefined where it can. */
export function lackOfBfloat16(
  device: 'cpu' | 'gpu',
  facts: Bfloat16Facts = thisMachine,
): string | undefined {
  if (device === 'gpu') {
    const old = facts
      .computeCapabilities()
      .find((capability) => Number(capability) < LEAST_COMPUTE_CAPABILITY);
    return old === undefined
      ? undefined
      : `a GPU of compute capability ${old} has no bfloat16, which takes 8.0 or more`;
  }
  const features = new Set(facts.processorFeatures());
  return PROCESSOR_FEATURES.some((name) => features.has(name))
    ? undefined
    : 'this processor has no bfloat16 (AVX512_BF16 or AMX), and emulates it slower than fp32';
}

const thisMachine: Bfloat16Facts = {
  processorFeatures,
  computeCapabilities: () => {
    const query = ['--query-gpu=compute_cap', '--format=csv,noheader'];
    try {
      const answer = execFileSync('nvidia-smi', query, {
        encoding: 'utf8',
        timeout: 5_000,
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      return answer.split('\n').filter((line) => /^\d+\.\d+$/.test(line.trim()));
    } catch {
      return [];
    }
  },
};
