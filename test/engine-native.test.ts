import { describe } from 'node:test';
import { nativeBackend } from '../src/engine/native/index.js';
import { Recording } from '../src/engine/recording/index.js';
import { RecordedReplica } from '../src/model/recorded-replica.js';
import { testAccumulation } from './support/engine/accumulation.js';
import { testAdam } from './support/engine/adam.js';
import { testAugment } from './support/engine/augment.js';
import { testAverage } from './support/engine/average.js';
import { testBatchNorm } from './support/engine/batch-norm.js';
import { testLoss } from './support/engine/loss.js';
import { testDrawing, testStep } from './support/engine/one-step.js';
import { testPenalty } from './support/engine/penalty.js';
import { makeEagerReplica, type ReplicaFactory } from './support/engine/replica-factory.js';
import { testReplicaState } from './support/engine/replica-state.js';
import { startEngine } from './support/engine/start-engine.js';

const makeRecordedReplica: ReplicaFactory = (model, optimizer, batch) =>
  new RecordedReplica(new Recording(nativeBackend()), {
    ...{ model, optimizer, batch, samples: batch },
    precision: 'fp32',
  });

const skip = await startEngine('native');

describe('the native engine', { skip }, () => {
  testLoss();
  testBatchNorm();
  testDrawing();
  testAugment();
  testPenalty();
});

for (const [kind, makeReplica] of [
  ['eager', makeEagerReplica],
  ['recorded', makeRecordedReplica],
] as const)
  describe(`the native engine, ${kind}`, { skip }, () => {
    testAdam(makeReplica);
    testAverage(makeReplica);
    testStep(makeReplica);
    testAccumulation(makeReplica);
    testReplicaState(makeReplica);
  });
