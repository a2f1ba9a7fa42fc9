import { writeFileAtomically } from '../../common/files/atomic-file.js';
import type { RunFolder } from '../run-directory.js';

/** More would take long to watch, and a frame takes a megabyte of memory while they are joined. */
const MOST_FRAMES = 100;

/** Duration of a frame, and of the last one, in milliseconds. */
const FRAME_TIME = 200;
const LAST_FRAME_TIME = 2_000;

/**
 * Effort (1 to 10) for the choice of a palette: 8 grids of 64 faces take 0.9 s of a core; with sharp's default of 7
 * they take 2.7 s. samples.webp has no palette and a better quality.
 */
const GIF_EFFORT = 4;

/**
 * samples.gif and samples.webp: the same noise step by step, as in the tutorial. Evenly chosen where there are very many;
 * the first and the last are always among them. Fewer than two make none. Returns the number of frames.
 */
export async function writeSamplesAnimation(run: RunFolder): Promise<number> {
  const frames = evenly(await run.sampleSteps(), MOST_FRAMES).map((step) => run.samplePicture(step));
  if (frames.length < 2) return 0;
  const { default: sharp } = await import('sharp');
  const delay = frames.map((_, index) => (index === frames.length - 1 ? LAST_FRAME_TIME : FRAME_TIME));
  const joined = (): ReturnType<typeof sharp> => sharp(frames, { join: { animated: true } });
  await writeFileAtomically(
    run.samplesGif,
    await joined().gif({ delay, loop: 0, effort: GIF_EFFORT }).toBuffer(),
  );
  await writeFileAtomically(
    run.samplesWebp,
    await joined().webp({ delay, loop: 0, quality: 90, smartSubsample: true }).toBuffer(),
  );
  return frames.length;
}

/** `most` of them, evenly spread from the first to the last. */
export function evenly<Item>(items: readonly Item[], most: number): Item[] {
  if (items.length <= most) return [...items];
  return Array.from({ length: most }, (_, i) => items[Math.round((i * (items.length - 1)) / (most - 1))]);
}
