import { BrokenImage, CHANNELS, checkSize, type Size } from '../pixels/pixels.js';

/* Offsets and numbers of the Windows bitmap format. */
const FILE_HEADER = 14;
const CORE_HEADER = 12; // OS/2's first: 16-bit sizes, three bytes a colour
const INFO_HEADERS = [40, 52, 56, 64, 108, 124]; // Windows 3 to 5, and OS/2's second (64)
const HEADER_WITH_MASKS = 52;
const HEADER_WITH_ALPHA_MASK = 56;
const MAX_COLOURS = 256;
/** Larger numbers are damage. A ramp of greys may be longer than the indices reach. */
const MAX_STATED_COLOURS = 65536;

/** Ways to store pixels, by the format's numbers. */
export const COMPRESSION = { none: 0, rle8: 1, rle4: 2, bitFields: 3 } as const;

/** A bitmap's header, as Pillow reads it. */
export interface BitmapHeader extends Size {
  readonly topDown: boolean;
  /** Bits a pixel. */
  readonly bits: number;
  /** One of COMPRESSION. */
  readonly compression: number;
  /** Offset of the pixels. */
  readonly start: number;
  /** Set up to 8 bits a pixel. */
  readonly palette: Palette | undefined;
  /** Bits of red, green and blue. Set at 16 and 32 bits a pixel. */
  readonly masks: Masks | undefined;
}

export interface Palette {
  /** Red, green and blue; the entries that a file lacks are black. [256, 3] */
  readonly colours: Uint8Array;
  /** Bits of an index: fewer than a pixel has if the palette is a ramp of greys, which Pillow reads as no palette. */
  readonly indexBits: number;
}

export type Masks = readonly [red: number, green: number, blue: number];

export function readBitmapHeader(file: Buffer): BitmapHeader {
  const headerBytes = file.readUInt32LE(FILE_HEADER);
  const core = headerBytes === CORE_HEADER;
  if (!core && !INFO_HEADERS.includes(headerBytes))
    throw new BrokenImage(`the bitmap has an unknown header of ${headerBytes} bytes`);

  const at = FILE_HEADER + 4;
  const topDown = !core && file[at + 7] === 0xff; // A negative height.
  const width = core ? file.readUInt16LE(at) : file.readUInt32LE(at);
  const height = core
    ? file.readUInt16LE(at + 2)
    : Math.abs(topDown ? file.readInt32LE(at + 4) : file.readUInt32LE(at + 4));
  checkSize({ width, height });
  const bits = file.readUInt16LE(core ? at + 6 : at + 10);
  if (![1, 4, 8, 16, 24, 32].includes(bits)) throw new BrokenImage(`the bitmap has ${bits} bits a pixel`);
  const compression = core ? COMPRESSION.none : file.readUInt32LE(at + 12);
  if (compression > COMPRESSION.bitFields)
    throw new BrokenImage(`the bitmap has the unknown compression ${compression}`);

  const masksBehind = compression === COMPRESSION.bitFields && headerBytes < HEADER_WITH_MASKS;
  const behind = FILE_HEADER + headerBytes + (masksBehind ? 12 : 0);
  const masks = readMasks(file, bits, compression, headerBytes);
  if (bits > 8) {
    if (compression === COMPRESSION.rle8 || compression === COMPRESSION.rle4)
      throw new BrokenImage(`the bitmap is run-length encoded with ${bits} bits a pixel`);
    return {
      width,
      height,
      topDown,
      bits,
      compression,
      start: file.readUInt32LE(10) || behind,
      palette: undefined,
      masks,
    };
  }
  const entryBytes = core ? 3 : 4;
  const colours = (core ? 0 : file.readUInt32LE(at + 28)) || 1 << bits;
  const palette = readPalette(file, behind, entryBytes, colours, bits);
  const end = behind + entryBytes * colours;
  const stated = file.readUInt32LE(10);
  // Some programs state where the palette starts.
  const start = stated === 0 || stated === FILE_HEADER + headerBytes ? end : stated;
  return { width, height, topDown, bits, compression, start, palette, masks };
}

function readPalette(file: Buffer, at: number, entryBytes: number, count: number, bits: number): Palette {
  if (count > MAX_STATED_COLOURS) throw new BrokenImage(`the bitmap has a palette of ${count} colours`);
  const colours = new Uint8Array(MAX_COLOURS * CHANNELS);
  const stored = file.subarray(at, at + entryBytes * count);
  let isRamp = stored.length === entryBytes * count;
  for (let index = 0; index < count && (isRamp || index < MAX_COLOURS); index++) {
    const [blue = 0, green = 0, red = 0] = stored.subarray(entryBytes * index);
    if (index < MAX_COLOURS) colours.set([red, green, blue], CHANNELS * index);
    const grey = count === 2 && index === 1 ? 255 : index & 255;
    isRamp &&= red === grey && green === grey && blue === grey;
  }
  if (isRamp && count <= 2) return { colours: colours.fill(255, CHANNELS), indexBits: 1 };
  if (isRamp) return { colours: colours.map((_, index) => Math.floor(index / CHANNELS)), indexBits: 8 };
  if (count > MAX_COLOURS) throw new BrokenImage(`the bitmap has a palette of ${count} colours`);
  return { colours, indexBits: bits };
}

const DEFAULT_MASKS: Readonly<Record<number, Masks>> = {
  16: [0x7c00, 0x03e0, 0x001f],
  24: [0xff0000, 0x00ff00, 0x0000ff],
  32: [0xff0000, 0x00ff00, 0x0000ff],
};

/** Masks of red, green, blue and alpha that Pillow knows, by bits a pixel. */
const KNOWN_MASKS: Readonly<Record<number, readonly (readonly number[])[]>> = {
  16: [
    [0xf800, 0x07e0, 0x001f],
    [0x7c00, 0x03e0, 0x001f],
  ],
  24: [[0xff0000, 0xff00, 0xff]],
  32: [
    [0xff0000, 0xff00, 0xff, 0],
    [0xff000000, 0xff0000, 0xff00, 0],
    [0xff000000, 0xff00, 0xff, 0],
    [0xff000000, 0xff0000, 0xff00, 0xff],
    [0xff, 0xff00, 0xff0000, 0xff000000],
    [0xff0000, 0xff00, 0xff, 0xff000000],
    [0xff000000, 0xff00, 0xff, 0xff0000],
    [0, 0, 0, 0],
  ],
};

function readMasks(file: Buffer, bits: number, compression: number, headerBytes: number): Masks | undefined {
  if (compression !== COMPRESSION.bitFields) return DEFAULT_MASKS[bits];
  // In a longer header they lie where they follow the shorter one.
  const stored = [54, 58, 62, 66].map((at) => file.readUInt32LE(at));
  const alpha = headerBytes >= HEADER_WITH_ALPHA_MASK ? stored[3] : 0;
  const masks = [stored[0], stored[1], stored[2], alpha];
  if (!(KNOWN_MASKS[bits] ?? []).some((known) => known.every((mask, index) => mask === masks[index])))
    throw new BrokenImage('the bitmap has an unknown layout of colours');
  const [red, green, blue] = masks;
  return red === 0 ? DEFAULT_MASKS[bits] : [red, green, blue];
}
