import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { randomStream } from '../../../src/common/random.js';

/** Something to learn: light discs on dark grounds, of many places, sizes and colours. */
export function discs(step: number, count: number, size: number): Float32Array {
  const stream = randomStream(1, 'discs', step);
  const between = (least: number, most: number): number => least + (most - least) * uniformFloat64(stream);
  const images = new Float32Array(count * size * size * 3);
  for (let image = 0; image < count; image++) {
    const [x, y, radius] = [between(10, 22), between(10, 22), between(5, 11)];
    const disc = [between(0.2, 1), between(0.2, 1), between(0.2, 1)];
    const ground = [between(-1, -0.4), between(-1, -0.4), between(-1, -0.4)];
    for (let pixel = 0; pixel < size * size; pixel++) {
      const inside = Math.hypot((pixel % size) - x, Math.floor(pixel / size) - y) < radius;
      images.set(inside ? disc : ground, (image * size * size + pixel) * 3);
    }
  }
  return images;
}
