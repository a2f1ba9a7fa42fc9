import { tf } from '../tensorflow.js';
import { BATCH_NORM_EPSILON, TRAINING_BATCH_NORM, TRAINING_BATCH_NORM_GRADIENT } from '../batch-norm.js';
import { FLOAT_BYTES, type Heap } from './heap.js';
import { register } from './register.js';
import type { Toolbox } from './toolbox.js';

interface ForwardInputs {
  readonly features: tf.Tensor4D;
  readonly gamma: tf.Tensor1D;
  readonly beta: tf.Tensor1D;
}

interface GradientInputs {
  readonly outputGradient: tf.Tensor4D;
  readonly features: tf.Tensor4D;
  readonly gamma: tf.Tensor1D;
  /** Mean and 1 / deviation, [channels] each. */
  readonly saved1: tf.Tensor1D;
  readonly saved2: tf.Tensor1D;
}

/**
 * Batch norm as two kernels. Each reads the features twice: for sums over rows, then for the result. Sums are float32
 * over some rows and double over those sums; what there is one of a channel is computed in JavaScript.
 */
export function registerBatchNorm(toolbox: Toolbox): void {
  register(TRAINING_BATCH_NORM, (inputs: ForwardInputs) => forward(toolbox, inputs));
  register(TRAINING_BATCH_NORM_GRADIENT, (inputs: GradientInputs) => gradient(toolbox, inputs));
}

function forward({ heap, kernels }: Toolbox, { features, gamma, beta }: ForwardInputs): tf.TensorInfo[] {
  const { rows, channels, vectorBytes } = matrixOf(features);
  const [output, mean, variance, saved1, saved2] = [
    features.shape,
    ...Array.from({ length: 4 }, () => [channels]),
  ].map((shape) => heap.output(shape));
  heap.borrow([vectorBytes, vectorBytes, vectorBytes, vectorBytes], ([sums, means, scales, shifts]) => {
    const from = heap.address(features);
    const averages = new Float64Array(channels);
    const squares = new Float64Array(channels);
    forEachChunk(rows, channels, (first, count) => {
      const chunk = from + first * channels * FLOAT_BYTES;
      kernels.sumRows(chunk, count, channels, sums);
      const ofChunk = heap.floats(sums, channels).map((sum) => sum / count);
      heap.floats(means, channels).set(ofChunk);
      kernels.sumProducts(0, chunk, means, count, channels, sums);
      const squaresOfChunk = heap.floats(sums, channels);
      // Two sets of numbers joined into one (Chan, Golub and LeVeque 1979).
      for (let c = 0; c < channels; c++) {
        const difference = ofChunk[c] - averages[c];
        averages[c] += (difference * count) / (first + count);
        squares[c] += squaresOfChunk[c] + (difference ** 2 * first * count) / (first + count);
      }
    });
    const [gammas, betas] = [gamma, beta].map((vector) => read(heap, vector));
    const inverse = squares.map((sum) => 1 / Math.sqrt(sum / rows + BATCH_NORM_EPSILON));
    const scale = inverse.map((value, c) => value * gammas[c]);
    heap.floats(scales, channels).set(scale);
    heap.floats(shifts, channels).set(scale.map((value, c) => betas[c] - averages[c] * value));
    kernels.scaleRows(0, from, heap.address(output), rows, channels, 0, scales, shifts);

    write(heap, mean, averages);
    write(
      heap,
      variance,
      squares.map((sum) => sum / Math.max(rows - 1, 1)),
    );
    write(heap, saved1, averages);
    write(heap, saved2, inverse);
  });
  return [output, mean, variance, saved1, saved2, heap.output([0])];
}

function gradient(
  { heap, kernels }: Toolbox,
  { outputGradient, features, gamma, saved1, saved2 }: GradientInputs,
): tf.TensorInfo[] {
  const { rows, channels, vectorBytes } = matrixOf(features);
  const forFeatures = heap.output(features.shape);
  const [forGamma, forBeta] = [heap.output([channels]), heap.output([channels])];
  heap.borrow([vectorBytes, vectorBytes, vectorBytes, vectorBytes], ([sums, scales, slopes, shifts]) => {
    const [from, by] = [heap.address(features), heap.address(outputGradient)];
    const total = new Float64Array(channels);
    const products = new Float64Array(channels);
    const [mean, inverse, gammas] = [saved1, saved2, gamma].map((vector) => read(heap, vector));
    // Room for a multiple of four channels, as `sumProducts` reads.
    heap.floats(shifts, channels).set(mean);
    forEachChunk(rows, channels, (first, count) => {
      const offset = first * channels * FLOAT_BYTES;
      kernels.sumRows(by + offset, count, channels, sums);
      heap.floats(sums, channels).forEach((sum, c) => (total[c] += sum));
      kernels.sumProducts(by + offset, from + offset, shifts, count, channels, sums);
      heap.floats(sums, channels).forEach((sum, c) => (products[c] += sum));
    });
    // Ioffe and Szegedy 2015, section 3, with the terms gathered.
    const scale = inverse.map((value, c) => value * gammas[c]);
    const slope = scale.map((value, c) => (-value * inverse[c] ** 2 * products[c]) / rows);
    heap.floats(scales, channels).set(scale);
    heap.floats(slopes, channels).set(slope);
    heap
      .floats(shifts, channels)
      .set(slope.map((value, c) => -value * mean[c] - (scale[c] * total[c]) / rows));
    kernels.scaleRows(by, from, heap.address(forFeatures), rows, channels, scales, slopes, shifts);

    write(
      heap,
      forGamma,
      products.map((sum, c) => sum * inverse[c]),
    );
    write(heap, forBeta, total);
  });
  return [forFeatures, forGamma, forBeta];
}

function matrixOf({ shape, size }: tf.Tensor4D): { rows: number; channels: number; vectorBytes: number } {
  const channels = shape[3];
  return { rows: size / channels, channels, vectorBytes: Math.ceil(channels / 4) * 4 * FLOAT_BYTES };
}

/** Chunks of rows that stay in the cache, and are few enough for a sum in float32. */
function forEachChunk(rows: number, channels: number, use: (first: number, count: number) => void): void {
  const chunk = Math.min(CHUNK_ROWS, Math.max(1, Math.floor(CHUNK_FLOATS / channels)));
  for (let first = 0; first < rows; first += chunk) use(first, Math.min(chunk, rows - first));
}

const CHUNK_ROWS = 256;
const CHUNK_FLOATS = 32768;

/** A copy in double precision. */
function read(heap: Heap, vector: tf.Tensor): Float64Array {
  return Float64Array.from(heap.floats(heap.address(vector), vector.size));
}

function write(heap: Heap, vector: tf.TensorInfo, values: Float64Array): void {
  heap.floats(heap.address(vector), values.length).set(values);
}
