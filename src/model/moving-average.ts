import * as tf from '@tensorflow/tfjs-core';

// The moving average of G's weights (Yazici et al. 2019; Karras et al. 2018), which draws samples and is exported. G's
// running statistics are averaged alike, as BigGAN and torch's AveragedModel(use_buffers=True) do: those of the newest
// weights would not fit feature maps that the weights of many steps have made.

/**
 * The decay of the average at update `step`, counted from 1. It begins small, so that a short run forgets the weights
 * that it began with: tf.train.ExponentialMovingAverage with num_updates.
 */
export function averageDecay(ema: number, step: number): number {
  return Math.min(ema, (1 + step) / (10 + step));
}

/** decay * average + (1 - decay) * value. The decay is a tensor, since a recorded graph is fed it. */
export function movingAverage<Values extends tf.Tensor>(
  average: Values,
  value: Values,
  decay: tf.Scalar,
): Values {
  return tf.add(tf.mul(average, decay), tf.mul(value, tf.sub(1, decay)));
}
