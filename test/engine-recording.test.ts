import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { nativeBackend } from '../src/engine/native/index.js';
import { Recording, RecordingError } from '../src/engine/recording/index.js';
import { EagerReplica } from '../src/model/eager-replica.js';
import { modelLayout } from '../src/model/layout.js';
import { shardNoise } from '../src/model/noise.js';
import { PHASES, type Phase } from '../src/model/phase.js';
import { DRAWS, DISCRIMINATOR_BATCHES, shardDraws } from '../src/model/augment-draws.js';
import { AUGMENTATIONS, type StepOptions } from '../src/model/regularization.js';
import { RecordedReplica } from '../src/model/recorded-replica.js';
import { NotFinite } from '../src/model/replica.js';
import { initialState, stateLayout } from '../src/model/state.js';
import { startEngine } from './support/engine/start-engine.js';
import { OPTIMIZER, randomImages, SMALL_MODEL } from './support/small-model.js';

const skip = await startEngine('native');

const floats = (...values: number[]): Float32Array => Float32Array.of(...values);

describe('a recording', { skip }, () => {
  it('runs a function of tensors again and again, on other values than it was recorded with', () => {
    const recording = new Recording(nativeBackend());
    const [x, y] = [recording.input('x', [2]), recording.input('y', [2])];
    const [sum, loss] = recording.record([x, y], (a, b) => {
      const product = tf.mul(a, tf.add(b, 1));
      return [product, tf.sum(product)];
    });
    recording.call({ name: 'both', fetches: [sum, loss] });
    recording.call({ name: 'loss', fetches: [loss] });
    const program = recording.load('fp32');
    assert.deepEqual(program.run('both', { x: floats(1, 2), y: floats(3, 4) }), [floats(4, 10), floats(14)]);
    assert.deepEqual(program.run('loss', { x: floats(-1, 0), y: floats(0.5, 9) }), [floats(-1.5)]);
    program.dispose();
  });

  it('keeps variables from call to call, apart from the arrays they were fed from', () => {
    const recording = new Recording(nativeBackend());
    const x = recording.input('x', [2]);
    const total = recording.variable('total', [2]);
    const [added] = recording.record([total.read(), x], (a, b) => [tf.add(a, b)]);
    recording.call({ name: 'set', effects: [total.assign(x)] });
    recording.call({ name: 'add', fetches: [added], effects: [total.assign(added)] });
    recording.call({ name: 'get', fetches: [total.read()] });
    const program = recording.load('fp32');
    const fed = floats(1, 2);
    program.run('set', { x: fed });
    fed.fill(NaN);
    program.run('add', { x: floats(10, 20) });
    program.run('add', { x: floats(100, 200) });
    assert.deepEqual(program.run('get', {}), [floats(111, 222)]);
    program.dispose();
  });

  it('runs calls that only change something together, each on its own input', () => {
    const { binding } = nativeBackend();
    const recording = new Recording(nativeBackend());
    const names = ['a', 'b', 'c'];
    const variables = names.map((name) => recording.variable(name, [2]));
    for (const [index, name] of names.entries())
      recording.call({ name, effects: [variables[index].assign(recording.input(name, [2]))] });
    recording.call({ name: 'get', fetches: variables.map((variable) => variable.read()) });
    const program = recording.load('fp32');
    program.runTogether(names, { a: floats(1, 2), b: floats(3, 4), c: floats(5, 6) });
    program.runTogether(['c', 'a'], { a: floats(7, 8), c: floats(9, 10) });
    assert.deepEqual(program.run('get', {}), [floats(7, 8), floats(3, 4), floats(9, 10)]);
    const before = binding.getNumOfTensors();
    assert.throws(() => {
      program.runTogether(['a', 'b'], { a: floats(0, 0) });
    }, /a, b takes 2 numbers as b, not none/);
    assert.equal(binding.getNumOfTensors(), before);
    program.dispose();
  });

  it('holds no tensor of the engine between calls', () => {
    const { binding } = nativeBackend();
    const before = [binding.getNumOfTensors(), binding.getNumOfSavedModels()];
    const recording = new Recording(nativeBackend());
    const x = recording.input('x', [3]);
    const [doubled] = recording.record([x], (a) => [tf.mul(a, 2)]);
    recording.call({ name: 'double', fetches: [doubled] });
    const program = recording.load('fp32');
    for (let i = 0; i < 10; i++) program.run('double', { x: floats(i, i, i) });
    assert.throws(() => program.run('double', { x: floats(1) }), /double takes 3 numbers as x, not 1/);
    assert.throws(() => program.run('double', {}), /double takes 3 numbers as x, not none/);
    assert.throws(() => program.run('treble', {}), /no call treble/);
    program.dispose();
    assert.deepEqual([binding.getNumOfTensors(), binding.getNumOfSavedModels()], before);
  });

  it('refuses a call that takes over from one that has not run', () => {
    const recording = new Recording(nativeBackend());
    const x = recording.input('x', [2]);
    const [squared] = recording.record([x], (a) => [tf.square(a)]);
    const [root] = recording.record([x], (a) => [tf.sqrt(tf.square(a))]);
    recording.call({ name: 'square', fetches: [squared] });
    recording.call({ name: 'root', fetches: [root], takesFrom: 'square' });
    const program = recording.load('fp32');
    assert.throws(() => program.run('root', {}), /root takes values from square, which has not run yet/);
    program.run('square', { x: floats(-3, 4) });
    // It needs no input: the squares were kept.
    assert.deepEqual(program.run('root', {}), [floats(3, 4)]);
    program.dispose();
  });

  const refusals: readonly [string, (x: tf.Tensor) => tf.Tensor, RegExp][] = [
    ['reads a tensor made outside', (x) => tf.add(x, outside), /Add(V2)? reads a tensor made outside/],
    ['reads one that the engine has not seen yet', (x) => tf.add(x, fresh), /reads a tensor made outside/],
    ['returns a tensor made outside', () => outside, /the result reads a tensor made outside/],
    [
      "branches on a tensor's value",
      (x) => (tf.sum(x).dataSync()[0] > 0 ? x : tf.neg(x)),
      /cannot read a tensor/,
    ],
    [
      'draws random numbers in the engine',
      (x) => tf.multinomial(tf.softmax(x) as tf.Tensor1D, 1),
      /draws numbers/,
    ],
    ['uses strings', (x) => tf.reshape(tf.tensor1d(['a', 'b']), x.shape), /constants of type DT_STRING/],
  ];
  const outside = tf.square(tf.tensor1d([1, 2]));
  const fresh = tf.tensor1d([1, 2]);
  for (const [what, run, message] of refusals)
    it(`refuses a function that ${what}, and leaves the engine as it was`, () => {
      const recording = new Recording(nativeBackend());
      const x = recording.input('x', [2]);
      const before = tf.memory().numTensors;
      assert.throws(
        () => recording.record([x], (a) => [run(a)]),
        (error) => error instanceof RecordingError && message.test(error.message),
      );
      assert.equal(tf.memory().numTensors, before);
      assert.deepEqual([...tf.square(floats(3)).dataSync()], [9]);
    });
});

