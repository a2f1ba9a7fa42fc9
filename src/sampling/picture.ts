import { writeFileAtomically } from '../common/files/atomic-file.js';

/** 8-bit RGB, row by row. [height, width, 3] */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

export type PictureFormat = 'png' | 'webp';

/** Writes a PNG, or a lossless WebP. sharp (20 MiB) is loaded by the first picture. */
export async function writePicture(
  path: string,
  { width, height, pixels }: Picture,
  format: PictureFormat = 'png',
): Promise<void> {
  const { default: sharp } = await import('sharp');
  const picture = sharp(pixels, { raw: { width, height, channels: 3 } });
  const file = format === 'png' ? picture.png() : picture.webp({ lossless: true });
  await writeFileAtomically(path, await file.toBuffer());
}
