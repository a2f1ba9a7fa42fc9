import type { FailOnOptions, Sharp, SharpOptions } from 'sharp';
import type { ImageKind } from './image-kind.js';
import { BrokenImage, MAX_PIXELS, type Pixels } from '../pixels/pixels.js';

/** Decodes by libvips. `failOn`: the mildest complaint that makes a picture broken. */
export async function decodeBySharp(
  bytes: Uint8Array,
  kind: ImageKind,
  failOn: FailOnOptions,
): Promise<Pixels> {
  const sharp = await loadSharp();
  try {
    const { data, info } = await sharp(bytes, { failOn, ignoreIcc: true, limitInputPixels: MAX_PIXELS })
      .removeAlpha()
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    return { data, width: info.width, height: info.height };
  } catch {
    // libvips keeps one text for errors of all threads: in a pool it may be another picture's, or none.
    throw new BrokenImage(`its ${kind} data is damaged or cut off`);
  }
}

/** Loading libvips takes 50 ms and 30 MB, which a folder of small, sound JPEGs never needs. */
let loading: Promise<(input: Uint8Array, options: SharpOptions) => Sharp> | undefined;

function loadSharp(): NonNullable<typeof loading> {
  loading ??= import('sharp').then(({ default: sharp }) => {
    sharp.cache(false); // No picture is decoded twice.
    sharp.concurrency(1); // Pictures are decoded side by side; one of them does not need two threads.
    return sharp;
  });
  return loading;
}
