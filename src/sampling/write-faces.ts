import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomically } from '../common/files/atomic-file.js';
import { createFolder } from '../common/files/create-folder.js';
import { messageOf, UserError } from '../common/errors.js';
import { makeGrid } from './image-grid.js';
import { writePicture } from './picture.js';
import { faceBytes } from './face-bytes.js';
import type { Painter } from './face-generator.js';
import type { FacesPlan } from './generation-plan.js';

const CHANNELS = 3;

/** 25 a second. */
const FRAME_TIME = 40;

/** Draws what is planned, and writes it to a file, or to a folder of files. */
export async function writeFaces(
  plan: FacesPlan,
  painter: Painter,
  size: number,
  out: string,
): Promise<void> {
  const { latents, layout, rows, format } = plan;
  if (layout === 'files') return writeEach(plan, painter, size, out);
  const images = await painter.paint(latents);
  if (layout === 'animation') return writeAnimation(plan, images, size, out);
  const grid = makeGrid(images, { count: latents.length, size, ...(rows && { rows }) });
  await writePicture(out, grid, format === 'webp' ? 'webp' : 'png');
}

/** face-0000.png and on, in a folder that is new or empty. */
async function writeEach(plan: FacesPlan, painter: Painter, size: number, folder: string): Promise<void> {
  await makeEmptyFolder(folder);
  const digits = Math.max(4, String(plan.latents.length - 1).length);
  let face = 0;
  for await (const batch of painter.batches(plan.latents)) {
    const length = size ** 2 * CHANNELS;
    for (let offset = 0; offset < batch.length; offset += length) {
      const pixels = faceBytes(batch.subarray(offset, offset + length));
      const name = `face-${String(face++).padStart(digits, '0')}.png`;
      await writePicture(join(folder, name), { width: size, height: size, pixels });
    }
  }
}

async function writeAnimation(
  plan: FacesPlan,
  images: Float32Array,
  size: number,
  out: string,
): Promise<void> {
  const { default: sharp } = await import('sharp');
  const frames = plan.latents.length;
  const raw = { width: size, height: size * frames, channels: CHANNELS, pageHeight: size } as const;
  const picture = sharp(faceBytes(images), { raw });
  const timing = { delay: Array.from({ length: frames }, () => FRAME_TIME), loop: 0 };
  const file = plan.format === 'webp' ? picture.webp(timing) : picture.gif(timing);
  await writeFileAtomically(out, await file.toBuffer());
}

async function makeEmptyFolder(folder: string): Promise<void> {
  try {
    createFolder(folder);
    if ((await readdir(folder)).length === 0) return;
  } catch (error) {
    throw new UserError(`cannot write to the folder ${folder}: ${messageOf(error)}`, { cause: error });
  }
  throw new UserError(`${folder} is not empty: give --out a new folder`);
}
