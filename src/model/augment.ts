import * as tf from '@tensorflow/tfjs-core';
import { cutoutSide, DRAWS } from './augment-draws.js';
import type { Augmentation } from './regularization.js';

type Draw = (typeof DRAWS)[number];

/** One draw of each image. [batch, 1, 1, 1] */
type Draws = (name: Draw) => tf.Tensor4D;

type Step = (images: tf.Tensor4D, draws: Draws) => tf.Tensor4D;

const STEPS: Readonly<Record<Augmentation, Step>> = {
  colour: recolour,
  translation: translate,
  cutout: cutOut,
};

/**
 * DiffAugment (Zhao et al. 2020, Differentiable Augmentation for Data-Efficient GAN Training): what the discriminator
 * sees instead of images, real and generated alike. Differentiable in the images. images [batch, size, size, 3];
 * draws [batch, DRAWS], see `shardDraws`.
 */
export function augment(
  images: tf.Tensor4D,
  draws: tf.Tensor2D,
  augmentations: readonly Augmentation[],
): tf.Tensor4D {
  const draw: Draws = (name) => tf.reshape(tf.slice(draws, [0, DRAWS.indexOf(name)], [-1, 1]), [-1, 1, 1, 1]);
  return augmentations.reduce((seen, name) => STEPS[name](seen, draw), images);
}

/** Brightness is added; saturation scales the distance from a pixel's grey, contrast that from the image's mean. */
function recolour(images: tf.Tensor4D, draws: Draws): tf.Tensor4D {
  const brighter: tf.Tensor4D = tf.add(images, draws('brightness'));
  const saturated = scaleFromMean(brighter, 3, draws('saturation'));
  return scaleFromMean(saturated, [1, 2, 3], draws('contrast'));
}

/**
 * (x - mean) * factor + mean. The map is its own transpose, and its gradient is written as such: as TensorFlow.js
 * derives it, a recorded graph would be simplified into one that rounds otherwise than operation by operation.
 */
function scaleFromMean(images: tf.Tensor4D, axes: number | number[], factor: tf.Tensor4D): tf.Tensor4D {
  const run = tf.customGrad<tf.Tensor4D>((x, save) => {
    const values = x as tf.Tensor4D;
    (save as tf.GradSaveFunc)([factor]);
    const mean = tf.mean(values, axes, true);
    const value: tf.Tensor4D = tf.add(tf.mul(tf.sub(values, mean), factor), mean);
    return { value, gradFunc: (gradient, [saved]) => scaleFromMean(gradient, axes, saved as tf.Tensor4D) };
  });
  return run(images);
}

/**
 * Moves each image by whole pixels; what comes in from outside is 0. As products with matrices of zeros and ones, which
 * have a gradient on every engine and round nothing: a sixtieth of what the networks cost.
 */
function translate(images: tf.Tensor4D, draws: Draws): tf.Tensor4D {
  const rows = moveRows(images, draws('shiftRows'));
  const columns = moveRows(tf.transpose(rows, [0, 2, 1, 3]), draws('shiftColumns'));
  return tf.transpose(columns, [0, 2, 1, 3]);
}

/** Row i becomes what row i + shift was. */
function moveRows(images: tf.Tensor4D, shift: tf.Tensor4D): tf.Tensor4D {
  const [batch, rows, columns, channels] = images.shape;
  const index = tf.range(0, rows);
  const from = tf.add(tf.reshape(index, [1, rows, 1]), tf.reshape(shift, [batch, 1, 1]));
  // [batch, rows, rows]
  const moves = tf.cast(tf.equal(from, tf.reshape(index, [1, 1, rows])), 'float32');
  const flat: tf.Tensor3D = tf.reshape(images, [batch, rows, columns * channels]);
  return tf.reshape(tf.matMul(moves, flat), images.shape);
}

/** A square of half the side becomes 0; a part of it may lie outside. */
function cutOut(images: tf.Tensor4D, draws: Draws): tf.Tensor4D {
  const [batch, size] = images.shape;
  const side = cutoutSide(size);
  const within = (place: Draw, shape: number[]): tf.Tensor => {
    const distance = tf.sub(tf.reshape(tf.range(0, size), shape), tf.sub(draws(place), Math.floor(side / 2)));
    const inside = tf.logicalAnd(tf.greaterEqual(distance, 0), tf.less(distance, side));
    return tf.cast(inside, 'float32');
  };
  // [batch, size, 1, 1] and [batch, 1, size, 1]
  const hole = tf.mul(within('cutoutRow', [1, size, 1, 1]), within('cutoutColumn', [1, 1, size, 1]));
  return tf.mul(images, tf.sub(1, tf.reshape(hole, [batch, size, size, 1])));
}
