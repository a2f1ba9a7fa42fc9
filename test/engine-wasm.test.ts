import { describe } from 'node:test';
import { testAdam } from './support/engine/adam.js';
import { testAugment } from './support/engine/augment.js';
import { testAverage } from './support/engine/average.js';
import { testBatchNorm } from './support/engine/batch-norm.js';
import { testLoss } from './support/engine/loss.js';
import { testDrawing, testStep } from './support/engine/one-step.js';
import { testPenalty } from './support/engine/penalty.js';
import { makeEagerReplica } from './support/engine/replica-factory.js';
import { testReplicaState } from './support/engine/replica-state.js';
import { startEngine } from './support/engine/start-engine.js';

await startEngine('wasm');

describe('the wasm engine', () => {
  testLoss();
  testAdam(makeEagerReplica);
  testAverage(makeEagerReplica);
  testBatchNorm();
  testStep(makeEagerReplica);
  testDrawing();
  testAugment();
  testPenalty();
  testReplicaState(makeEagerReplica);
  describe('with a moving average', () => {
    testReplicaState(makeEagerReplica, { ema: 0.9 });
  });
});
