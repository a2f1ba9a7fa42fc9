import type { Pixels, Size } from './pixels.js';
import { resample } from './resample.js';

/**
 * torchvision's Resize(size) and CenterCrop(size): the shorter side becomes `size`, the middle is kept.
 * [h, w, 3] -> [size, size, 3]
 */
export function cropFace(pixels: Pixels, size: number): Uint8Array<ArrayBuffer> {
  const resized = resizedTo(pixels, size);
  return resample(pixels, resized, {
    left: roundHalfToEven((resized.width - size) / 2),
    top: roundHalfToEven((resized.height - size) / 2),
    width: size,
    height: size,
  });
}

function resizedTo({ width, height }: Size, size: number): Size {
  return width <= height
    ? { width: size, height: Math.trunc((size * height) / width) }
    : { width: Math.trunc((size * width) / height), height: size };
}

/** Rounds half to even, as Python does. */
export function roundHalfToEven(value: number): number {
  const below = Math.floor(value);
  if (value - below !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}
