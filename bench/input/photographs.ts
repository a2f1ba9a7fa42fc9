import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { randomStream } from '../../src/common/random.js';

export interface Photographs {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly count: number;
}

/** Pixels between the colours that a photograph is blended from. */
const BLOB = 24;

/** Writes JPEGs that cost as much to decode as photographs: soft shapes with a sensor's noise. */
export async function writePhotographs(
  root: string,
  { name, width, height, count }: Photographs,
): Promise<string> {
  const folder = join(root, name);
  await mkdir(join(folder, 'photographs'), { recursive: true });
  for (let index = 0; index < count; index++) {
    const stream = randomStream(0, name, index);
    const shape = { width: Math.ceil(width / BLOB), height: Math.ceil(height / BLOB), channels: 3 as const };
    const colours = Buffer.from(
      Array.from({ length: shape.width * shape.height * shape.channels }, () => uniformInt(stream, 0, 255)),
    );
    const noise = {
      width,
      height,
      channels: 3 as const,
      noise: { type: 'gaussian' as const, mean: 128, sigma: 8 },
    };
    await sharp(colours, { raw: shape })
      .resize(width, height, { fit: 'fill' })
      .composite([{ input: { create: { ...noise, background: '#808080' } }, blend: 'soft-light' }])
      .jpeg({ quality: 90 })
      .toFile(join(folder, 'photographs', `${index}.jpg`));
  }
  return folder;
}
