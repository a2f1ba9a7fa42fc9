import { COMPRESSION, readBitmapHeader, type BitmapHeader } from './bitmap-header.js';
import { decodeRle } from './bitmap-rle.js';
import { BrokenImage, CHANNELS, type Picture, type Pixels } from '../pixels/pixels.js';

/**
 * Opens a Windows or OS/2 bitmap, to decode it as Pillow does. Neither libvips nor a package on npm reads all of 1 to 32 bits
 * and run-length encoding.
 */
export function openBitmap(file: Buffer): Picture {
  try {
    const header = readBitmapHeader(file);
    const { width, height, palette } = header;
    const decode = (): Pixels => ({
      data: palette ? decodeIndexed(file, header, palette) : decodeColours(file, header),
      width,
      height,
    });
    return { width, height, decode };
  } catch (error) {
    throw error instanceof RangeError ? new BrokenImage('the bitmap is cut off') : error;
  }
}

function decodeIndexed(
  file: Buffer,
  header: BitmapHeader,
  { colours, indexBits }: NonNullable<BitmapHeader['palette']>,
): Uint8Array {
  const { width, height, compression } = header;
  const encoded = compression === COMPRESSION.rle8 || compression === COMPRESSION.rle4;
  const bits = encoded ? 8 : indexBits;
  const source = encoded
    ? decodeRle(file, header.start, width, height, compression === COMPRESSION.rle4)
    : file;
  const rowStart = encoded ? (row: number): number => row * width : rowStarts(file, header, bits);

  const data = new Uint8Array(width * height * CHANNELS);
  const perByte = 8 / bits;
  const mask = (1 << bits) - 1;
  let to = 0;
  for (let y = 0; y < height; y++) {
    const row = rowStart(header.topDown ? y : height - 1 - y);
    for (let x = 0; x < width; x++) {
      const index = (source[row + Math.floor(x / perByte)] >> (8 - bits * ((x % perByte) + 1))) & mask;
      data[to++] = colours[index * CHANNELS];
      data[to++] = colours[index * CHANNELS + 1];
      data[to++] = colours[index * CHANNELS + 2];
    }
  }
  return data;
}

function decodeColours(file: Buffer, header: BitmapHeader): Uint8Array {
  const { width, height, bits, masks } = header;
  if (!masks) throw new BrokenImage('the bitmap has no layout of colours');
  const rowStart = rowStarts(file, header, bits);
  const [red, green, blue] = masks.map(channelReader);
  const bytes = bits / 8;
  const data = new Uint8Array(width * height * CHANNELS);
  let to = 0;
  for (let y = 0; y < height; y++) {
    let at = rowStart(header.topDown ? y : height - 1 - y);
    for (let x = 0; x < width; x++, at += bytes) {
      const pixel = file.readUIntLE(at, bytes);
      data[to++] = red(pixel);
      data[to++] = green(pixel);
      data[to++] = blue(pixel);
    }
  }
  return data;
}

/** Returns the offset of each of the file's rows. They are padded to four bytes, the last one not necessarily. */
function rowStarts(
  file: Buffer,
  { width, height, bits, start }: BitmapHeader,
  usedBits: number,
): (row: number) => number {
  const stride = Math.ceil((width * bits) / 32) * 4;
  const used = Math.ceil((width * usedBits) / 8);
  if (used > stride) throw new BrokenImage('the bitmap has more greys than its bits a pixel allow');
  if (start + stride * (height - 1) + used > file.length) throw new BrokenImage('the bitmap is cut off');
  return (row) => start + stride * row;
}

function channelReader(mask: number): (pixel: number) => number {
  const shift = 31 - Math.clz32(mask & -mask); // zeros below the mask
  const largest = mask >>> shift;
  return (pixel) => Math.floor((((pixel & mask) >>> shift) * 255) / largest);
}
