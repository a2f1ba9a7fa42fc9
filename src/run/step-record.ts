import type { Evaluation } from '../evaluation/evaluation.js';

/** An evaluation of samples, as far as it goes into the log. */
export type LoggedEvaluation = Pick<
  Evaluation,
  'faceShare' | 'faceShareInterval' | 'frechetDistance' | 'frechetDistanceInterval'
> & {
  /** The step whose samples they were. */
  readonly step: number;
};

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
  /** Of the step's wall time: the slowest worker's computing, and the rest. */
  readonly computeSeconds: number;
  readonly averagingSeconds: number;
  /** By the coordinator, in this step. */
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** By workers to other workers, where gradients go among them. */
  readonly amongWorkersBytes: number;
  readonly workers: number;
  /** That has come since the line before, of an earlier step. */
  readonly evaluation?: LoggedEvaluation;
}
