import { fillNormal, randomStream } from '../common/random.js';

/** A noise vector. [latent] */
export type Latent = Float32Array;

/** Face `index` of a seed: the same whatever else is drawn. */
export function latentOf(seed: number, index: number, size: number): Latent {
  return fillNormal(new Float32Array(size), randomStream(seed, 'face', index));
}

/**
 * Spherical interpolation (Shoemake 1985): between normal vectors it stays where normal vectors are, at a length of about
 * sqrt(latent), which the straight line does not (White 2016, "Sampling Generative Networks"). `share` from 0, a, to 1, b.
 */
export function slerp(a: Latent, b: Latent, share: number): Latent {
  const cosine = dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
  const angle = Math.acos(Math.min(1, Math.max(-1, cosine)));
  const sine = Math.sin(angle);
  // Vectors of one direction have no arc between them.
  const [ofA, ofB] =
    sine < 1e-6 ? [1 - share, share] : [Math.sin((1 - share) * angle) / sine, Math.sin(share * angle) / sine];
  return a.map((value, i) => ofA * value + ofB * b[i]);
}

/** From each to the next in so many steps: `frames` for each way, and the last one itself. */
export function path(keys: readonly Latent[], frames: number): Latent[] {
  const ways = keys
    .slice(1)
    .flatMap((to, way) => Array.from({ length: frames }, (_, frame) => slerp(keys[way], to, frame / frames)));
  return [...ways, keys[keys.length - 1]];
}

export function mean(vectors: readonly Latent[]): Latent {
  return vectors[0].map((_, i) => vectors.reduce((sum, vector) => sum + vector[i], 0) / vectors.length);
}

function dot(a: Latent, b: Latent): number {
  return a.reduce((sum, value, i) => sum + value * b[i], 0);
}
