import { BrokenImage } from '../pixels/pixels.js';

/**
 * Decodes a run-length encoded bitmap as Pillow does, odd data included: one palette index for each pixel, in the
 * order of the file's rows. [height * width]
 */
export function decodeRle(
  file: Uint8Array,
  start: number,
  width: number,
  height: number,
  nibbles: boolean,
): Uint8Array {
  const indices = new Uint8Array(width * height);
  let at = start;
  let done = 0;
  let x = 0;
  while (done < indices.length && at + 1 < file.length) {
    const count = file[at++];
    const value = file[at++];
    if (count > 0) {
      const run = Math.min(count, Math.max(0, width - x));
      if (!nibbles) indices.fill(value, done, done + run);
      else for (let i = 0; i < run && done + i < indices.length; i++) indices[done + i] = nibbleOf(value, i);
      done += run;
      x += run;
    } else if (value === END_OF_LINE) {
      done = Math.ceil(done / width) * width;
      x = 0;
    } else if (value === END_OF_BITMAP) {
      break;
    } else if (value === MOVE) {
      if (at + 1 >= file.length) break;
      done = Math.min(indices.length, done + file[at] + file[at + 1] * width);
      at += 2;
      x = done % width;
    } else {
      const pixels = Math.min(value, indices.length - done);
      const bytes = nibbles ? Math.ceil(pixels / 2) : pixels;
      if (at + bytes > file.length) break;
      for (let i = 0; i < pixels; i++)
        indices[done + i] = nibbles ? nibbleOf(file[at + (i >> 1)], i) : file[at + i];
      at += bytes;
      done += pixels;
      x += value;
      if (at % 2 !== 0) at++; // To a whole 16-bit word.
    }
  }
  if (done < indices.length) throw new BrokenImage('the bitmap is cut off');
  return indices;
}

/* Second bytes behind a count of zero; a larger one is a number of pixels that follow as they are. */
const END_OF_LINE = 0;
const END_OF_BITMAP = 1;
const MOVE = 2;

/** The upper half of a byte for an even pixel, the lower half for an odd one. */
const nibbleOf = (byte: number, pixel: number): number => (pixel % 2 === 0 ? byte >> 4 : byte & 0x0f);
