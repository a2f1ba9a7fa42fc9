/**
 * Part of a step's computing that a worker does while the generator's mean is on its way: the discriminator's next phase on
 * real images. Of the tutorial's networks, one thread on an AMD EPYC: 116 of 430 ms.
 */
export const LEARNED_AHEAD = 0.27;

/** Seconds of a step in which a worker waits for the means, by those of its two rounds and those that it computes. */
export function waitingSeconds(
  { discriminator, generator }: { readonly discriminator: number; readonly generator: number },
  compute: number,
): number {
  return discriminator + Math.max(0, generator - LEARNED_AHEAD * compute);
}
