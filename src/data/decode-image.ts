import { decode as decodeBitmap } from 'bmp-ts';
import type { Sharp, SharpOptions } from 'sharp';
import { messageOf } from '../common/errors.js';
import type { ImageKind } from './image-kind.js';
import { JpegDecoder } from './jpeg-decoder.js';
import { BrokenImage, MAX_PIXELS, refuseHuge, type Pixels, type Size } from './pixels.js';

const jpegs = new JpegDecoder();

/**
 * A picture as Pillow's convert('RGB') gives it: the first frame, alpha dropped, EXIF orientation and colour
 * profile ignored. Throws BrokenImage. `atLeast`: the shorter side that is needed (see JpegDecoder).
 */
export async function decodeImage(bytes: Uint8Array, kind: ImageKind, atLeast: number): Promise<Pixels> {
  switch (kind) {
    case 'jpeg':
      return jpegs.decode(bytes, atLeast) ?? (await decodeBySharp(bytes));
    case 'png':
    case 'webp':
    case 'gif':
      return decodeBySharp(bytes);
    case 'bmp':
      return decodeBmp(bytes);
  }
}

async function decodeBySharp(bytes: Uint8Array): Promise<Pixels> {
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
    return withSize(data, info);
  } catch (error) {
    throw new BrokenImage(messageOf(error));
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

/** Where a bitmap's header holds width and height. */
const BMP_SIZE_OFFSET = 18;

function decodeBmp(bytes: Uint8Array): Pixels {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    // Before bmp-ts allocates what the header claims.
    refuseHuge({
      width: Math.abs(file.readInt32LE(BMP_SIZE_OFFSET)),
      height: Math.abs(file.readInt32LE(BMP_SIZE_OFFSET + 4)),
    });
    const { data, width, height } = decodeBitmap(file, { toRGBA: true });
    const rgb = new Uint8Array(width * height * 3);
    for (let from = 0, to = 0; to < rgb.length; from += 4) {
      rgb[to++] = data[from];
      rgb[to++] = data[from + 1];
      rgb[to++] = data[from + 2];
    }
    return withSize(rgb, { width, height });
  } catch (error) {
    throw error instanceof BrokenImage ? error : new BrokenImage(messageOf(error));
  }
}

function withSize(data: Uint8Array, { width, height }: Size): Pixels {
  return { data, width, height, original: { width, height } };
}
