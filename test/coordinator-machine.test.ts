import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { UserError } from '../src/common/errors.js';
import { chooseEngine } from '../src/engine/choose-engine.js';
import { engineEnvironment } from '../src/engine/environment.js';
import { visibleGpus } from '../src/engine/gpus.js';

describe('the GPUs of this process', () => {
  const visible = (value: string | undefined, installed: number): number[] =>
    visibleGpus(value === undefined ? {} : { CUDA_VISIBLE_DEVICES: value }, () => installed);

  it('are all that the driver knows, where nothing was said', () => {
    assert.deepEqual([visible(undefined, 0), visible(undefined, 3)], [[], [0, 1, 2]]);
  });

  it("are those of CUDA_VISIBLE_DEVICES, by CUDA's rule: the first that is none hides itself and the rest", () => {
    assert.deepEqual(visible('', 2), []);
    assert.deepEqual(visible('1', 2), [1]);
    assert.deepEqual(visible('1, 0', 2), [1, 0]);
    assert.deepEqual(visible('0,2,1', 2), [0]);
    assert.deepEqual(visible('-1,0', 2), []);
    assert.deepEqual(visible('NoDevFiles', 2), []);
  });
});

describe("the engine's environment", () => {
  it('has the threads of a shard and one GPU at most', () => {
    const alone = engineEnvironment({ threads: 3 });
    assert.equal(alone['TF_NUM_INTRAOP_THREADS'], '3');
    assert.equal(alone['TF_FORCE_GPU_ALLOW_GROWTH'], 'true');
    assert.ok(!('CUDA_VISIBLE_DEVICES' in alone), 'the choice is left to the environment');
    assert.equal(engineEnvironment({ threads: 1, gpu: 2 })['CUDA_VISIBLE_DEVICES'], '2');
  });
});

describe('the choice of an engine', () => {
  it('is wasm where native is not installed, with the reason; native by name is refused', async (t) => {
    const cache = await mkdtemp(join(tmpdir(), 'dcgan-test-'));
    t.after(() => rm(cache, { recursive: true }));
    const auto = await chooseEngine('auto', cache);
    assert.equal(auto.name, 'wasm');
    assert.match(auto.reason ?? '', /^\S.*; \S/);
    assert.deepEqual(await chooseEngine('wasm', cache), { name: 'wasm', reason: undefined });
    await assert.rejects(
      chooseEngine('native', cache),
      (error) =>
        error instanceof UserError &&
        /^the native engine cannot be used: .*, or take --engine wasm$/.test(error.message),
    );
  });
});
