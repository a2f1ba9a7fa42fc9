import type { Picture } from './picture.js';

export interface GridLayout {
  readonly count: number;
  /** Height and width of an image. */
  readonly size: number;
  readonly columns?: number;
  /** Images in each row, instead of columns. */
  readonly rows?: readonly number[];
  /** Black pixels around every image. */
  readonly padding?: number;
}

const CHANNELS = 3;

/**
 * torchvision's save_image(make_grid(images, nrow=columns, padding=padding, normalize=True)): the lowest value of
 * the whole batch becomes 0, the highest 255. As there, a single image has no padding.
 *
 * images: [count, size, size, 3] -> pixels: [rows * (size + padding) + padding, columns * ..., 3]
 */
export function makeGrid(
  images: Float32Array,
  { count, size, columns = 8, rows = fullRows(count, columns), padding = 2 }: GridLayout,
): Picture {
  if (count < 1 || images.length !== count * size * size * CHANNELS) {
    throw new RangeError(
      `${images.length} values are not ${count} images of ${size} x ${size} x ${CHANNELS}`,
    );
  }
  const border = count === 1 ? 0 : padding;
  const places = rows.flatMap((across, row) =>
    Array.from({ length: across }, (_, column) => ({ row, column })),
  );
  const width = Math.max(...rows) * (size + border) + border;
  const height = rows.length * (size + border) + border;

  const pixels = new Uint8Array(height * width * CHANNELS);
  const bytes = normalize(images);
  const rowLength = size * CHANNELS;
  for (const [image, place] of places.slice(0, count).entries()) {
    const left = border + place.column * (size + border);
    const top = border + place.row * (size + border);
    for (let row = 0; row < size; row++) {
      const source = (image * size + row) * rowLength;
      pixels.set(bytes.subarray(source, source + rowLength), ((top + row) * width + left) * CHANNELS);
    }
  }
  return { width, height, pixels };
}

function fullRows(count: number, columns: number): number[] {
  const rows = Math.ceil(count / columns);
  return Array.from({ length: rows }, (_, row) =>
    row < rows - 1 || rows === 1 ? Math.min(columns, count) : columns,
  );
}

/** From [lowest, highest] to 0 .. 255, rounded to float32 after each operation as PyTorch does, so to the same bytes. */
function normalize(values: Float32Array): Uint8Array {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (!Number.isFinite(value)) throw new RangeError(`an image has the value ${value}`);
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const { fround } = Math;
  const range = fround(Math.max(high - low, 1e-5));
  const bytes = new Uint8Array(values.length);
  // Not Uint8Array.from(values, ...): it makes an object of every value, 30 MB for a grid of 64 faces.
  values.forEach((value, index) => {
    bytes[index] = fround(fround(fround(fround(value - low) / range) * 255) + 0.5);
  });
  return bytes;
}
