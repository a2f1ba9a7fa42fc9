import { writeFileAtomically } from '../../common/atomic-file.js';

/** 8-bit RGB, row by row. [height, width, 3] */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

/** Writes a PNG. sharp (20 MiB) is loaded by the first picture. */
export async function writePicture(path: string, { width, height, pixels }: Picture): Promise<void> {
  const { default: sharp } = await import('sharp');
  const png = await sharp(pixels, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
  await writeFileAtomically(path, png);
}
