import { availableParallelism } from 'node:os';
import { permutation, randomStream } from '../common/random.js';
import { Faces } from '../data/index.js';
import type { EngineName } from '../engine/engine.js';
import { evaluate, type Evaluation } from './evaluation.js';
import { FACE_PACKAGE_VERSION } from './face-package.js';
import { analyseFaces } from './analyse-faces.js';
import { partOf } from './face-analysis.js';
import type { Picture } from '../sampling/picture.js';
import { readAnalysis, writeAnalysis } from './descriptor-cache.js';
import { neighbourSheet } from './neighbour-sheet.js';

export interface EvaluatePacksOptions {
  /** Both packs of the same size of pictures. */
  readonly samples: string;
  readonly reals: string;
  /** Count of samples: the first ones of the pack. */
  readonly count: number;
  readonly seed: number;
  readonly engine: EngineName;
  /** Path of the cached analysis of real faces; undefined: not cached. */
  readonly realAnalysis?: string;
  readonly onProgress?: (done: number, total: number) => void;
}

export interface EvaluatedPacks {
  readonly evaluation: Evaluation;
  readonly sheet: Picture;
}

/** Samples of a pack, beside real faces that the seed chooses. */
export async function evaluatePacks(options: EvaluatePacksOptions): Promise<EvaluatedPacks> {
  const samples = Faces.open(options.samples);
  try {
    const reals = Faces.open(options.reals);
    try {
      return await evaluateFaces(samples, reals, options);
    } finally {
      reals.close();
    }
  } finally {
    samples.close();
  }
}

async function evaluateFaces(
  samples: Faces,
  reals: Faces,
  options: EvaluatePacksOptions,
): Promise<EvaluatedPacks> {
  const { count, seed, engine, realAnalysis: place, onProgress } = options;
  const realIndices = permutation(reals.count, randomStream(seed, 'judged faces')).slice(0, 2 * count);
  const key = `face-api ${FACE_PACKAGE_VERSION}, ${engine}, ${reals.fingerprint}, seed ${seed}`;
  const known = place === undefined ? undefined : await readAnalysis(place, key, realIndices.length);
  const parts = [
    { pack: options.samples, indices: Uint32Array.from({ length: count }, (_, index) => index) },
  ];
  if (!known) parts.push({ pack: options.reals, indices: realIndices });
  const [sampleAnalysis, ...rest] = await analyseFaces({
    ...{ engine, parts, threads: availableParallelism() },
    ...(onProgress && { onProgress }),
  });
  const realAnalysis = known ?? rest[0];
  if (!known && place !== undefined) await writeAnalysis(place, key, realAnalysis);
  const evaluation = evaluate(
    sampleAnalysis,
    { reference: partOf(realAnalysis, 0, count), others: partOf(realAnalysis, count, 2 * count) },
    seed,
  );
  const sheet = neighbourSheet({ samples, reals, sampleAnalysis, realAnalysis, realIndices });
  return { evaluation, sheet };
}