for (const [title, regularization] of [
  ['a recorded step', {}],
  ['a recorded step with all regularization', { ema: 0.9, augment: AUGMENTATIONS.join(), r1: 1 }],
] as const)
  describe(title, { skip }, () => {
    const BATCH = 4;
    // An eager replica cuts its parameters out of one vector. With fewer features they would lie there unaligned, for
    // which TensorFlow's processor kernels have another order of adding.
    const MODEL: StepOptions = {
      ...SMALL_MODEL,
      ...regularization,
      ...{ generatorFeatures: 16, discriminatorFeatures: 16 },
    };
    const layout = modelLayout(MODEL);
    const images = randomImages(MODEL, BATCH);
    const noise = (step: number): Float32Array =>
      shardNoise(1, step, 0, new Float32Array(BATCH * MODEL.latentSize));
    const draws = (phase: Phase, step: number): Float32Array | undefined =>
      MODEL.augment === undefined
        ? undefined
        : shardDraws(
            1,
            { phase, batch: step, shard: 0 },
            MODEL.imageSize,
            new Float32Array(DISCRIMINATOR_BATCHES[phase] * BATCH * DRAWS.length),
          );
    const options = {
      ...{ model: MODEL, optimizer: OPTIMIZER, batch: BATCH, samples: BATCH },
      precision: 'fp32',
    } as const;
    const start = (): RecordedReplica => {
      const replica = new RecordedReplica(new Recording(nativeBackend()), options);
      replica.restore(initialState(layout, 1));
      return replica;
    };
    const stateOf = (replica: RecordedReplica): Float32Array => {
      const state = new Float32Array(stateLayout(layout).length);
      replica.save(state);
      return state;
    };

    it('has the gradients, statistics and measures of the eager one, bit for bit', () => {
      const recorded = start();
      const eager = new EagerReplica(MODEL, OPTIMIZER);
      for (let step = 1; step <= 3; step++)
        for (const phase of PHASES) {
          eager.restore(stateOf(recorded));
          const expected = eager.compute(phase, images, noise(step), draws(phase, step));
          const actual = recorded.compute(phase, images, noise(step), draws(phase, step));
          assert.deepEqual(bits(actual), bits(expected), `${phase}, step ${step}`);
          recorded.apply(phase, step, actual);
        }
      eager.dispose();
      recorded.dispose();
    });

    it('has the same gradient whether it draws the images anew or takes them over', () => {
      const replica = start();
      replica.compute('discriminator', images, noise(1), draws('discriminator', 1));
      const takenOver = replica.compute('generator', undefined, noise(1), draws('generator', 1));
      replica.compute('discriminator', images, noise(2), draws('discriminator', 2));
      const anew = replica.compute('generator', undefined, noise(1), draws('generator', 1));
      assert.deepEqual(bits(anew), bits(takenOver));
      replica.dispose();
    });

    it('is the same step in one call and in two halves, bit for bit', () => {
      const [whole, halves] = [start(), start()];
      for (let step = 1; step <= 3; step++)
        for (const phase of PHASES) {
          const { measures, gradientNorm } = whole.train(
            phase,
            step,
            images,
            noise(step),
            draws(phase, step),
          );
          const vector = halves.compute(phase, images, noise(step), draws(phase, step));
          halves.apply(phase, step, vector);
          assert.deepEqual(bits(measures), bits(vector.slice(-measures.length)));
          const { length } = layout[phase].parameters;
          assert.ok(length > 0 && Number.isFinite(gradientNorm));
          const expected = Math.hypot(...vector.subarray(0, layout[phase].parameterCount));
          assert.ok(Math.abs(gradientNorm / expected - 1) < 1e-5, `norm ${gradientNorm}, not ${expected}`);
        }
      assert.deepEqual(bits(stateOf(whole)), bits(stateOf(halves)));
      whole.dispose();
      halves.dispose();
    });

    it('changes nothing where the gradient is not finite, and says so', () => {
      const replica = start();
      const before = stateOf(replica);
      const broken = images.with(5, NaN);
      assert.throws(
        () => replica.train('discriminator', 1, broken, noise(1), draws('discriminator', 1)),
        (error) =>
          error instanceof NotFinite &&
          /discriminator's gradient is not finite at step 1/.test(error.message),
      );
      assert.deepEqual(bits(stateOf(replica)), bits(before));
      replica.dispose();
    });
  });

function bits(values: Float32Array): Uint32Array {
  return new Uint32Array(values.slice().buffer);
}
