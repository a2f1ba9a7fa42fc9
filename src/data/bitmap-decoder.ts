import { BrokenImage, CHANNELS, refuseHuge, type Pixels, type Size } from './pixels.js';

/* Offsets and numbers of the Windows bitmap format. */
const FILE_HEADER = 14;
const CORE_HEADER = 12; // OS/2's: 16-bit sizes, three bytes a colour
const INFO_HEADER = 40;
const BI_RGB = 0;
const BI_BITFIELDS = 3;

interface Bitmap extends Size {
  readonly topDown: boolean;
  readonly bits: number;
  /** Where the rows start, each padded to four bytes. */
  readonly start: number;
  readonly rowBytes: number;
}

type Colour = readonly [red: number, green: number, blue: number];

/** Reads an uncompressed bitmap: neither libvips nor a package on npm reads all of 1 to 32 bits rightly. */
export function decodeBitmap(file: Buffer): Pixels {
  try {
    return decode(file);
  } catch (error) {
    throw error instanceof RangeError ? new BrokenImage('the bitmap is cut off') : error;
  }
}

function decode(file: Buffer): Pixels {
  const headerBytes = file.readUInt32LE(FILE_HEADER);
  const core = headerBytes === CORE_HEADER;
  const compression = core ? BI_RGB : file.readUInt32LE(FILE_HEADER + 16);
  const bitmap = readShape(file, core);
  const { width, height, bits, start, rowBytes } = bitmap;
  if (compression !== BI_RGB && compression !== BI_BITFIELDS)
    throw new BrokenImage('the bitmap is compressed');
  if (start + rowBytes * height > file.length) throw new BrokenImage('the bitmap is cut off');

  const colourAt =
    bits <= 8
      ? paletteReader(file, bits, FILE_HEADER + headerBytes, core ? 3 : 4)
      : bits === 24
        ? (row: number, x: number): Colour => blueGreenRed(file, row + 3 * x)
        : maskReader(file, bits, compression === BI_BITFIELDS ? readMasks(file) : DEFAULT_MASKS[bits]);

  const data = new Uint8Array(width * height * CHANNELS);
  let to = 0;
  for (let y = 0; y < height; y++) {
    const row = start + rowBytes * (bitmap.topDown ? y : height - 1 - y);
    for (let x = 0; x < width; x++) {
      const [red, green, blue] = colourAt(row, x);
      data[to] = red;
      data[to + 1] = green;
      data[to + 2] = blue;
      to += CHANNELS;
    }
  }
  return { data, width, height, original: { width, height }, reduction: 1 };
}

function readShape(file: Buffer, core: boolean): Bitmap {
  const at = FILE_HEADER + 4;
  const width = core ? file.readUInt16LE(at) : file.readInt32LE(at);
  const signedHeight = core ? file.readInt16LE(at + 2) : file.readInt32LE(at + 4);
  const height = Math.abs(signedHeight);
  const bits = file.readUInt16LE(core ? at + 6 : at + 10);
  if (width <= 0 || height === 0) throw new BrokenImage(`the bitmap has ${width} x ${height} pixels`);
  if (![1, 4, 8, 16, 24, 32].includes(bits)) throw new BrokenImage(`the bitmap has ${bits} bits a pixel`);
  refuseHuge({ width, height });
  const rowBytes = Math.ceil((width * bits) / 32) * 4;
  return { width, height, topDown: signedHeight < 0, bits, start: file.readUInt32LE(10), rowBytes };
}

function blueGreenRed(file: Buffer, at: number): Colour {
  return [file[at + 2], file[at + 1], file[at]];
}

function paletteReader(
  file: Buffer,
  bits: number,
  palette: number,
  entryBytes: number,
): (row: number, x: number) => Colour {
  const start = file.readUInt32LE(10);
  const used = Math.min(1 << bits, Math.floor((start - palette) / entryBytes));
  const colours = Array.from({ length: used }, (_, index) =>
    blueGreenRed(file, palette + entryBytes * index),
  );
  const perByte = 8 / bits;
  return (row, x) => {
    const shift = 8 - bits * ((x % perByte) + 1);
    const colour = colours.at((file[row + Math.floor(x / perByte)] >> shift) & ((1 << bits) - 1));
    if (!colour) throw new BrokenImage('the bitmap names a colour that it does not hold');
    return colour;
  };
}

type Masks = readonly [red: number, green: number, blue: number];

const DEFAULT_MASKS: Readonly<Record<number, Masks>> = {
  16: [0x7c00, 0x03e0, 0x001f],
  32: [0xff0000, 0x00ff00, 0x0000ff],
};

/** They follow the info header, and lie at the same place in the longer ones. */
function readMasks(file: Buffer): Masks {
  const at = FILE_HEADER + INFO_HEADER;
  return [file.readUInt32LE(at), file.readUInt32LE(at + 4), file.readUInt32LE(at + 8)];
}

function maskReader(file: Buffer, bits: number, masks: Masks): (row: number, x: number) => Colour {
  const [red, green, blue] = masks.map((mask) => {
    if (mask === 0) throw new BrokenImage('the bitmap says nowhere how its colours are stored');
    const shift = 31 - Math.clz32(mask & -mask); // zeros below the mask
    const largest = mask >>> shift;
    return (pixel: number): number => Math.floor((((pixel & mask) >>> shift) * 255) / largest);
  });
  return (row, x) => {
    const pixel = bits === 16 ? file.readUInt16LE(row + 2 * x) : file.readUInt32LE(row + 4 * x);
    return [red(pixel), green(pixel), blue(pixel)];
  };
}
