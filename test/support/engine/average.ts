import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { AdamOptions } from '../../../src/model/adam.js';
import { EagerReplica } from '../../../src/model/eager-replica.js';
import { modelLayout } from '../../../src/model/layout.js';
import { shardNoise } from '../../../src/model/noise.js';
import { PHASES, phaseLayout } from '../../../src/model/phase.js';
import { initialState, stateLayout } from '../../../src/model/state.js';
import { readNumbers } from '../pytorch-fixtures.js';
import { OPTIMIZER, SMALL_MODEL } from '../small-model.js';
import type { ReplicaFactory } from './replica-factory.js';

interface Example {
  readonly ema: number;
  /** Of the batches, step by step. */
  readonly means: readonly (readonly number[])[];
  readonly averages: readonly { readonly parameters: number[]; readonly mean: number[] }[];
}

interface AdamExample extends AdamOptions {
  readonly initial: readonly number[];
  readonly gradients: readonly (readonly number[])[];
}

const adam = (await readNumbers('adam.json')) as AdamExample;
const example = (await readNumbers('average.json')) as Example;

/** As of Adam's own values. */
const PARAMETER_TOLERANCE = 6e-9;
/** Of means of up to 1: a few roundings. */
const MEAN_TOLERANCE = 2e-7;

const BATCH = 2;

/** The moving average of the generator. For whichever engine is loaded. */
export function testAverage(makeReplica: ReplicaFactory): void {
  const model = { ...SMALL_MODEL, ema: example.ema };
  const layout = modelLayout(model);
  const { length, spans, average } = stateLayout(layout);

  it("averages the generator's weights and running statistics as torch's AveragedModel", (test) => {
    const replica = makeReplica(model, adam, BATCH);
    const state = new Float32Array(length);
    // The example's values are the first parameters and the first layer's mean; all others stay at zero.
    state.set(adam.initial, spans.generator.parameters.start);
    state.set(adam.initial, average.start);
    replica.restore(state);
    const vectors = {
      discriminator: new Float32Array(phaseLayout('discriminator', layout).length),
      generator: new Float32Array(phaseLayout('generator', layout).length),
    };
    const [ofGenerator] = phaseLayout('discriminator', layout).statistics;
    let [worst, worstMean] = [0, 0];
    for (const [index, expected] of example.averages.entries()) {
      vectors.discriminator.set(example.means[index], ofGenerator.span.start);
      vectors.generator.set(adam.gradients[index]);
      for (const phase of PHASES) replica.apply(phase, index + 1, vectors[phase]);
      replica.save(state);
      const parameters = state.subarray(average.start, average.start + layout.generator.parameterCount);
      parameters.forEach((value, i) => {
        worst = Math.max(worst, Math.abs(value - (expected.parameters[i] ?? 0)));
      });
      const statistics = state.subarray(average.start + layout.generator.parameterCount, average.end);
      statistics.forEach((value, i) => {
        worstMean = Math.max(worstMean, Math.abs(value - (expected.mean[i] ?? 0)));
      });
    }
    replica.dispose();
    test.diagnostic(`within ${worst.toExponential(1)} and ${worstMean.toExponential(1)} of PyTorch's`);
    assert.ok(worst <= PARAMETER_TOLERANCE, `a weight's average is ${worst} from PyTorch's`);
    assert.ok(worstMean <= MEAN_TOLERANCE, `a statistic's average is ${worstMean} from PyTorch's`);
  });

  it('draws samples and faces with the average: those of a replica that has it for its weights', () => {
    const noise = shardNoise(1, 1, 0, new Float32Array(BATCH * model.latentSize));
    const averaged = initialState(layout, 1);
    const others = initialState(layout, 2);
    const { parameters, runningStatistics } = spans.generator;
    others.set(averaged.subarray(average.start, average.end), average.start);
    const own = new Float32Array(stateLayout(modelLayout(SMALL_MODEL)).length);
    own.set(averaged.subarray(0, own.length));
    assert.notDeepEqual(
      others.subarray(parameters.start, runningStatistics.end),
      averaged.subarray(parameters.start, runningStatistics.end),
    );
    const replica = makeReplica(model, OPTIMIZER, BATCH);
    const expected = makeReplica(SMALL_MODEL, OPTIMIZER, BATCH);
    replica.restore(others);
    expected.restore(own);
    assert.deepEqual(replica.sample(noise), expected.sample(noise));
    if (replica instanceof EagerReplica && expected instanceof EagerReplica)
      assert.deepEqual(replica.generate(noise), expected.generate(noise));
    replica.dispose();
    expected.dispose();
  });
}
