import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { FileDigest, withDigest } from '../src/run/checkpoint/digest.js';
import { modelLayout } from '../src/model/layout.js';
import { stateLayout } from '../src/model/state.js';
import { readStats } from './support/trainer/run-results.js';
import { SMALL_MODEL } from './support/small-model.js';
import { Workplace } from './support/trainer/workplace.js';

describe('a gradient that is not finite', () => {
  let workplace: Workplace;
  before(async () => {
    workplace = await Workplace.make();
  });
  after(() => workplace.remove());

  /** Puts NaN into a tensor of a checkpoint, which stays whole. */
  async function spoil(path: string, tensor: string): Promise<void> {
    const file = await readFile(path);
    const start = 8 + Number(file.readBigUInt64LE(0));
    const slot = stateLayout(modelLayout(SMALL_MODEL)).slots.find(({ name }) => name === tensor);
    file.writeFloatLE(NaN, start + 4 * (slot?.offset ?? assert.fail(`there is no ${tensor}`)));
    const digest = new FileDigest(file.subarray(0, start));
    digest.add(file.subarray(start));
    file.set(withDigest(file.subarray(0, start), digest.end().file));
    await writeFile(path, file);
  }

  // NaN in a kernel of the discriminator makes all of its gradients NaN. In a moment of its Adam it comes into the
  // kernel with the update, and the generator's gradient is the first to see it.
  for (const [shards, engine, tensor, network] of [
    ['1', 'auto', 'discriminator.parameters.layer1.kernel', 'discriminator'],
    ['1', 'auto', 'discriminator.secondMoment.layer1.kernel', 'generator'],
    ['2', 'auto', 'discriminator.secondMoment.layer1.kernel', 'generator'],
    ['1', 'wasm', 'discriminator.parameters.layer1.kernel', 'discriminator'],
  ] as const)
    it(`of the ${network} ends the run after the third time, with ${shards} shard(s) on the ${engine} engine`, async () => {
      const run = `${engine}-${shards}-${network}`;
      const args = ['--single-node', '--engine', engine, '--sample-every', '0', '--steps'];
      const trained = `${engine}-${shards}`;
      if (!existsSync(workplace.path(trained)))
        await workplace.quietRun(trained, ['--shards', shards, ...args, '2']);
      await workplace.copyRun(trained, run);
      const checkpoint = `${run}/checkpoints/step-000002.safetensors`;
      await spoil(workplace.path(checkpoint), tensor);
      const before = await readFile(workplace.path(checkpoint));
      const { code, lines } = await workplace.start(['train', '--resume', run, ...args, '4']).ended();
      assert.equal(code, 1, lines.join('\n'));
      assert.equal(
        lines[lines.length - 1],
        `coordinator: the ${network}'s gradient is not finite at step 3 (layer 0, kernel; computed by this process, ` +
          `shard 0) for the third time; the last checkpoint is ${checkpoint}: resume it with --resume ${run}`,
      );
      assert.equal((await readStats(workplace.path(run))).length, 2);
      assert.deepEqual(await readFile(workplace.path(checkpoint)), before);
    });

  // Adam's second moment makes the kernel NaN with the update of step 3, which the generator's gradient sees.
  for (const [name, how, computer] of [
    ['one process', ['--single-node'], 'this process'],
    ['workers', ['--workers', '2', '--topology', 'ring'], 'worker 0'],
  ] as const)
    it(`of a shard on its own ends the run after the third time, and is averaged with no other, with ${name}`, async () => {
      const run = `local-${how.length}`;
      const options = ['--shards', '2', '--local-steps', '2', '--sample-every', '0', '--steps'];
      if (!existsSync(workplace.path('local'))) await workplace.quietRun('local', [...options, '2']);
      await workplace.copyRun('local', run);
      const checkpoint = `${run}/checkpoints/step-000002.safetensors`;
      await spoil(workplace.path(checkpoint), 'discriminator.secondMoment.layer1.kernel');
      const { code, lines } = await workplace
        .start(['train', '--resume', run, '--steps', '6', ...how])
        .ended();
      assert.equal(code, 1, lines.join('\n'));
      assert.equal(
        lines[lines.length - 1],
        "coordinator: the state after the local steps up to step 4 is not finite (the generator's gradient of step 3; " +
          `computed by ${computer}, shard 0) for the third time; the last checkpoint is ${checkpoint}: ` +
          `resume it with --resume ${run}`,
      );
      assert.equal((await readStats(workplace.path(run))).length, 2);
    });
});
