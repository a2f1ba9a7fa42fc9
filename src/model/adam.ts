import { tf } from '../engine/tensorflow.js';

export interface AdamOptions {
  readonly learningRate: number;
  readonly beta1: number;
}

/** Defaults of torch.optim.Adam. */
export const BETA2 = 0.999;
const EPSILON = 1e-8;

/** A network's parameters and Adam's two moments, each one flat vector. A type, so that tidy() can return it. */
export type AdamState = {
  readonly parameters: tf.Tensor1D;
  readonly firstMoment: tf.Tensor1D;
  readonly secondMoment: tf.Tensor1D;
};

/**
 * One update by Adam (Kingma and Ba 2015, algorithm 1), in the order of operations of torch.optim.Adam.
 * `update` counts from 1. Returns new tensors; call it in a tidy().
 */
export function adam(
  state: AdamState,
  gradient: tf.Tensor1D,
  update: number,
  options: AdamOptions,
): AdamState {
  const { learningRate, beta1 } = options;
  const firstMoment = decay(state.firstMoment, gradient, beta1);
  const secondMoment = decay(state.secondMoment, tf.square(gradient), BETA2);
  const stepSize = learningRate / (1 - beta1 ** update);
  const deviation = tf.add(tf.div(tf.sqrt(secondMoment), Math.sqrt(1 - BETA2 ** update)), EPSILON);
  const parameters: tf.Tensor1D = tf.sub(state.parameters, tf.mul(tf.div(firstMoment, deviation), stepSize));
  return { parameters, firstMoment, secondMoment };
}

/** The moving average: rate * average + (1 - rate) * value */
function decay(average: tf.Tensor1D, value: tf.Tensor1D, rate: number): tf.Tensor1D {
  return tf.add(tf.mul(average, rate), tf.mul(value, 1 - rate));
}

/** The update of parameter -= stepSize * firstMoment / (sqrt(secondMoment) + epsilon), for engines that have it as one operation. */
export interface AdamStep {
  readonly stepSize: number;
  readonly epsilon: number;
}

/**
 * torch.optim.Adam's update `update` (counted from 1) in that form, in which the bias correction of both moments is in
 * the two numbers. The betas are rounded to float32 first, as the operation's own are.
 */
export function adamStep(update: number, { learningRate, beta1 }: AdamOptions): AdamStep {
  const correction1 = 1 - Math.fround(beta1) ** update;
  const correction2 = Math.sqrt(1 - Math.fround(BETA2) ** update);
  return { stepSize: (learningRate * correction2) / correction1, epsilon: EPSILON * correction2 };
}
