import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { lackOfBfloat16, type Bfloat16Facts } from '../src/engine/bfloat16-support.js';
import { featuresOf } from '../src/engine/processor.js';

function machine(features: readonly string[], capabilities: readonly string[] = []): Bfloat16Facts {
  return { processorFeatures: () => features, computeCapabilities: () => capabilities };
}

describe('bfloat16', () => {
  it('needs a processor with AVX512_BF16, AMX or BF16', () => {
    for (const feature of ['avx512_bf16', 'amx_bf16', 'bf16'])
      assert.equal(lackOfBfloat16('cpu', machine(['avx2', feature])), undefined, feature);
    assert.match(lackOfBfloat16('cpu', machine(['avx2', 'avx512f'])) ?? '', /this processor has no bfloat16/);
    assert.match(lackOfBfloat16('cpu', machine([])) ?? '', /this processor has no bfloat16/);
  });

  it('needs GPUs of compute capability 8.0, all of them, whatever the processor', () => {
    assert.equal(lackOfBfloat16('gpu', machine([], ['8.0', '9.0'])), undefined);
    assert.equal(lackOfBfloat16('gpu', machine([], ['12.0'])), undefined);
    assert.match(
      lackOfBfloat16('gpu', machine(['amx_bf16'], ['9.0', '7.5'])) ?? '',
      /compute capability 7\.5/,
    );
    // Where nobody tells, TensorFlow will.
    assert.equal(lackOfBfloat16('gpu', machine([])), undefined);
  });

  it("is found in Linux's description of the processor, x64's or arm64's", () => {
    assert.deepEqual(
      featuresOf('processor\t: 0\nflags\t\t: fpu avx2 amx_bf16\nbugs\t: x\nflags\t: other\n'),
      ['fpu', 'avx2', 'amx_bf16'],
    );
    assert.deepEqual(featuresOf('processor : 0\nFeatures\t: fp asimd bf16\n'), ['fp', 'asimd', 'bf16']);
    assert.deepEqual(featuresOf(''), []);
  });
});
