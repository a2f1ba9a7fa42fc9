import type { Sharp, SharpOptions } from 'sharp';
import { messageOf } from '../common/errors.js';
import { decodeBitmap } from './bitmap-decoder.js';
import type { ImageKind } from './image-kind.js';
import { JpegDecoder } from './jpeg-decoder.js';
import { BrokenImage, MAX_PIXELS, type Pixels } from './pixels.js';

const jpegs = new JpegDecoder();

/**
 * A picture as Pillow's convert('RGB') gives it: the first frame, alpha dropped, EXIF orientation and colour
 * profile ignored. Throws BrokenImage. `atLeast`: the shorter side that is needed (see JpegDecoder).
 */
export async function decodeImage(bytes: Buffer, kind: ImageKind, atLeast: number): Promise<Pixels> {
  switch (kind) {
    case 'jpeg':
      return jpegs.decode(bytes, atLeast) ?? (await decodeBySharp(bytes, kind));
    case 'png':
    case 'webp':
    case 'gif':
      return decodeBySharp(bytes, kind);
    case 'bmp':
      return decodeBitmap(bytes);
  }
}

async function decodeBySharp(bytes: Uint8Array, kind: ImageKind): Promise<Pixels> {
  const sharp = await loadSharp();
  try {
    const { data, info } = await sharp(bytes, {
      failOn: 'error',
      ignoreIcc: true,
      limitInputPixels: MAX_PIXELS,
    })
      .removeAlpha()
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    const { width, height } = info;
    return { data, width, height, original: { width, height }, reduction: 1 };
  } catch (error) {
    // libvips keeps one text for errors of all threads: in a pool it may be another picture's, or none.
    const isHuge = /exceeds pixel limit/.test(messageOf(error));
    throw new BrokenImage(isHuge ? messageOf(error) : `its ${kind} data is damaged or cut off`);
  }
}

/** Loading libvips takes 50 ms and 30 MB, which a folder of sound JPEGs never needs. */
let loading: Promise<(input: Uint8Array, options: SharpOptions) => Sharp> | undefined;

function loadSharp(): NonNullable<typeof loading> {
  loading ??= import('sharp').then(({ default: sharp }) => {
    sharp.cache(false); // No picture is decoded twice.
    sharp.concurrency(1); // Pictures are decoded side by side; one of them does not need two threads.
    return sharp;
  });
  return loading;
}
