import { tf } from '../engine/tensorflow.js';

/** Weight of the new batch; PyTorch's default. */
const MOMENTUM = 0.1;

/** The running mean or variance after one more forward pass in training. */
export function updateRunningStatistic<Statistic extends tf.Tensor>(
  running: Statistic,
  batch: Statistic,
): Statistic {
  return tf.add(tf.mul(running, 1 - MOMENTUM), tf.mul(batch, MOMENTUM));
}
