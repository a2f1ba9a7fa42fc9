import { describe } from 'node:test';
import { testAdam } from './support/engine/adam.js';
import { testBatchNorm } from './support/engine/batch-norm.js';
import { testLoss } from './support/engine/loss.js';
import { testStep } from './support/engine/one-step.js';
import { testReplicaState } from './support/engine/replica-state.js';
import { startEngine } from './support/engine/start-engine.js';

const skip = await startEngine('native');

describe('the native engine', { skip }, () => {
  testLoss();
  testAdam();
  testBatchNorm();
  testStep();
  testReplicaState();
});
