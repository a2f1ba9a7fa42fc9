import assert from 'node:assert/strict';
import { before, describe, it, type TestContext } from 'node:test';
import type { EngineName } from '../src/engine/engine.js';
import type { ModelOptions } from '../src/model/architecture.js';
import { modelLayout } from '../src/model/layout.js';
import { shardNoise } from '../src/model/noise.js';
import { phaseLayout, PHASES, readMeasures, type Phase } from '../src/model/phase.js';
import { ReplicaHandle } from '../src/model/replica-handle.js';
import { sharedFloats } from '../src/model/replica-protocol.js';
import { initialState, stateLayout } from '../src/model/state.js';
import { nativeIsMissing, useOneThread } from './support/engine/start-engine.js';
import { assertClose, relativeError } from './support/relative-error.js';
import { OPTIMIZER, randomImages } from './support/small-model.js';

const MODEL: ModelOptions = {
  architecture: 'tutorial',
  imageSize: 64,
  latentSize: 100,
  generatorFeatures: 16,
  discriminatorFeatures: 16,
};
const BATCH = 4;
const TOLERANCE = 1e-3;

const layout = modelLayout(MODEL);
const state = shared(initialState(layout, 1));
const images = shared(randomImages(MODEL, BATCH));
const noise = shardNoise(1, 1, 0, sharedFloats(BATCH * MODEL.latentSize)) as Float32Array<SharedArrayBuffer>;

/** What one compute thread answers for the same state, images and noise. */
type Results = Readonly<Record<Phase, Float32Array>> & { readonly state: Float32Array };

describe('engines', () => {
  let wasm: Results;
  let native: Results | undefined;
  const skip = nativeIsMissing();

  before(async () => {
    useOneThread();
    wasm = await compute('wasm');
    if (!skip) native = await compute('native');
  });

  for (const phase of PHASES)
    it(`compute the same gradients, statistics and losses in the ${phase} phase`, { skip }, (test) => {
      assert.ok(native);
      compare(test, phase, { actual: wasm[phase], expected: native[phase] });
    });

  it('repeat every bit in another thread: native', { skip }, async () => {
    assert.deepEqual(await compute('native'), native);
  });

  it('repeat every bit in another thread: wasm', async () => {
    assert.deepEqual(await compute('wasm'), wasm);
  });
});

/** Both phases' vectors, and the state after the step, in a compute thread of its own. */
async function compute(engine: EngineName): Promise<Results> {
  const replica = new ReplicaHandle();
  try {
    await replica.call('load', { engine, model: MODEL, optimizer: OPTIMIZER });
    await replica.call('restore', { state });
    const discriminator = sharedFloats(phaseLayout('discriminator', layout).length);
    await replica.call('compute', { phase: 'discriminator', images, noise, into: discriminator });
    const generator = sharedFloats(phaseLayout('generator', layout).length);
    await replica.call('compute', { phase: 'generator', noise, into: generator });
    await replica.call('apply', { phase: 'discriminator', step: 1, averaged: discriminator });
    await replica.call('apply', { phase: 'generator', step: 1, averaged: generator });
    const after = sharedFloats(stateLayout(layout).length);
    await replica.call('save', { into: after });
    return { discriminator, generator, state: after };
  } finally {
    await replica.close();
  }
}

function compare(
  test: TestContext,
  phase: Phase,
  { actual, expected }: Record<'actual' | 'expected', Float32Array>,
): void {
  const { gradient, statistics } = phaseLayout(phase, layout);
  const part = ({
    start,
    end,
  }: {
    start: number;
    end: number;
  }): Record<'actual' | 'expected', Float32Array> => ({
    actual: actual.subarray(start, end),
    expected: expected.subarray(start, end),
  });
  assertClose(test, 'gradients', { ...part(gradient), slots: layout[phase].parameters }, TOLERANCE);
  for (const { network, span } of statistics)
    assertClose(
      test,
      `statistics of the ${network}`,
      { ...part(span), slots: layout[network].statistics },
      TOLERANCE,
    );
  const measures = [actual, expected].map((vector) => Object.values(readMeasures(phase, vector)));
  const error = relativeError(measures[0] ?? [], measures[1] ?? []);
  test.diagnostic(`losses and scores: within ${error.toExponential(1)}`);
  assert.ok(error <= TOLERANCE);
}

function shared(values: Float32Array): Float32Array<SharedArrayBuffer> {
  const copy = sharedFloats(values.length);
  copy.set(values);
  return copy;
}
