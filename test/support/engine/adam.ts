import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { AdamOptions } from '../../../src/model/adam.js';
import { modelLayout } from '../../../src/model/layout.js';
import { phaseLayout, PHASES } from '../../../src/model/phase.js';
import { stateLayout } from '../../../src/model/state.js';
import { readNumbers } from '../pytorch-fixtures.js';
import { SMALL_MODEL } from '../small-model.js';
import type { ReplicaFactory } from './replica-factory.js';

interface Example extends AdamOptions {
  readonly initial: readonly number[];
  readonly gradients: readonly (readonly number[])[];
  readonly after: readonly (readonly number[])[];
}

const example = (await readNumbers('adam.json')) as Example;

/** A step moves a value by about the learning rate, 2e-4; at 0.02 two float32 are 1.9e-9 apart. */
const TOLERANCE = 6e-9;

/** A replica's updates against torch.optim.Adam, on gradients from 1e-10 to 1e3. For whichever engine is loaded. */
export function testAdam(makeReplica: ReplicaFactory): void {
  for (const phase of PHASES)
    it(`moves the ${phase} as PyTorch's Adam over ten steps`, (test) => {
      const layout = modelLayout(SMALL_MODEL);
      const { length, spans } = stateLayout(layout);
      const vectorLayout = phaseLayout(phase, layout);
      const replica = makeReplica(SMALL_MODEL, example, 2);
      // The example's values are the network's first parameters; the others have no gradient and stay at zero.
      const state = new Float32Array(length);
      state.set(example.initial, spans[phase].parameters.start);
      replica.restore(state);
      let worst = 0;
      example.after.forEach((expected, index) => {
        const vector = new Float32Array(vectorLayout.length);
        vector.set(example.gradients[index], vectorLayout.gradient.start);
        replica.apply(phase, index + 1, vector);
        replica.save(state);
        const parameters = state.subarray(spans[phase].parameters.start, spans[phase].parameters.end);
        parameters.forEach((value, i) => (worst = Math.max(worst, Math.abs(value - (expected[i] ?? 0)))));
      });
      replica.dispose();
      test.diagnostic(`parameters within ${worst.toExponential(1)} of PyTorch's`);
      assert.ok(worst <= TOLERANCE, `a value is ${worst} from PyTorch's`);
    });
}
