import { tf } from '../engine/tensorflow.js';

/** A loss, and what else its forward pass found out, in groups. */
export interface LossAndExtras {
  readonly loss: tf.Scalar;
  readonly extras: readonly (readonly tf.Tensor[])[];
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
  let kept: LossAndExtras['extras'] = [];
  const { value, grads } = tf.valueAndGrads((...inputs: tf.Tensor[]) => {
    const { loss, extras } = forward(inputs);
    kept = extras.map((group) => group.map((tensor) => tf.keep(tf.clone(tensor))));
    return loss;
  })([...parameters]);
  const extras = kept.map((group) =>
    group.map((tensor) => {
      const owned = tf.clone(tensor);
      tensor.dispose();
      return owned;
    }),
  );
  return { loss: value, extras, gradients: grads };
}
