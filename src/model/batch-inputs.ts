/** The real images of a batch; throws where a phase that needs them was given none. */
export function requireImages(images: Float32Array | undefined): Float32Array {
  if (!images) throw new Error('the discriminator phase needs images');
  return images;
}

/** Returns whether two batches are the same one, by their noise. */
export function isSameNoise(one: Float32Array | undefined, other: Float32Array): boolean {
  return one?.length === other.length && one.every((value, index) => value === other[index]);
}
