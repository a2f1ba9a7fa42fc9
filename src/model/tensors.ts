import { tf } from '../engine/tensorflow.js';
import type { NetworkLayout, Slot } from './layout.js';

/** Cuts a flat vector into the tensors it is made of. [length] -> one tensor a slot */
export function unflatten(vector: tf.Tensor1D, slots: readonly Pick<Slot, 'shape' | 'size'>[]): tf.Tensor[] {
  if (slots.length === 0) return [];
  const parts = tf.split(
    vector,
    slots.map(({ size }) => size),
  );
  return slots.map(({ shape }, index) => tf.reshape(parts[index], [...shape]));
}

/** Joins tensors into one flat vector. */
export function flatten(tensors: readonly tf.Tensor[]): tf.Tensor1D {
  return tf.concat1d(tensors.map((tensor) => tf.reshape(tensor, [tensor.size])));
}

export interface LayerTensors {
  readonly kernel: tf.Tensor;
  readonly norm: { readonly gamma: tf.Tensor1D; readonly beta: tf.Tensor1D } | undefined;
  readonly outputChannels: number;
}

/** A network's parameters, layer by layer. */
export function layerTensors(layout: NetworkLayout, parameters: readonly tf.Tensor[]): LayerTensors[] {
  let next = 0;
  const take = (): tf.Tensor => parameters[next++];
  return layout.layers.map(({ batchNorm, outputChannels }) => ({
    kernel: take(),
    norm: batchNorm ? { gamma: take() as tf.Tensor1D, beta: take() as tf.Tensor1D } : undefined,
    outputChannels,
  }));
}
