/**
 * The mean of vectors of one length that come one after the other: added in the order in which they come, then divided
 * by their number, each in float32. It is made in the first one's place, so that no memory is taken for it.
 */
export class MeanOfVectors {
  #sum: Float32Array | undefined;
  #count = 0;

  /** The first vector becomes the mean; the others are not needed any more. */
  add(vector: Float32Array): void {
    this.#count++;
    const sum = (this.#sum ??= vector);
    if (sum === vector) return;
    // A sum of two float32 in float64, rounded to float32, is what float32 adds to: Figueroa 1995, as for the quotient.
    for (let i = 0; i < sum.length; i++) sum[i] += vector[i];
  }

  /** One vector alone is left as it is. */
  take(): Float32Array {
    const mean = this.#sum;
    if (!mean) throw new Error('there is no mean of nothing');
    if (this.#count > 1) for (let i = 0; i < mean.length; i++) mean[i] /= this.#count;
    return mean;
  }
}
