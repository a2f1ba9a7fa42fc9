import { decodeLzw } from './gif-lzw.js';
import { BrokenImage, CHANNELS, checkSize, type Picture, type Pixels, type Size } from '../pixels/pixels.js';

const SCREEN_BYTES = 13;
const EXTENSION = 0x21;
const FRAME = 0x2c;
const TRAILER = 0x3b;
const GRAPHIC_CONTROL = 0xf9;
const COMMENT = 0xfe;

/** Red, green and blue of up to 256 palette entries; the entries that a file lacks are black. [256, 3] */
type Palette = Uint8Array;

interface Frame extends Size {
  readonly left: number;
  readonly top: number;
  readonly palette: Palette;
  readonly interlaced: boolean;
  /** Palette index of the pixels that the frame leaves uncovered. */
  readonly background: number;
  readonly codeBits: number;
  /** Offset of the pixel data. */
  readonly data: number;
}

/**
 * Opens the first frame of a GIF, to decode it as Pillow does. libvips blends transparent pixels with a background and gives no
 * palette indices; Pillow drops the transparency and keeps the colour that the palette has under it.
 */
export function openGif(file: Buffer): Picture {
  const { frame, screen } = readFrame(file);
  return { ...screen, decode: () => decodeFrame(file, frame, screen) };
}

function decodeFrame(file: Buffer, frame: Frame, { width, height }: Size): Pixels {
  const indices = decodeLzw(file, frame.data, frame.codeBits, frame.width * frame.height);
  const data = new Uint8Array(width * height * CHANNELS);
  const { palette, background } = frame;
  if (frame.width * frame.height < width * height) {
    const colour = palette.subarray(background * CHANNELS, (background + 1) * CHANNELS);
    if (colour.some((channel) => channel > 0))
      for (let to = 0; to < data.length; to += CHANNELS) data.set(colour, to);
  }
  let from = 0;
  for (const y of frame.interlaced ? interlacedRows(frame.height) : rows(frame.height)) {
    let to = ((frame.top + y) * width + frame.left) * CHANNELS;
    for (const last = from + frame.width; from < last; from++) {
      const entry = indices[from] * CHANNELS;
      data[to++] = palette[entry];
      data[to++] = palette[entry + 1];
      data[to++] = palette[entry + 2];
    }
  }
  return { data, width, height };
}

/** Reads as far as the first frame's pixels. `screen` grows where the frame reaches beyond it. */
function readFrame(file: Buffer): { frame: Frame; screen: Size } {
  try {
    return new GifReader(file).read();
  } catch (error) {
    throw error instanceof RangeError ? new BrokenImage('its gif data is cut off') : error;
  }
}

class GifReader {
  readonly #file: Buffer;
  #at = SCREEN_BYTES;

  constructor(file: Buffer) {
    this.#file = file;
  }

  read(): { frame: Frame; screen: Size } {
    const screen = { width: this.#file.readUInt16LE(6), height: this.#file.readUInt16LE(8) };
    const global = this.#readPalette(this.#file.readUInt8(10));
    let transparent: number | undefined;
    for (;;) {
      const kind = this.#readByte();
      if (kind === TRAILER) throw new BrokenImage('its gif data holds no picture');
      if (kind === EXTENSION) transparent = this.#readExtension() ?? transparent;
      if (kind !== FRAME) continue;

      const [left, top, width, height] = [0, 2, 4, 6].map((at) => this.#file.readUInt16LE(this.#at + at));
      const flags = this.#file.readUInt8(this.#at + 8);
      this.#at += 9;
      const palette = this.#readPalette(flags) ?? global ?? greys();
      const codeBits = this.#readByte();
      const size = {
        width: Math.max(screen.width, left + width),
        height: Math.max(screen.height, top + height),
      };
      checkSize(size);
      checkSize({ width, height });
      const interlaced = (flags & 0x40) !== 0;
      const background = transparent ?? 0;
      const frame = { left, top, width, height, palette, interlaced, background, codeBits, data: this.#at };
      return { frame, screen: size };
    }
  }

  /** Skips an extension and returns the transparent index, if it names one. */
  #readExtension(): number | undefined {
    const label = this.#readByte();
    let block = this.#readBlock();
    let transparent: number | undefined;
    if (label === GRAPHIC_CONTROL && block) {
      block.readUInt16LE(1); // The delay has to be there.
      if ((block.readUInt8(0) & 1) !== 0) transparent = block.readUInt8(3);
    }
    // An empty first block ends a comment; behind that of another extension, Pillow reads on.
    if (!block && label === COMMENT) return undefined;
    do block = this.#readBlock();
    while (block);
    return transparent;
  }

  #readBlock(): Buffer | undefined {
    const length = this.#file[this.#at++] ?? 0;
    const block = this.#file.subarray(this.#at, this.#at + length);
    this.#at += length;
    return block.length > 0 ? block : undefined;
  }

  #readByte(): number {
    return this.#file.readUInt8(this.#at++);
  }

  /** Undefined if the flags announce no palette, or it is a ramp of greys: Pillow passes over such, however short. */
  #readPalette(flags: number): Palette | undefined {
    if ((flags & 0x80) === 0) return undefined;
    const bytes = CHANNELS << ((flags & 7) + 1);
    const entries = this.#file.subarray(this.#at, this.#at + bytes);
    this.#at += bytes;
    if (entries.every((channel, index) => channel === Math.floor(index / CHANNELS))) return undefined;
    const palette = new Uint8Array(256 * CHANNELS);
    palette.set(entries);
    return palette;
  }
}

function greys(): Palette {
  return Uint8Array.from({ length: 256 * CHANNELS }, (_, index) => Math.floor(index / CHANNELS));
}

function* rows(height: number): Generator<number> {
  for (let y = 0; y < height; y++) yield y;
}

/** Every eighth row, then those halfway between, and so on. */
function* interlacedRows(height: number): Generator<number> {
  for (const [first, step] of [
    [0, 8],
    [4, 8],
    [2, 4],
    [1, 2],
  ])
    for (let y = first; y < height; y += step) yield y;
}
