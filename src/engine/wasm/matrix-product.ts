import { FLOAT_BYTES, type Heap } from './heap.js';
import type { Kernels } from './kernels.js';

/** A matrix on the heap. Strides are bytes, and one of the two is that of neighbouring floats. */
export interface Matrix {
  readonly address: number;
  readonly rowStride: number;
  readonly columnStride: number;
}

/** The right factor, laid out for the product: see `pack` in kernels.wat. [depth, columns] */
export interface PackedMatrix {
  readonly address: number;
  readonly depth: number;
  readonly columns: number;
}

/** Destination of a product: rows of adjacent floats. */
export interface Target {
  readonly address: number;
  /** Bytes. */
  readonly rowStride: number;
}

/** A tile of the product, in floats. */
const TILE = { rows: 4, columns: 8 } as const;
/** A tile's panel of the right factor of this depth takes 8 KiB, a quarter of the first-level cache. */
const BLOCK_DEPTH = 256;
/** A block of the left factor takes 128 KiB, a quarter of the second-level cache. */
const BLOCK_ROWS = 128;

export function rowMajor(address: number, columns: number): Matrix {
  return { address, rowStride: columns * FLOAT_BYTES, columnStride: FLOAT_BYTES };
}

export function transposed({ address, rowStride, columnStride }: Matrix): Matrix {
  return { address, rowStride: columnStride, columnStride: rowStride };
}

export function packedBytes(depth: number, columns: number): number {
  return depth * paddedColumns(columns) * FLOAT_BYTES;
}

/**
 * Products of matrices by blocks that fit the caches (Goto and van de Geijn 2008). XNNPACK's, in TensorFlow.js's
 * module, are a quarter slower, and transpose one float at a time.
 */
export class MatrixProduct {
  /** A packed block of the left factor. */
  readonly #block: number;
  /** A tile that reaches over the product's edge. */
  readonly #edge: number;

  constructor(
    heap: Heap,
    private readonly kernels: Kernels,
  ) {
    this.#block = heap.allocate(BLOCK_ROWS * BLOCK_DEPTH * FLOAT_BYTES);
    this.#edge = heap.allocate(TILE.rows * TILE.columns * FLOAT_BYTES);
  }

  /** Packs a right factor [depth, columns] into room of `packedBytes`. */
  pack(matrix: Matrix, depth: number, columns: number, into: number): PackedMatrix {
    for (let k = 0; k < depth; k += BLOCK_DEPTH)
      this.kernels.pack(
        matrix.address + k * matrix.rowStride,
        matrix.columnStride,
        matrix.rowStride,
        into + packedBytes(k, columns),
        TILE.columns,
        columns,
        Math.min(BLOCK_DEPTH, depth - k),
      );
    return { address: into, depth, columns };
  }

  /** target [rows, columns] = left [rows, depth] x right [depth, columns], or += with `accumulate`. */
  multiply(left: Matrix, right: PackedMatrix, target: Target, rows: number, accumulate = false): void {
    const { depth, columns } = right;
    for (let row = 0; row < rows; row += BLOCK_ROWS) {
      const blockRows = Math.min(BLOCK_ROWS, rows - row);
      for (let k = 0; k < depth; k += BLOCK_DEPTH) {
        const blockDepth = Math.min(BLOCK_DEPTH, depth - k);
        const from = left.address + row * left.rowStride + k * left.columnStride;
        this.kernels.pack(
          from,
          left.rowStride,
          left.columnStride,
          this.#block,
          TILE.rows,
          blockRows,
          blockDepth,
        );
        this.kernels.multiply(
          this.#block,
          right.address + packedBytes(k, columns),
          target.address + row * target.rowStride,
          target.rowStride,
          blockRows,
          columns,
          blockDepth,
          accumulate || k > 0 ? 1 : 0,
          this.#edge,
        );
      }
    }
  }
}

function paddedColumns(columns: number): number {
  return Math.ceil(columns / TILE.columns) * TILE.columns;
}
