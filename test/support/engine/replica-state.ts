import assert from 'node:assert/strict';
import { it } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { modelLayout } from '../../../src/model/layout.js';
import { shardNoise } from '../../../src/model/noise.js';
import { PHASES } from '../../../src/model/phase.js';
import { EagerReplica } from '../../../src/model/eager-replica.js';
import type { Regularization } from '../../../src/model/regularization.js';
import type { Replica } from '../../../src/model/replica.js';
import { initialState, stateLayout, stateParts } from '../../../src/model/state.js';
import { OPTIMIZER, randomImages, SMALL_MODEL } from '../small-model.js';
import type { ReplicaFactory } from './replica-factory.js';

const BATCH = 2;

/** What a replica keeps, and that it keeps no more. For whichever engine is loaded. */
export function testReplicaState(makeReplica: ReplicaFactory, regularization: Regularization = {}): void {
  const model = { ...SMALL_MODEL, ...regularization };
  const layout = modelLayout(model);
  const { length } = stateLayout(layout);
  const images = randomImages(model, BATCH);
  const noise = (step: number): Float32Array =>
    shardNoise(1, step, 0, new Float32Array(BATCH * model.latentSize));

  /** One step on one shard. */
  const takeStep = (replica: Replica, step: number): void => {
    for (const phase of PHASES)
      replica.apply(
        phase,
        step,
        replica.compute(phase, phase === 'discriminator' ? images : undefined, noise(step)),
      );
  };

  it('holds as many tensors after twenty steps and samples as before, and none when disposed of', () => {
    const before = tf.memory().numTensors;
    const replica = makeReplica(model, OPTIMIZER, BATCH);
    replica.restore(initialState(layout, 1));
    const held = tf.memory();
    for (let step = 1; step <= 20; step++) {
      takeStep(replica, step);
      replica.sample(noise(step));
      if (replica instanceof EagerReplica) replica.generate(noise(step));
      replica.save(new Float32Array(length));
      const { numTensors, numBytes } = tf.memory();
      assert.deepEqual([numTensors, numBytes], [held.numTensors, held.numBytes], `step ${step}`);
    }
    replica.restore(initialState(layout, 2));
    assert.equal(tf.memory().numTensors, held.numTensors, 'restored over another state');
    replica.dispose();
    assert.equal(tf.memory().numTensors, before);
  });

  it('leaves no tensor behind when a call fails', () => {
    const replica = makeReplica(model, OPTIMIZER, BATCH);
    replica.restore(initialState(layout, 1));
    const held = tf.memory().numTensors;
    assert.throws(() => replica.compute('discriminator', images.subarray(1), noise(1)));
    assert.throws(() => replica.compute('discriminator', undefined, noise(1)), /needs images/);
    assert.throws(() => replica.compute('generator', undefined, noise(1).subarray(1)));
    assert.throws(() => {
      replica.apply('generator', 1, new Float32Array(3));
    });
    assert.throws(() => {
      replica.restore(new Float32Array(length - 1));
    }, /do not fit the tensors/);
    assert.equal(tf.memory().numTensors, held);
    replica.dispose();
  });

  it('gives back the very bits it was restored from', () => {
    const given = initialState(layout, 3);
    given.set([-0, 1e-42, -1e-45, 3.4e38, 1 / 3]);
    const replica = makeReplica(model, OPTIMIZER, BATCH);
    replica.restore(given);
    const saved = new Float32Array(length).fill(NaN);
    replica.save(saved);
    replica.dispose();
    assert.deepEqual(new Uint32Array(saved.buffer), new Uint32Array(given.buffer));
  });

  it('takes over and hands out a state part by part, whatever the order', () => {
    const given = initialState(layout, 3);
    const parts = stateParts(stateLayout(layout), 1000);
    assert.ok(parts.length > 3);
    const replica = makeReplica(model, OPTIMIZER, BATCH);
    for (const { start, end } of parts.toReversed()) replica.restore(given.subarray(start, end), start);
    const saved = new Float32Array(length).fill(NaN);
    for (const { start, end } of parts) replica.save(saved.subarray(start, end), start);
    replica.dispose();
    assert.deepEqual(saved, given);
  });

  it('goes on from a saved state to the same bits', () => {
    const run = (from: Float32Array, steps: readonly number[]): Float32Array => {
      const replica = makeReplica(model, OPTIMIZER, BATCH);
      replica.restore(from);
      for (const step of steps) takeStep(replica, step);
      const state = new Float32Array(length);
      replica.save(state);
      replica.dispose();
      return state;
    };
    const start = initialState(layout, 4);
    const whole = run(start, [1, 2, 3, 4]);
    assert.deepEqual(run(run(start, [1, 2]), [3, 4]), whole);
    assert.notDeepEqual(run(start, [1, 2, 3]), whole);
  });

  it('computes the same bits where it has learned from the real images ahead, and else does not see that', () => {
    const start = (): Replica => {
      const replica = makeReplica(model, OPTIMIZER, BATCH);
      replica.restore(initialState(layout, 6));
      return replica;
    };
    const [plain, ahead] = [start(), start()];
    const others = images.map((value) => -value);
    const compare = (step: number, learned: Float32Array): void => {
      const expected = plain.compute('discriminator', images, noise(step));
      ahead.computeRealBatch(learned, noise(learned === images ? step : step + 1));
      const held = tf.memory().numTensors;
      const actual = ahead.compute('discriminator', images, noise(step));
      assert.ok(tf.memory().numTensors <= held);
      assert.deepEqual(actual, expected);
      for (const replica of [plain, ahead]) replica.apply('discriminator', step, expected);
    };
    compare(1, images);
    compare(2, images);
    // Of another batch.
    compare(3, others);
    // It is used once, and with the weights that it was learned with.
    ahead.computeRealBatch(others, noise(4));
    const moved = plain.compute('discriminator', images, noise(3));
    for (const replica of [plain, ahead]) replica.apply('discriminator', 4, moved);
    const fourth = plain.compute('discriminator', images, noise(4));
    assert.deepEqual(ahead.compute('discriminator', images, noise(4)), fourth);
    ahead.computeRealBatch(others, noise(5));
    for (const replica of [plain, ahead]) replica.restore(initialState(layout, 7));
    const expected = plain.compute('discriminator', images, noise(5));
    assert.deepEqual(ahead.compute('discriminator', images, noise(5)), expected);
    // What the generator's mean changes is not what it was learned with.
    const mean = plain.compute('generator', undefined, noise(5));
    ahead.computeRealBatch(images, noise(6));
    for (const replica of [plain, ahead]) replica.apply('generator', 5, mean);
    const after = plain.compute('discriminator', images, noise(6));
    assert.deepEqual(ahead.compute('discriminator', undefined, noise(6)), after);
    plain.dispose();
    ahead.dispose();
  });

  it('does not hold on to the arrays it is given', () => {
    const state = initialState(layout, 5);
    const replica = makeReplica(model, OPTIMIZER, BATCH);
    replica.restore(state);
    const kept = state.slice();
    state.fill(NaN);
    const vector = replica.compute('generator', undefined, noise(1));
    replica.apply('generator', 1, vector);
    vector.fill(NaN);
    const saved = new Float32Array(length);
    replica.save(saved);
    replica.dispose();
    assert.ok(saved.every(Number.isFinite));
    assert.notDeepEqual(saved, kept);
  });
}
