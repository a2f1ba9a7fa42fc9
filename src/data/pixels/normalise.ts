import { faceBytes } from '../pack/pack-format.js';
import { CHANNELS } from './pixels.js';

/**
 * ToTensor and Normalize(0.5, 0.5) of torchvision for each byte, in float32 arithmetic as torch does it:
 * 0 .. 255 becomes -1 .. 1.
 */
const NORMALISED = Float32Array.from({ length: 256 }, (_, byte) => (Math.fround(byte / 255) - 0.5) / 0.5);

/** uint8 -> float32 in [-1, 1], element by element. Four at a time, which is a quarter faster. */
export function normalise(pixels: Uint8Array, into: Float32Array): void {
  const { length } = pixels;
  if (into.length !== length) throw new RangeError(`${length} bytes do not fill ${into.length} numbers`);
  let i = 0;
  for (; i + 3 < length; i += 4) {
    into[i] = NORMALISED[pixels[i]];
    into[i + 1] = NORMALISED[pixels[i + 1]];
    into[i + 2] = NORMALISED[pixels[i + 2]];
    into[i + 3] = NORMALISED[pixels[i + 3]];
  }
  for (; i < length; i++) into[i] = NORMALISED[pixels[i]];
}

/** Images one after the other; where `mirrored` says so, from right to left. [batch, size, size, 3] */
export function normaliseFaces(
  faces: Uint8Array,
  size: number,
  mirrored: readonly boolean[] | undefined,
  into: Float32Array,
): void {
  if (!mirrored) {
    normalise(faces, into);
    return;
  }
  const length = faceBytes(size);
  for (const [place, isMirrored] of mirrored.entries()) {
    const part = [place * length, (place + 1) * length] as const;
    if (isMirrored) normaliseMirrored(faces.subarray(...part), size, into.subarray(...part));
    else normalise(faces.subarray(...part), into.subarray(...part));
  }
}

function normaliseMirrored(pixels: Uint8Array, size: number, into: Float32Array): void {
  const expected = faceBytes(size);
  if (pixels.length !== expected || into.length !== expected)
    throw new RangeError(`an image has ${expected} bytes, not ${pixels.length} for ${into.length} numbers`);
  const rowLength = size * CHANNELS;
  for (let row = 0; row < into.length; row += rowLength)
    for (let left = 0, right = rowLength - CHANNELS; left < rowLength; left += CHANNELS, right -= CHANNELS) {
      into[row + left] = NORMALISED[pixels[row + right]];
      into[row + left + 1] = NORMALISED[pixels[row + right + 1]];
      into[row + left + 2] = NORMALISED[pixels[row + right + 2]];
    }
}
