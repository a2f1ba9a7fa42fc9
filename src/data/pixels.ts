export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Red, green and blue. */
export const CHANNELS = 3;

/** A decoded picture: 8 bits a channel, red, green and blue. [height, width, 3] */
export interface Pixels extends Size {
  readonly data: Uint8Array;
  /** What the file holds: more than `width` x `height` where a reduced version was decoded. */
  readonly original: Size;
  /** So many pixels of the original became one, along each side. */
  readonly reduction: number;
}

/** A picture of more pixels is refused: one decoder would need more than 400 MB for it. */
export const MAX_PIXELS = 100_000_000;

/** What is wrong with a picture, in words that fit behind its name. */
export class BrokenImage extends Error {
  override readonly name = 'BrokenImage';
}

export function refuseHuge({ width, height }: Size): void {
  if (width * height > MAX_PIXELS) {
    throw new BrokenImage(
      `${width} x ${height} pixels are more than the ${MAX_PIXELS / 1e6} million allowed`,
    );
  }
}
