import { CHANNELS, type Pixels, type Size } from './pixels.js';
import { kernel, layOut } from './resample-kernel.js';
import { triangleFilter } from './triangle-filter.js';

/** A part of the resized picture, in its pixels. */
export interface Window extends Size {
  readonly left: number;
  readonly top: number;
}

/**
 * A window of the picture resized to `width` x `height`, by an antialiased bilinear filter. It is Pillow's
 * algorithm (Resample.c) step by step, so that the result is Pillow's bit by bit; only the window is computed.
 * The inner loops are WebAssembly with SIMD: in JavaScript they cost more than decoding a small JPEG.
 * [h, w, 3] -> [window.height, window.width, 3]
 */
export function resample(from: Pixels, { width, height }: Size, window: Window): Uint8Array<ArrayBuffer> {
  const columns = triangleFilter(from.width, from.width / width, window.left, window.width);
  const rows = triangleFilter(from.height, from.height / height, window.top, window.height);
  const first = rows.starts[0]; // of the source's rows
  const last = rows.starts[window.height - 1] + rows.counts[window.height - 1];

  const sourceBytes = from.width * CHANNELS;
  const rowBytes = window.width * CHANNELS;
  const [starts, counts, columnWeights, rowWeights, source, narrowed, result] = layOut(
    columns.starts.byteLength,
    columns.counts.byteLength,
    columns.weights.byteLength,
    rows.weights.byteLength,
    sourceBytes, // A row at a time: the picture may be large.
    rowBytes * (last - first),
    rowBytes * window.height,
  );
  const { buffer } = kernel.memory;
  new Int32Array(buffer, starts).set(columns.starts);
  new Int32Array(buffer, counts).set(columns.counts);
  new Int32Array(buffer, columnWeights).set(columns.weights);
  new Int32Array(buffer, rowWeights).set(rows.weights);
  const memory = new Uint8Array(buffer);

  for (let y = first; y < last; y++) {
    memory.set(from.data.subarray(y * sourceBytes, (y + 1) * sourceBytes), source);
    const target = narrowed + (y - first) * rowBytes;
    kernel.narrowRow(source, target, starts, counts, columnWeights, columns.stride, window.width);
  }
  for (let y = 0; y < window.height; y++) {
    const begin = narrowed + (rows.starts[y] - first) * rowBytes;
    const weights = rowWeights + y * rows.stride * Int32Array.BYTES_PER_ELEMENT;
    kernel.mergeRows(begin, result + y * rowBytes, weights, rows.counts[y], rowBytes);
  }
  return memory.slice(result, result + rowBytes * window.height);
}
