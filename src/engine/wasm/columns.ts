import { tf } from '../tensorflow.js';
import { FLOAT_BYTES } from './heap.js';
import type { Kernels } from './kernels.js';
import type { Matrix } from './matrix-product.js';

/**
 * A convolution as a matrix product: each place of the filter in an image is a row of what the filter sees there
 * [filterHeight * filterWidth * inChannels], the filter is a matrix [that, outChannels]. Rows are made for some
 * hundred places at a time, so that they stay in the cache.
 */
export class Columns {
  /** Floats of what the filter sees. */
  readonly depth: number;
  /** Rows of places in the whole batch. */
  readonly imageRows: number;
  /** Rows of places that are made at a time. */
  readonly groupRows: number;
  /** Room for that many rows. */
  readonly bytes: number;

  readonly #rowStride: number;

  constructor(
    private readonly kernels: Kernels,
    readonly shapes: tf.backend_util.Conv2DInfo,
  ) {
    const { filterHeight, filterWidth, inChannels, batchSize, outHeight, outWidth } = shapes;
    this.depth = filterHeight * filterWidth * inChannels;
    this.imageRows = batchSize * outHeight;
    this.groupRows = Math.min(this.imageRows, Math.max(1, Math.floor(PLACES / outWidth)));
    this.#rowStride = (this.depth + ROW_GAP) * FLOAT_BYTES;
    this.bytes = this.groupRows * outWidth * this.#rowStride;
  }

  /** [places, depth] */
  matrix(address: number): Matrix {
    return { address, rowStride: this.#rowStride, columnStride: FLOAT_BYTES };
  }

  /** Calls `use` for one group of places after the other, in order. */
  forEachGroup(use: (group: Group) => void): void {
    const { outWidth } = this.shapes;
    for (let first = 0; first < this.imageRows; first += this.groupRows) {
      const imageRows = Math.min(this.groupRows, this.imageRows - first);
      use({ firstRow: first, imageRows, firstPlace: first * outWidth, places: imageRows * outWidth });
    }
  }

  /** Fills a group's rows from the images. */
  gather(images: number, columns: number, group: Group): void {
    this.#move(images, columns, group, false);
  }

  /** Adds a group's rows to the images, where each lies. */
  scatter(columns: number, images: number, group: Group): void {
    this.#move(images, columns, group, true);
  }

  #move(images: number, columns: number, { firstRow, imageRows }: Group, scatter: boolean): void {
    const { inHeight, inWidth, inChannels, outHeight, outWidth } = this.shapes;
    const { filterHeight, filterWidth, strideHeight, strideWidth, padInfo } = this.shapes;
    const pixel = inChannels * FLOAT_BYTES;
    for (let row = 0; row < imageRows; row++) {
      const image = Math.floor((firstRow + row) / outHeight);
      const top = ((firstRow + row) % outHeight) * strideHeight - padInfo.top;
      for (let i = 0; i < filterHeight; i++) {
        const inside = top + i >= 0 && top + i < inHeight;
        this.kernels.moveRow(
          inside ? images + (image * inHeight + top + i) * inWidth * pixel : 0,
          inside ? inWidth : 0,
          pixel,
          columns + row * outWidth * this.#rowStride + i * filterWidth * pixel,
          this.#rowStride,
          outWidth,
          filterWidth,
          strideWidth,
          padInfo.left,
          scatter ? 1 : 0,
        );
      }
    }
  }
}

/** Some rows of places. */
export interface Group {
  readonly firstRow: number;
  readonly imageRows: number;
  readonly firstPlace: number;
  readonly places: number;
}

/** About as many places are made at a time. */
const PLACES = 256;
/** Floats between two rows: a depth that is a power of two would put all rows into the same sets of the cache. */
const ROW_GAP = 16;
