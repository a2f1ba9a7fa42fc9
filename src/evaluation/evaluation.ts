import { bootstrapInterval } from './bootstrap.js';
import { frechetDistance } from './frechet-distance.js';
import { fitGaussian, type Gaussian } from './gaussian.js';
import type { Interval } from './interval.js';
import { DESCRIPTOR_LENGTH, type FaceAnalysis } from './face-analysis.js';
import { nearestOfEach } from './nearest.js';
import { wilsonInterval } from './wilson-interval.js';

/** Evaluation of samples. Intervals are 95 % confidence intervals. */
export interface Evaluation {
  /** Samples, and as many real faces. */
  readonly count: number;
  /** Fraction of samples in which the detector finds a face. */
  readonly faceShare: number;
  readonly faceShareInterval: Interval;
  /** The same fraction of real faces, for reference. */
  readonly realFaceShare: number;
  readonly realFaceShareInterval: Interval;
  /** Squared Fréchet distance between the descriptors of samples and of real faces. */
  readonly frechetDistance: number;
  readonly frechetDistanceInterval: Interval;
  /** The same between two halves of the real faces: what a perfect generator would come to. */
  readonly realFrechetDistance: number;
  /** Median distance of a sample's descriptor from that of the nearest real face. */
  readonly nearestDistance: number;
  /** The same for real faces: copies would be much nearer. */
  readonly realNearestDistance: number;
}

/** References for the samples: as many real faces, and as many others. */
export interface RealFaces {
  readonly reference: FaceAnalysis;
  readonly others: FaceAnalysis;
}

export function evaluate(samples: FaceAnalysis, { reference, others }: RealFaces, seed: number): Evaluation {
  const fit = ({ descriptors }: FaceAnalysis, times?: Uint32Array): Gaussian =>
    fitGaussian(descriptors, DESCRIPTOR_LENGTH, times);
  const [ofSamples, ofReference] = [fit(samples), fit(reference)];
  const distance = frechetDistance(ofSamples, ofReference);
  const count = samples.found.length;
  const [faces, realFaces] = [facesIn(samples), facesIn(reference) + facesIn(others)];
  const realCount = reference.found.length + others.found.length;
  return {
    count,
    faceShare: faces / count,
    faceShareInterval: wilsonInterval(faces, count),
    realFaceShare: realFaces / realCount,
    realFaceShareInterval: wilsonInterval(realFaces, realCount),
    frechetDistance: distance,
    frechetDistanceInterval: bootstrapInterval(
      distance,
      [count, reference.found.length],
      ([times, referenceTimes]) => frechetDistance(fit(samples, times), fit(reference, referenceTimes)),
      seed,
    ),
    realFrechetDistance: frechetDistance(fit(others), ofReference),
    nearestDistance: medianNearest(samples, reference),
    realNearestDistance: medianNearest(others, reference),
  };
}

function facesIn({ found }: FaceAnalysis): number {
  return found.reduce((sum, each) => sum + each, 0);
}

function medianNearest({ descriptors }: FaceAnalysis, reference: FaceAnalysis): number {
  const distances = nearestOfEach(descriptors, reference.descriptors, DESCRIPTOR_LENGTH)
    .map(({ distance }) => Math.sqrt(distance))
    .sort((one, other) => one - other);
  return distances[Math.floor(distances.length / 2)];
}
