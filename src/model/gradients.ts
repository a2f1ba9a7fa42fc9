import * as tf from '@tensorflow/tfjs-core';

/** A loss, and what else its forward pass found out. */
export interface LossAndExtras {
  readonly loss: tf.Scalar;
  readonly extras: readonly tf.Tensor[];
}

export interface ValueAndGradients extends LossAndExtras {
  /** d loss / d parameter, each in its parameter's shape. */
  readonly gradients: readonly tf.Tensor[];
}

/**
 * The loss's gradients, and the extras of the same forward pass. TensorFlow.js disposes of whatever a gradient
 * function does not return and lets it return the loss only, so extras are kept through it and handed over after.
 * Call it in a tidy().
 */
export function valueAndGradients(
  parameters: readonly tf.Tensor[],
  forward: (parameters: readonly tf.Tensor[]) => LossAndExtras,
): ValueAndGradients {
  let kept: readonly tf.Tensor[] = [];
  const { value, grads } = tf.valueAndGrads((...inputs: tf.Tensor[]) => {
    const { loss, extras } = forward(inputs);
    kept = extras.map((tensor) => tf.keep(tf.clone(tensor)));
    return loss;
  })([...parameters]);
  const extras = kept.map((tensor) => {
    const owned = tf.clone(tensor);
    tensor.dispose();
    return owned;
  });
  return { loss: value, extras, gradients: grads };
}
