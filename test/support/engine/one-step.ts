import assert from 'node:assert/strict';
import { it, type TestContext } from 'node:test';
import { NETWORKS } from '../../../src/model/architecture.js';
import { PHASES, phaseLayout, readMeasures, type Phase } from '../../../src/model/phase.js';
import { EagerReplica } from '../../../src/model/eager-replica.js';
import type { Replica } from '../../../src/model/replica.js';
import { stateLayout } from '../../../src/model/state.js';
import { readFixture } from '../pytorch-fixtures.js';
import { channelsLast } from '../pytorch-layout.js';
import { readStep, stateFrom, type Printed, type PyTorchStep } from '../pytorch-step.js';
import { assertClose, assertTensorClose } from '../relative-error.js';
import type { ReplicaFactory } from './replica-factory.js';

// Relative to a tensor's largest value. PyTorch's own float32 is within 1e-5 (gradients) and 1e-6 of its float64.
const GRADIENT_TOLERANCE = 1e-4;
const PARAMETER_TOLERANCE = 1e-6;
const STATISTICS_TOLERANCE = 1e-5;
const IMAGE_TOLERANCE = 1e-4;
const LOSS_TOLERANCE = 1e-5;

/** The tutorial's step through a Replica, against PyTorch's. For whichever engine is loaded. */
export function testStep(makeReplica: ReplicaFactory): void {
  for (const name of ['step-tutorial-64', 'step-paper-32', 'step-tutorial-128'])
    it(`takes PyTorch's step: ${name}`, async (test) => {
      compareStep(test, makeReplica, await readStep(name));
    });

  it("takes PyTorch's step on two shards: gradients and statistics are the mean over both", async (test) => {
    compareStep(test, makeReplica, await readStep('step-tutorial-64-sharded', 'step-tutorial-64'));
  });
}

/** Faces drawn for `generate`. For whichever engine is loaded. */
export function testDrawing(): void {
  it("draws the image of PyTorch's eval() from the running statistics", async (test) => {
    const { model, optimizer, layout } = await readStep('step-tutorial-64');
    const drawn = await readFixture('eval.safetensors');
    const [noise, image] = [drawn.get('noise'), drawn.get('image')];
    assert.ok(noise && image);
    const replica = new EagerReplica(model, optimizer);
    const trained = await readFixture('step-tutorial-64.safetensors');
    replica.restore(stateFrom(trained, layout, (network) => `after.${network}`));
    const actual = replica.generate(noise.values);
    replica.dispose();
    assertTensorClose(test, 'image', { actual, expected: channelsLast(image) }, IMAGE_TOLERANCE);
  });
}

function compareStep(test: TestContext, makeReplica: ReplicaFactory, expected: PyTorchStep): void {
  const { model, optimizer, layout, before, noise, fake, printed } = expected;
  const batch = noise.length / model.latentSize / expected.shards;
  const replica = makeReplica(model, optimizer, batch);
  replica.restore(before);
  // With several shards each has batch statistics of its own, and the fixture no images.
  if (expected.shards === 1) {
    const actual = corner(replica.sample(noise), model.imageSize, fake.side);
    assertTensorClose(test, 'images', { actual, expected: fake.pixels }, IMAGE_TOLERANCE);
  }

  const vectors = {} as Record<Phase, Float32Array>;
  for (const phase of PHASES) {
    const vector = average(computeShards(replica, phase, expected));
    const { gradient } = phaseLayout(phase, layout);
    const actual = vector.subarray(gradient.start, gradient.end);
    const slots = layout[phase].parameters;
    assertClose(
      test,
      `${phase} gradients`,
      { actual, expected: expected.gradient[phase], slots },
      GRADIENT_TOLERANCE,
    );
    replica.apply(phase, 1, vector);
    vectors[phase] = vector;
  }
  compareMeasures(vectors, printed);

  const { length, spans } = stateLayout(layout);
  const after = new Float32Array(length);
  replica.save(after);
  replica.dispose();
  for (const network of NETWORKS) {
    const part = (name: 'parameters' | 'runningStatistics'): Float32Array =>
      after.subarray(spans[network][name].start, spans[network][name].end);
    const { parameters, statistics } = expected.after[network];
    assertClose(
      test,
      `${network} parameters after the step`,
      { actual: part('parameters'), expected: parameters, slots: layout[network].parameters },
      PARAMETER_TOLERANCE,
    );
    assertClose(
      test,
      `${network} running statistics after the step`,
      { actual: part('runningStatistics'), expected: statistics, slots: layout[network].statistics },
      STATISTICS_TOLERANCE,
    );
  }
}

/** The phase's vector of each shard, in order: the batch is cut into equal parts. */
function computeShards(replica: Replica, phase: Phase, { shards, real, noise }: PyTorchStep): Float32Array[] {
  const part = (values: Float32Array, shard: number): Float32Array => {
    const size = values.length / shards;
    return values.subarray(shard * size, (shard + 1) * size);
  };
  return Array.from({ length: shards }, (_, shard) =>
    replica.compute(phase, phase === 'discriminator' ? part(real, shard) : undefined, part(noise, shard)),
  );
}

function average(vectors: readonly Float32Array[]): Float32Array {
  const [first, ...others] = vectors;
  assert.ok(first);
  const sum = first.slice();
  for (const vector of others) vector.forEach((value, index) => (sum[index] = sum[index] + value));
  return sum.map((value) => value / vectors.length);
}

function compareMeasures(vectors: Record<Phase, Float32Array>, printed: Printed): void {
  const discriminator = readMeasures('discriminator', vectors.discriminator);
  const generator = readMeasures('generator', vectors.generator);
  for (const [name, actual] of [
    ['errD', discriminator.loss],
    ['D_x', discriminator.realScore],
    ['D_G_z1', discriminator.fakeScore],
    ['errG', generator.loss],
    ['D_G_z2', generator.fakeScore],
  ] as const) {
    const error = Math.abs(actual / printed[name] - 1);
    assert.ok(error <= LOSS_TOLERANCE, `${name} is ${actual}, PyTorch's is ${printed[name]}`);
  }
}

/** The top left corner of each image. [batch, size, size, 3] -> [batch, side, side, 3] */
function corner(images: Float32Array, size: number, side: number): Float32Array {
  return images.filter((_, i) => {
    const pixel = Math.floor(i / 3);
    return pixel % size < side && Math.floor(pixel / size) % size < side;
  });
}
