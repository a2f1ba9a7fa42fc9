/** Not finite where any element is not. */
export function euclideanNorm(vector: Float32Array): number {
  let squares = 0;
  for (const value of vector) squares += value * value;
  return Math.sqrt(squares);
}

/** The first element that is no number or infinite; undefined where there is none. */
export function firstNotFinite(vector: Float32Array): number | undefined {
  const index = vector.findIndex((value) => !Number.isFinite(value));
  return index < 0 ? undefined : index;
}
