export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Red, green and blue. */
export const CHANNELS = 3;

/** A decoded picture: 8 bits a channel, red, green and blue. [height, width, 3] */
export interface Pixels extends Size {
  readonly data: Uint8Array;
}

/** A picture whose header was read and found within the limits. */
export interface Picture extends Size {
  decode(): Pixels | Promise<Pixels>;
}

/**
 * Largest picture that is decoded, in pixels, for every format: Pillow refuses larger ones. Decoding takes at most 12
 * bytes a pixel (a progressive JPEG of four inks), so 2 GiB besides the file.
 */
export const MAX_PIXELS = 178_956_970;

/** Reports a picture that cannot be used. The message is a reason that fits behind the picture's name. */
export class BrokenImage extends Error {
  override readonly name = 'BrokenImage';
}

/** Checks a picture's size as its header claims it, before any memory is taken for it. */
export function checkSize({ width, height }: Size): void {
  if (width === 0 || height === 0) throw new BrokenImage(`it has ${width} x ${height} pixels`);
  if (width * height > MAX_PIXELS) {
    throw new BrokenImage(
      `its ${width} x ${height} pixels are more than the ${MAX_PIXELS / 1e6} million allowed`,
    );
  }
}
