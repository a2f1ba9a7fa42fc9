import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { faceToSvgString, generate } from 'facesjs';
import { randomStream } from '../../common/random.js';

/** Pixels a side of a drawn face. */
export const DRAWN_SIZE = 128;

/** facesjs draws on 400 x 600; this square of it is the head, with hair and chin. */
const FRAME = '-10 90 420 420';

/**
 * The SVG of face number `index`, which depends on (seed, index) alone. Frontal, centred and of one scale, on a
 * plain background: what a small network can learn. Hats and glasses hide what makes a face, and are left out.
 */
export function drawFace(seed: number, index: number): string {
  const stream = randomStream(seed, 'face', index);
  const random = (): number => uniformFloat64(stream);
  const hue = Math.floor(random() * 360);
  const gender = random() < 0.5 ? 'female' : 'male';
  const svg = withRandom(random, () =>
    faceToSvgString(generate({ accessories: { id: 'none' }, glasses: { id: 'none' } }, { gender })),
  );
  return svg.replace(
    /<svg [^>]*>/,
    `<svg xmlns="http://www.w3.org/2000/svg" width="${DRAWN_SIZE}" height="${DRAWN_SIZE}" viewBox="${FRAME}">` +
      `<rect x="-10" y="90" width="420" height="420" fill="hsl(${hue}, 40%, 80%)"/>`,
  );
}

/** facesjs takes its chances from Math.random; it does so before it returns. */
function withRandom<T>(random: () => number, run: () => T): T {
  const original = Math.random;
  Math.random = random;
  try {
    return run();
  } finally {
    Math.random = original;
  }
}
