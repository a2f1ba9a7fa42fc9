import type { StepRecord } from '../../src/coordinator/step-record.js';

/** A plausible record; its losses tell the step: generator step / 2, discriminator step / 4. */
export function stepRecord(step: number): StepRecord {
  return {
    step,
    epoch: 1 + Math.floor((step - 1) / 100),
    discriminatorLoss: step / 4,
    generatorLoss: step / 2,
    realScore: 0.8125,
    fakeScoreBefore: 0.25,
    fakeScoreAfter: 0.125,
    imagesPerSecond: 84.5,
    computeSeconds: 1.25,
    averagingSeconds: 0.5,
    sentBytes: 1000,
    receivedBytes: 2000,
    workers: 2,
  };
}
