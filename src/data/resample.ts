import type { Pixels, Size } from './pixels.js';

/** Weights are fixed-point numbers of so many bits, as in Pillow: 8 bits of pixel times 22 fit into 32. */
const PRECISION = 22;
const HALF = 1 << (PRECISION - 1);

/** A part of the resized picture, in its pixels. */
export interface Window extends Size {
  readonly left: number;
  readonly top: number;
}

/**
 * A window of the picture resized to `width` x `height`, by an antialiased bilinear filter. It is Pillow's
 * algorithm (Resample.c) step by step, so that the result is Pillow's bit by bit; only the window is computed.
 * `from` may be a reduced version of the picture. [h, w, 3] -> [window.height, window.width, 3]
 */
export function resample(from: Pixels, { width, height }: Size, window: Window): Uint8Array<ArrayBuffer> {
  const columns = triangle(
    from.width,
    from.original.width / from.reduction / width,
    window.left,
    window.width,
  );
  const rows = triangle(
    from.height,
    from.original.height / from.reduction / height,
    window.top,
    window.height,
  );
  const first = rows.starts[0];
  const last = rows.starts[window.height - 1] + rows.counts[window.height - 1];
  const band = from.data.subarray(first * from.width * 3, last * from.width * 3);
  return reduceRows(reduceColumns(band, from.width, columns), columns.counts.length * 3, rows, first);
}

/** For each pixel of the result: which source pixels it takes (`counts` from `starts`), and how much of each. */
interface Filter {
  readonly starts: Int32Array;
  readonly counts: Int32Array;
  /** [result pixels, stride] */
  readonly weights: Int32Array;
  readonly stride: number;
}

/** `scale`: source pixels for one of the result. A reduced source's last pixel may stand for less than a whole one. */
function triangle(sourceLength: number, scale: number, offset: number, length: number): Filter {
  const support = Math.max(scale, 1); // Enlarging is plain bilinear.
  const stride = Math.ceil(support) * 2 + 1;
  const filter = {
    starts: new Int32Array(length),
    counts: new Int32Array(length),
    weights: new Int32Array(length * stride),
    stride,
  };
  for (let i = 0; i < length; i++) {
    const centre = (offset + i + 0.5) * scale;
    const start = Math.max(0, Math.trunc(centre - support + 0.5));
    const end = Math.min(sourceLength, Math.trunc(centre + support + 0.5));
    const exact = Array.from({ length: end - start }, (_, tap) =>
      Math.max(0, 1 - Math.abs((start + tap - centre + 0.5) * (1 / support))),
    );
    const sum = exact.reduce((total, weight) => total + weight, 0);
    exact.forEach((weight, tap) => {
      filter.weights[i * stride + tap] = Math.trunc(0.5 + (weight / sum) * (1 << PRECISION));
    });
    filter.starts[i] = start;
    filter.counts[i] = end - start;
  }
  return filter;
}

/* The two loops below take most of the time of decoding: hence indices instead of iterators, and local names. */

/** [rows, sourceWidth, 3] -> [rows, filter's length, 3] */
function reduceColumns(source: Uint8Array, sourceWidth: number, filter: Filter): Uint8Array<ArrayBuffer> {
  const { starts, counts, weights, stride } = filter;
  const height = source.length / (sourceWidth * 3);
  const result = new Uint8Array(height * starts.length * 3);
  let to = 0;
  for (let y = 0; y < height; y++) {
    const row = y * sourceWidth * 3;
    for (let x = 0; x < starts.length; x++) {
      let from = row + starts[x] * 3;
      let red = HALF;
      let green = HALF;
      let blue = HALF;
      const end = x * stride + counts[x];
      for (let tap = x * stride; tap < end; tap++) {
        const weight = weights[tap];
        red = (red + Math.imul(source[from], weight)) | 0;
        green = (green + Math.imul(source[from + 1], weight)) | 0;
        blue = (blue + Math.imul(source[from + 2], weight)) | 0;
        from += 3;
      }
      result[to] = red >> PRECISION;
      result[to + 1] = green >> PRECISION;
      result[to + 2] = blue >> PRECISION;
      to += 3;
    }
  }
  return result;
}

/** [rows, rowLength] -> [filter's length, rowLength]; `first` is the number of the source's first row. */
function reduceRows(
  source: Uint8Array,
  rowLength: number,
  filter: Filter,
  first: number,
): Uint8Array<ArrayBuffer> {
  const { starts, counts, weights, stride } = filter;
  const result = new Uint8Array(starts.length * rowLength);
  const sums = new Int32Array(rowLength);
  for (let y = 0; y < starts.length; y++) {
    sums.fill(HALF);
    let from = (starts[y] - first) * rowLength;
    const end = y * stride + counts[y];
    for (let tap = y * stride; tap < end; tap++) {
      const weight = weights[tap];
      for (let x = 0; x < rowLength; x++) sums[x] = (sums[x] + Math.imul(source[from + x], weight)) | 0;
      from += rowLength;
    }
    const to = y * rowLength;
    for (let x = 0; x < rowLength; x++) result[to + x] = sums[x] >> PRECISION;
  }
  return result;
}
