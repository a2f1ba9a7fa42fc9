/**
 * Returns the difference between images: the standard deviation over the images at each place, averaged over all
 * places. 0 if all are equal, as after a mode collapse. images: [count, length]
 */
export function spread(images: Float32Array, length: number): number {
  const count = images.length / length;
  if (count < 1 || !Number.isInteger(count))
    throw new RangeError(`${images.length} values are not images of ${length}`);
  let total = 0;
  for (let place = 0; place < length; place++) {
    let sum = 0;
    let squares = 0;
    // Float32 values between -1 and 1: in double precision, the difference of the two means loses nothing that counts.
    for (let at = place; at < images.length; at += length) {
      sum += images[at];
      squares += images[at] ** 2;
    }
    const mean = sum / count;
    total += Math.sqrt(Math.max(0, squares / count - mean ** 2));
  }
  return total / length;
}
