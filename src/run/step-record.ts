/** The part of an evaluation that the log keeps. Intervals are 95 % confidence intervals. */
export interface LoggedEvaluation {
  /** The step whose samples were evaluated. */
  readonly step: number;
  /** Fraction of samples in which the detector finds a face. */
  readonly faceShare: number;
  readonly faceShareInterval: readonly [low: number, high: number];
  /** Fréchet distance between the descriptors of samples and of real faces. */
  readonly frechetDistance: number;
  readonly frechetDistanceInterval: readonly [low: number, high: number];
}

/** One line of stats.jsonl: what a step measured. Losses and scores are means over the shards. */
export interface StepRecord {
  /** Counted from 1; the first update made step 1. */
  readonly step: number;
  /** Counted from 1. */
  readonly epoch: number;
  /** BCE on real images plus BCE on generated ones, before the discriminator's update. */
  readonly discriminatorLoss: number;
  /** Non-saturating generator loss, through the updated discriminator. */
  readonly generatorLoss: number;
  /** D(x), mean over the real batch. */
  readonly realScore: number;
  /** D(G(z)) before and after the discriminator's update. */
  readonly fakeScoreBefore: number;
  readonly fakeScoreAfter: number;
  readonly imagesPerSecond: number;
  /** Wall time of the step: the slowest worker's computing, and the rest. */
  readonly computeSeconds: number;
  readonly averagingSeconds: number;
  /** Bytes that the coordinator sent and received in this step. */
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** Bytes between workers, if they average between themselves. */
  readonly amongWorkersBytes: number;
  readonly workers: number;
  /** That has come since the line before, of an earlier step. */
  readonly evaluation?: LoggedEvaluation;
}
