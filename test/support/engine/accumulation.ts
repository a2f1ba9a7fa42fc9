import assert from 'node:assert/strict';
import { it } from 'node:test';
import { PHASES, phaseLayout, readMeasures } from '../../../src/model/phase.js';
import { ShardTrainer } from '../../../src/model/shard-trainer.js';
import { readStep } from '../pytorch-step.js';
import { assertClose } from '../relative-error.js';
import { SMALL_TRAINING } from '../small-model.js';
import { computingHandle } from './replica-call.js';
import type { ReplicaFactory } from './replica-factory.js';

/** As far as float32 in another order is from PyTorch: see one-step.ts. */
const GRADIENT_TOLERANCE = 1e-4;
const LOSS_TOLERANCE = 1e-5;

/**
 * A step of two batches, against PyTorch's on the same images and noise as two parts with batch statistics of their own,
 * whose gradients are averaged. For whichever engine is loaded.
 */
export function testAccumulation(makeReplica: ReplicaFactory): void {
  it("has PyTorch's gradients on two batches that are accumulated", async (test) => {
    const expected = await readStep('step-tutorial-64-sharded', 'step-tutorial-64');
    const { model, optimizer, layout, before, real, noise, printed } = expected;
    const batchSize = noise.length / model.latentSize / 2;
    const half = (values: Float32Array, index: number): Float32Array =>
      values.subarray((index * values.length) / 2, ((index + 1) * values.length) / 2);
    const replica = makeReplica(model, optimizer, batchSize);
    replica.restore(before);

    let calls = 0;
    const handle = computingHandle(({ phase, images }) =>
      replica.compute(phase, images, half(noise, calls++ % 2)),
    );
    const training = { ...SMALL_TRAINING, ...model, batchSize, shards: 1, accumulate: 2 };
    const computer = new ShardTrainer(training, handle, {
      read: (batch, _, into) => {
        into.set(half(real, (batch - 1) % 2));
      },
    });
    const measured: number[] = [];
    for (const phase of PHASES) {
      const { vector } = await computer.compute(phase, 1, 0, { step: 2, shard: 0 });
      const { start, end } = phaseLayout(phase, layout).gradient;
      const actual = vector.subarray(start, end);
      const slots = layout[phase].parameters;
      const numbers = { actual, expected: expected.gradient[phase], slots };
      assertClose(test, `${phase} gradients`, numbers, GRADIENT_TOLERANCE);
      measured.push(readMeasures(phase, vector).loss);
      replica.apply(phase, 1, vector);
    }
    replica.dispose();
    assert.equal(calls, 4);
    const losses = [printed.errD, printed.errG];
    for (const [index, loss] of measured.entries())
      assert.ok(Math.abs(loss / losses[index] - 1) <= LOSS_TOLERANCE, `${loss} instead of ${losses[index]}`);
  });
}
