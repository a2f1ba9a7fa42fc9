import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { randomStream } from '../common/random.js';
import type { Phase } from './phase.js';

/** The random numbers of one image's augmentation, in this order. Shifts and places are whole pixels. */
export const DRAWS = [
  'brightness',
  'saturation',
  'contrast',
  'shiftRows',
  'shiftColumns',
  'cutoutRow',
  'cutoutColumn',
] as const;

/** Batches that the discriminator sees in a phase: real and generated images, or generated images alone. */
export const DISCRIMINATOR_BATCHES: Readonly<Record<Phase, number>> = { discriminator: 2, generator: 1 };

/** An image is moved by at most so much of its side, and the square that is cut out has so much of it. */
const SHIFT_SHARE = 0.125;
const CUTOUT_SHARE = 0.5;

export function cutoutSide(imageSize: number): number {
  return Math.floor(imageSize * CUTOUT_SHARE + 0.5);
}

/**
 * The draws of one shard in one phase, as DiffAugment draws them (Zhao et al. 2020, its code), which depend on seed,
 * phase, batch and shard alone. [DISCRIMINATOR_BATCHES * batch, DRAWS]
 */
export function shardDraws(
  seed: number,
  { phase, batch, shard }: { readonly phase: Phase; readonly batch: number; readonly shard: number },
  imageSize: number,
  into: Float32Array,
): Float32Array {
  const stream = randomStream(seed, 'augment', phase, batch, shard);
  const shift = Math.floor(imageSize * SHIFT_SHARE + 0.5);
  const lastPlace = imageSize - (cutoutSide(imageSize) % 2);
  for (let at = 0; at < into.length; at += DRAWS.length) {
    into[at] = uniformFloat64(stream) - 0.5;
    into[at + 1] = 2 * uniformFloat64(stream);
    into[at + 2] = uniformFloat64(stream) + 0.5;
    into[at + 3] = uniformInt(stream, -shift, shift);
    into[at + 4] = uniformInt(stream, -shift, shift);
    into[at + 5] = uniformInt(stream, 0, lastPlace);
    into[at + 6] = uniformInt(stream, 0, lastPlace);
  }
  return into;
}
