import type { LoggedEvaluation, StepRecord } from '../../src/run/step-record.js';

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
    amongWorkersBytes: 3000,
    workers: 2,
  };
}

/** A plausible evaluation. */
export function loggedEvaluation(step: number): LoggedEvaluation {
  return {
    step,
    faceShare: 0.625,
    faceShareInterval: [0.5, 0.75],
    frechetDistance: 0.0625,
    frechetDistanceInterval: [0.05, 0.075],
  };
}
